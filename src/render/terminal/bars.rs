//! Live rows below the text, and nothing else: what they show is a `Picture`.
//!
//! Nothing is drawn in the first quarter of a second, so that a quick run leaves a quiet terminal,
//! and everything drawn is cleared at the end: what came of the run stays as text.
//!
//! The cursor stands at the beginning of the line below the rows. What the terminal echoes there, such
//! as `^C`, moves no row, and goes with the next drawing.

use std::time::{Duration, Instant};

use console::measure_text_width;
use jiff::Timestamp;

use super::Chunks;
use super::clock::Clock;
use super::picture::{Frame, Picture};
use crate::event::Event;
use crate::ui::{OutputError, Stream, Ui};

/// A run that is over by then draws nothing.
const DELAY: Duration = Duration::from_millis(250);

/// How often the rows are drawn again at most, so that times tick.
pub(super) const PERIOD: Duration = Duration::from_millis(100);

/// Rows of the terminal that stay free: for the cursor, and for a line of what was there before.
const FREE_ROWS: usize = 2;

/// Synchronized output (DEC private mode 2026): a terminal that has it shows what stands between the two
/// at once, and any other ignores them.
const BEGIN: &str = "\u{1b}[?2026h";
const END: &str = "\u{1b}[?2026l";

/// Rows at the bottom of the terminal, drawn again and again.
pub(super) struct Bars {
    ui: Ui,
    picture: Picture,
    clock: Clock,
    /// The rows that stand on the terminal.
    drawn: Vec<Row>,
    /// When they were drawn.
    drawn_at: Option<Instant>,
    /// Text that appears above the rows with the next drawing.
    above: Chunks,
}

impl Bars {
    /// Nothing is drawn yet.
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

    /// Takes note of an event; it is seen with the next drawing.
    pub(super) fn record(&mut self, event: &Event) {
        self.picture.record(event);
        self.clock.record(event);
    }

    /// Says something above the rows: at once while there are none, else with the next drawing.
    ///
    /// # Errors
    /// When standard output cannot be written.
    pub(super) fn say(&mut self, text: Chunks) -> Result<(), OutputError> {
        self.above.append(text);
        if self.drawn.is_empty() {
            std::mem::take(&mut self.above).write(&self.ui)
        } else {
            Ok(())
        }
    }

    /// Draws the rows of this moment, unless they stand there already or others were drawn just now.
    ///
    /// # Errors
    /// When standard output cannot be written.
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

    /// Takes all rows away, and says what is left to say.
    ///
    /// # Errors
    /// When standard output cannot be written.
    pub(super) fn end(mut self, text: Chunks) -> Result<(), OutputError> {
        self.above.append(text);
        self.replace(Vec::new())
    }

    /// The text that waits, and these rows, in place of those that stand there.
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

/// A row as it is written, and how wide it is.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Row {
    pub(super) text: String,
    pub(super) columns: usize,
}

/// What takes these rows away that were drawn above the cursor, however wide the terminal is by now.
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
        // Only a closed stream fails here, and there it does not matter.
        let _ = self.replace(Vec::new());
    }
}
