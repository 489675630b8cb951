//! A recorded run as a file: events in, the text of a journal, a JUnit file, a timeline or a page
//! out. Another renderer, for no terminal. Pure: whoever wants a file writes it.
//!
//! Whatever a document says comes from the events alone, so that an old journal gives the document
//! that its run would have given.

mod html;
mod journal;
mod junit;
mod markup;
mod save;
mod story;
mod svg;

use std::ffi::OsStr;
use std::path::PathBuf;

use thiserror::Error;

pub use self::journal::{JournalError, LARGEST_JOURNAL, read};
pub use self::save::{SaveError, save, save_all};

use self::story::Story;
use crate::event::Event;

/// What a report file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// One JSON document with every event: `{"version":1,"events":[…]}`.
    Journal,
    /// The JSON lines that `-o json` prints.
    Lines,
    /// JUnit XML, for a build service.
    JUnit,
    /// The timeline of an experiment, as a picture.
    Timeline,
    /// One page for people, which needs nothing but itself.
    Page,
}

/// The endings of report files, and what they stand for.
const ENDINGS: [(&str, Format); 6] = [
    ("json", Format::Journal),
    ("jsonl", Format::Lines),
    ("ndjson", Format::Lines),
    ("xml", Format::JUnit),
    ("svg", Format::Timeline),
    ("html", Format::Page),
];

/// A report file that was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReportFile {
    /// Where to write it.
    pub path: PathBuf,
    /// What to write.
    pub format: Format,
}

/// The name of a report file does not say what it is.
#[derive(Debug, Error)]
#[error(
    "a report's format is told by its ending: `.json`, `.jsonl`, `.ndjson`, `.xml`, `.svg` or `.html`"
)]
pub struct UnknownEnding;

impl ReportFile {
    /// A file whose ending says what it is.
    ///
    /// # Errors
    /// When it has no ending that is known.
    pub fn of(path: PathBuf) -> Result<Self, UnknownEnding> {
        let ending = path.extension().and_then(OsStr::to_str);
        let ending = ending.ok_or(UnknownEnding)?.to_ascii_lowercase();
        let (_, format) = ENDINGS
            .into_iter()
            .find(|(known, _)| *known == ending)
            .ok_or(UnknownEnding)?;
        Ok(Self { path, format })
    }
}

/// A run of which there is no such document.
#[derive(Debug, Error)]
pub enum DocumentError {
    /// An event could not be written as JSON, which no event should be.
    #[error("an event cannot be written as JSON")]
    Json(#[source] serde_json::Error),
    /// The run has not come to its last event.
    #[error("the run has no end yet")]
    Unfinished,
    /// Another command's run, or one that failed before it began.
    #[error("only runs of `verify` and `chaos` can be shown so, and this is one of `{command}`")]
    OtherCommand {
        /// The command.
        command: String,
    },
    /// A verification has no timeline.
    #[error("only an experiment has a timeline, and this is a verification")]
    NoTimeline,
}

/// The text of a report file on these events.
///
/// # Errors
/// When there is no such document of this run.
pub fn render(format: Format, events: &[Event]) -> Result<String, DocumentError> {
    match format {
        Format::Journal => journal::document(events),
        Format::Lines => journal::lines(events),
        Format::JUnit => Ok(junit::document(&Story::of(events)?)),
        Format::Timeline => svg::document(&Story::of(events)?),
        Format::Page => Ok(html::document(&Story::of(events)?)),
    }
}

#[cfg(test)]
mod tests;
