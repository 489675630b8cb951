//! Renders a recorded run as a document: a journal, a JUnit file, a timeline or a page. Pure: `save` writes
//! the files.
//!
//! A document depends only on the events, so an old journal yields the document that its run would have
//! written.

mod html;
mod journal;
mod junit;
mod save;
mod story;
mod svg;
mod text;

use std::ffi::OsStr;
use std::path::PathBuf;

use thiserror::Error;

pub use self::journal::{JournalError, LARGEST_JOURNAL, read};
pub use self::save::{SaveError, save, save_all};

use self::story::Story;
use crate::event::Event;

/// The format of a report file.
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
    /// One self-contained page for people.
    Page,
}

/// The file extensions and their formats.
const ENDINGS: [(&str, Format); 6] = [
    ("json", Format::Journal),
    ("jsonl", Format::Lines),
    ("ndjson", Format::Lines),
    ("xml", Format::JUnit),
    ("svg", Format::Timeline),
    ("html", Format::Page),
];

/// A requested report file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReportFile {
    /// Its path.
    pub path: PathBuf,
    /// Its format.
    pub format: Format,
}

/// The extension of a report file is unknown.
#[derive(Debug, Error)]
#[error(
    "the file extension selects the report format: `.json`, `.jsonl`, `.ndjson`, `.xml`, `.svg` or `.html`"
)]
pub struct UnknownEnding;

impl ReportFile {
    /// A file with the format of its extension.
    ///
    /// # Errors
    /// If the extension is missing or unknown.
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

/// Why a run has no such document.
#[derive(Debug, Error)]
pub enum DocumentError {
    /// An event could not be written as JSON, which is a bug.
    #[error("an event cannot be written as JSON")]
    Json(#[source] serde_json::Error),
    /// The last event is missing.
    #[error("the run has not ended yet")]
    Unfinished,
    /// A run of another command, or one that failed before it began.
    #[error(
        "only runs of `verify` and `chaos` have such a report, but this is a run of `{command}`"
    )]
    OtherCommand {
        /// The command.
        command: String,
    },
    /// A verification has no timeline.
    #[error("only an experiment has a timeline, but this is a verification")]
    NoTimeline,
}

/// The text of a report file for these events.
///
/// # Errors
/// If the run has no such document.
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
