//! Draws live rows below the text; a `Picture` provides them.
//!
//! Nothing is drawn in the first quarter of a second, so a quick run draws no rows. All rows are cleared
//! at the end; the result stays as text.
//!
//! The cursor is at the beginning of the line below the rows. Terminal echo there, such as `^C`, moves no
//! row and disappears with the next drawing.

use std::time::{Duration, Instant};

use console::measure_text_width;
use jiff::Timestamp;

use super::Chunks;
use super::clock::Clock;
use super::picture::{Frame, Picture};
use crate::event::Event;
use crate::ui::{OutputError, Stream, Ui};

/// A run that ends earlier draws nothing.
const DELAY: Duration = Duration::from_millis(250);

/// The shortest time between two drawings; times tick at this rate.
pub(super) const PERIOD: Duration = Duration::from_millis(100);

/// Rows of the terminal that stay free: one for the cursor and one for earlier output.
const FREE_ROWS: usize = 2;

/// Synchronized output (DEC private mode 2026): a terminal that supports it shows everything between the
/// two at once; others ignore them.
const BEGIN: &str = "\u{1b}[?2026h";
const END: &str = "\u{1b}[?2026l";

/// Rows at the bottom of the terminal that are redrawn.
pub(super) struct Bars {
    ui: Ui,
    picture: Picture,
    clock: Clock,
    /// The rows on the terminal.
    drawn: Vec<Row>,
    /// When they were drawn.
    drawn_at: Option<Instant>,
    /// Text that appears above the rows with the next drawing.
    above: Chunks,
}

impl Bars {
    /// Starts without rows.
    pub(super) fn new(ui: Ui) -> Self {
        Self {
            ui,
            picture: Picture::default(),
            clock: Clock::default(),
            drawn: Vec::new(),
            drawn_at: None,
            above: Chunks::default(),
        }
    }

    /// Records an event; the next drawing shows it.
    pub(super) fn record(&mut self, event: &Event) {
        self.picture.record(event);
        self.clock.record(event);
    }

    /// Prints text above the rows: at once if there are none, else with the next drawing.
    ///
    /// # Errors
    /// If standard output cannot be written.
    pub(super) fn say(&mut self, text: Chunks) -> Result<(), OutputError> {
        self.above.append(text);
        if self.drawn.is_empty() {
            std::mem::take(&mut self.above).write(&self.ui)
        } else {
            Ok(())
        }
    }

    /// Draws the current rows, unless they have not changed or the last drawing was too recent.
    ///
    /// # Errors
    /// If standard output cannot be written.
    pub(super) fn draw(&mut self) -> Result<(), OutputError> {
        let elapsed = self.clock.elapsed();
        let is_early = self.drawn_at.is_some_and(|at| at.elapsed() < PERIOD);
        if elapsed < DELAY || is_early {
            return Ok(());
        }
        let lines = self.picture.rows(&Frame {
            now: Timestamp::now(),
            elapsed,
            width: self.ui.width(),
            height: self.ui.height().saturating_sub(FREE_ROWS),
        });
        let with_colour = self.ui.has_colour(Stream::Stderr);
        let rows: Vec<Row> = lines
            .iter()
            .map(|line| Row {
                text: line.render(with_colour),
                columns: measure_text_width(&line.render(false)),
            })
            .collect();
        if rows == self.drawn && self.above.is_empty() {
            return Ok(());
        }
        self.drawn_at = Some(Instant::now());
        self.replace(rows)
    }

    /// Clears all rows and prints the remaining text.
    ///
    /// # Errors
    /// If standard output cannot be written.
    pub(super) fn end(mut self, text: Chunks) -> Result<(), OutputError> {
        self.above.append(text);
        self.replace(Vec::new())
    }

    /// Replaces the rows on the terminal with the pending text and these rows.
    fn replace(&mut self, rows: Vec<Row>) -> Result<(), OutputError> {
        let mut beginning = String::new();
        let is_drawing = !self.drawn.is_empty() || !rows.is_empty();
        if is_drawing {
            beginning.push_str(BEGIN);
        }
        beginning.push_str(&erasure(&self.drawn, self.ui.width()));
        let mut chunks = Chunks::default();
        chunks.push(Stream::Stderr, &beginning);
        chunks.append(std::mem::take(&mut self.above));
        let mut end = String::new();
        for row in &rows {
            end.push_str(&row.text);
            end.push('\n');
        }
        if is_drawing {
            end.push_str(END);
        }
        chunks.push(Stream::Stderr, &end);
        self.drawn = rows;
        chunks.write(&self.ui)
    }
}

/// A rendered row and its width.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Row {
    pub(super) text: String,
    pub(super) columns: usize,
}

/// The sequence that clears these rows above the cursor, at the current width of the terminal.
pub(super) fn erasure(rows: &[Row], width: usize) -> String {
    let heights = rows
        .iter()
        .map(|row| row.columns.div_ceil(width.max(1)).max(1));
    match heights.sum::<usize>() {
        0 => String::new(),
        height => format!("\r\u{1b}[{height}A\u{1b}[J"),
    }
}

impl Drop for Bars {
    fn drop(&mut self) {
        // Only a closed stream fails here, where it does not matter.
        let _ = self.replace(Vec::new());
    }
}
