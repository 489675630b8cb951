//! The journal of a run: all events, in two formats. Reading returns what was written.

use serde::Deserialize;
use thiserror::Error;

use super::DocumentError;
use crate::event::{Event, EventKind};
use crate::json::{self, JsonError};
use crate::render::json::line as json_line;

/// The version of the journal format.
const VERSION: u32 = 1;

/// The largest journal that is read, in bytes; a run of days writes a few million.
pub const LARGEST_JOURNAL: u64 = 32 << 20;

/// Why a text is not a journal.
#[derive(Debug, Error)]
pub enum JournalError {
    /// It is empty.
    #[error("the journal is empty")]
    Empty,
    /// It is neither one JSON document nor JSON lines.
    #[error("line {line} is not a journal event")]
    NoEvent {
        /// The line number, from 1.
        line: usize,
        /// The reason.
        #[source]
        source: serde_json::Error,
    },
    /// Its events need more memory than is left.
    #[error("the journal is too large to show: its events need more memory than this run has left")]
    TooLarge,
    /// It is truncated.
    #[error("the journal is truncated in line {line}")]
    CutOff {
        /// The number of its last line.
        line: usize,
    },
    /// A newer program wrote it.
    #[error("the journal has version {version}, but this program reads version {VERSION}")]
    OtherVersion {
        /// Its version.
        version: u32,
    },
    /// Its last event is missing.
    #[error(
        "the journal is incomplete: its last event is not `finished`, so the end of the run is unknown"
    )]
    Unfinished,
    /// It continues after its last event.
    #[error("the journal continues after its `finished` event: it contains more than one run")]
    SeveralRuns,
}

#[derive(Deserialize)]
struct Version {
    version: u32,
}

#[derive(Deserialize)]
struct Journal {
    events: Vec<Event>,
}

/// One JSON document with every event on a line of its own.
pub(super) fn document(events: &[Event]) -> Result<String, DocumentError> {
    let mut text = format!("{{\"version\":{VERSION},\"events\":[\n");
    for (index, event) in events.iter().enumerate() {
        if index > 0 {
            text.push_str(",\n");
        }
        let line = json_line(event).map_err(DocumentError::Json)?;
        text.push_str(line.trim_end());
    }
    text.push_str("\n]}\n");
    Ok(text)
}

/// The JSON lines that `-o json` prints.
pub(super) fn lines(events: &[Event]) -> Result<String, DocumentError> {
    let lines: Result<Vec<String>, _> = events.iter().map(json_line).collect();
    lines
        .map(|lines| lines.concat())
        .map_err(DocumentError::Json)
}

/// Reads the events of a whole run from either format.
///
/// # Errors
/// If the text is not a journal, or not the complete journal of one run.
pub fn read(text: &str) -> Result<Vec<Event>, JournalError> {
    let text = text.trim_start_matches('\u{feff}');
    let first = text.lines().find(|line| !line.trim().is_empty());
    let first = first.ok_or(JournalError::Empty)?;
    let events = if json::from_slice::<Event>(first.as_bytes()).is_ok() {
        read_lines(text)?
    } else {
        read_document(text)?
    };
    match events.iter().position(is_end) {
        None => Err(JournalError::Unfinished),
        Some(end) if end + 1 < events.len() => Err(JournalError::SeveralRuns),
        Some(_) => Ok(events),
    }
}

fn is_end(event: &Event) -> bool {
    matches!(event.kind, EventKind::Finished(_))
}

fn read_lines(text: &str) -> Result<Vec<Event>, JournalError> {
    let lines = (1..).zip(text.lines());
    lines
        .filter(|(_, line)| !line.trim().is_empty())
        .map(|(number, line)| {
            json::from_slice(line.as_bytes()).map_err(|error| problem(error, number - 1))
        })
        .collect()
}

fn read_document(text: &str) -> Result<Vec<Event>, JournalError> {
    let of_document = |error| problem(error, 0);
    let Version { version } = json::from_slice(text.as_bytes()).map_err(of_document)?;
    if version != VERSION {
        return Err(JournalError::OtherVersion { version });
    }
    let Journal { events } = json::from_slice(text.as_bytes()).map_err(of_document)?;
    Ok(events)
}

fn problem(error: JsonError, lines_before: usize) -> JournalError {
    let source = match error {
        JsonError::Unreadable(source) => source,
        JsonError::NoRoom => return JournalError::TooLarge,
    };
    let line = lines_before + source.line();
    if source.is_eof() {
        JournalError::CutOff { line }
    } else {
        JournalError::NoEvent { line, source }
    }
}
