//! The journal of a run: every event, in two forms. What is written is read back the same.

use serde::Deserialize;
use thiserror::Error;

use super::DocumentError;
use crate::event::{Event, EventKind};
use crate::json::{self, JsonError};
use crate::render::json::line as json_line;

/// The version of the form in which a journal stands.
const VERSION: u32 = 1;

/// The largest journal that is read, in bytes: a run of days writes a few million.
pub const LARGEST_JOURNAL: u64 = 32 << 20;

/// What was to be a journal is none.
#[derive(Debug, Error)]
pub enum JournalError {
    /// There is nothing in it.
    #[error("the journal is empty")]
    Empty,
    /// It is neither one JSON document nor JSON lines.
    #[error("line {line} is not a journal event")]
    NoEvent {
        /// Its number, from 1.
        line: usize,
        /// What is wrong with it.
        #[source]
        source: serde_json::Error,
    },
    /// What it holds takes more memory than there is for it.
    #[error(
        "the journal holds more than can be shown: it takes more memory than is left to this run"
    )]
    TooLarge,
    /// It breaks off in the middle.
    #[error("the journal is cut off in line {line}")]
    CutOff {
        /// The number of its last line.
        line: usize,
    },
    /// A newer program wrote it.
    #[error("the journal has version {version}, and this program reads version {VERSION}")]
    OtherVersion {
        /// Its version.
        version: u32,
    },
    /// Its last event is missing.
    #[error(
        "the journal has no end: its last event is not `finished`, so nothing is known of how the run ended"
    )]
    Unfinished,
    /// There is more after its last event.
    #[error("the journal goes on after its `finished` event: it holds more than one run")]
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

/// One JSON document; every event stands on a line of its own.
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

/// The events of a whole run, out of either form.
///
/// # Errors
/// When the text is no journal, or not that of one run from its beginning to its end.
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
