//! Keeps the events of a run, and writes the report files that were asked for after the last one.

use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use thiserror::Error;

use crate::document::{self, DocumentError, ReportFile};
use crate::event::{Event, EventKind};
use crate::file;

/// A report file could not be written.
#[derive(Debug, Error)]
pub enum SaveError {
    /// There is no such document of the run.
    #[error("failed to make the report `{}`", path.display())]
    Document {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: DocumentError,
    },
    /// The file system refused.
    #[error("failed to write the report `{}`", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
}

/// The events of a run; clones share them.
#[derive(Debug, Clone, Default)]
pub struct Recording {
    events: Arc<Mutex<Vec<Event>>>,
}

impl Recording {
    /// Keeps an event, unless the run is over: tasks that are being ended may still say something.
    pub fn keep(&self, event: &Event) {
        let mut events = self.events.lock().unwrap_or_else(PoisonError::into_inner);
        let is_over = matches!(
            events.last(),
            Some(Event {
                kind: EventKind::Finished(_),
                ..
            })
        );
        if !is_over {
            events.push(event.clone());
        }
    }

    /// Writes report files on every event so far; returns what went wrong.
    #[must_use]
    pub fn save(&self, files: &[ReportFile]) -> Vec<SaveError> {
        let events = self.events.lock().unwrap_or_else(PoisonError::into_inner);
        let saved = files.iter().map(|file| save(&events, file));
        saved.filter_map(Result::err).collect()
    }
}

/// Writes a report file on these events: all of it or nothing, and never half of it over an old one.
///
/// # Errors
/// When there is no such document, or it cannot be written.
pub fn save(events: &[Event], report: &ReportFile) -> Result<(), SaveError> {
    let path = || report.path.clone();
    let text = document::render(report.format, events).map_err(|source| SaveError::Document {
        path: path(),
        source,
    })?;
    file::replace(&report.path, text.as_bytes(), file::PRIVATE).map_err(|source| SaveError::File {
        path: path(),
        source,
    })
}
