//! Live bars below the text, and nothing else: what they show is a `Picture`.
//!
//! Nothing is drawn in the first quarter of a second, so that a quick run leaves a quiet terminal,
//! and everything drawn is cleared at the end: what came of the run stays as text.

use std::io;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle, TermLike};
use jiff::Timestamp;

use super::picture::{Frame, Picture};
use crate::event::Event;
use crate::ui::{Stream, Ui};

/// A run that is over by then draws nothing.
const DELAY: Duration = Duration::from_millis(250);

/// How often the rows are drawn again, so that times tick.
pub(super) const PERIOD: Duration = Duration::from_millis(125);

/// Drawings a second, at most.
const RATE: u8 = 20;

/// Rows of the terminal that stay free: for the cursor, and for a line of what was there before.
const FREE_ROWS: usize = 2;

/// Rows at the bottom of the terminal, drawn again and again.
pub(super) struct Bars {
    ui: Ui,
    drawing: MultiProgress,
    rows: Vec<ProgressBar>,
    picture: Picture,
    /// The beginning of the run, by this process's clock.
    beginning: Instant,
}

impl Bars {
    /// Nothing is drawn yet.
    pub(super) fn new(ui: Ui) -> Self {
        let target =
            ProgressDrawTarget::term_like_with_hz(Box::new(Terminal::new(ui.clone())), RATE);
        Self {
            ui,
            drawing: MultiProgress::with_draw_target(target),
            rows: Vec::new(),
            picture: Picture::default(),
            beginning: Instant::now(),
        }
    }

    /// Takes note of an event; it is seen with the next drawing.
    pub(super) fn record(&mut self, event: &Event) {
        self.picture.record(event);
        let elapsed = Duration::from_millis(event.elapsed_ms);
        if let Some(beginning) = Instant::now().checked_sub(elapsed) {
            self.beginning = self.beginning.min(beginning);
        }
    }

    /// Draws the rows of this moment.
    pub(super) fn draw(&mut self) {
        let elapsed = self.beginning.elapsed();
        if elapsed < DELAY {
            return;
        }
        let lines = self.picture.rows(&Frame {
            now: Timestamp::now(),
            elapsed,
            width: self.ui.width(),
            height: self.ui.height().saturating_sub(FREE_ROWS),
        });
        while self.rows.len() > lines.len() {
            if let Some(row) = self.rows.pop() {
                self.drawing.remove(&row);
            }
        }
        while self.rows.len() < lines.len() {
            let row = ProgressBar::no_length().with_style(message_only());
            self.rows.push(self.drawing.add(row));
        }
        let with_colour = self.ui.has_colour(Stream::Stderr);
        for (row, line) in self.rows.iter().zip(lines) {
            row.set_message(line.render(with_colour));
        }
    }

    /// Runs `write` while nothing is drawn, so that text appears above the rows.
    pub(super) fn above<T>(&self, write: impl FnOnce() -> T) -> T {
        self.drawing.suspend(write)
    }

    /// Takes all rows away.
    pub(super) fn clear(&mut self) {
        for row in self.rows.drain(..) {
            self.drawing.remove(&row);
        }
        // Only a closed standard error fails here, and there it does not matter.
        let _ = self.drawing.clear();
    }
}

impl Drop for Bars {
    fn drop(&mut self) {
        self.clear();
    }
}

/// The rows come with their columns and colours.
fn message_only() -> ProgressStyle {
    ProgressStyle::with_template("{msg}").unwrap_or_else(|_| ProgressStyle::default_spinner())
}

/// Standard error for `indicatif`, through the `Ui`: whole drawings at once, so that none flickers.
struct Terminal {
    ui: Ui,
    drawing: Mutex<String>,
}

impl Terminal {
    fn new(ui: Ui) -> Self {
        Self {
            ui,
            drawing: Mutex::new(String::new()),
        }
    }

    fn push(&self, text: &str) {
        self.drawing
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push_str(text);
    }

    fn push_move(&self, distance: usize, direction: char) {
        // Zero would mean one.
        if distance > 0 {
            self.push(&format!("\u{1b}[{distance}{direction}"));
        }
    }
}

impl std::fmt::Debug for Terminal {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Terminal").finish_non_exhaustive()
    }
}

impl TermLike for Terminal {
    fn width(&self) -> u16 {
        u16::try_from(self.ui.width()).unwrap_or(u16::MAX)
    }

    fn height(&self) -> u16 {
        u16::try_from(self.ui.height()).unwrap_or(u16::MAX)
    }

    fn move_cursor_up(&self, distance: usize) -> io::Result<()> {
        self.push_move(distance, 'A');
        Ok(())
    }

    fn move_cursor_down(&self, distance: usize) -> io::Result<()> {
        self.push_move(distance, 'B');
        Ok(())
    }

    fn move_cursor_right(&self, distance: usize) -> io::Result<()> {
        self.push_move(distance, 'C');
        Ok(())
    }

    fn move_cursor_left(&self, distance: usize) -> io::Result<()> {
        self.push_move(distance, 'D');
        Ok(())
    }

    fn write_line(&self, text: &str) -> io::Result<()> {
        self.push(text);
        self.push("\n");
        Ok(())
    }

    fn write_str(&self, text: &str) -> io::Result<()> {
        self.push(text);
        Ok(())
    }

    fn clear_line(&self) -> io::Result<()> {
        self.push("\r\u{1b}[2K");
        Ok(())
    }

    fn flush(&self) -> io::Result<()> {
        let drawing =
            std::mem::take(&mut *self.drawing.lock().unwrap_or_else(PoisonError::into_inner));
        if !drawing.is_empty() {
            self.ui.write_errors(&drawing);
        }
        Ok(())
    }
}
