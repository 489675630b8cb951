//! Writes report files atomically: an existing file is replaced only by a complete one.

use std::io;
use std::path::PathBuf;

use thiserror::Error;

use super::{DocumentError, ReportFile, render};
use crate::event::Event;
use crate::file;

/// A report file could not be written.
#[derive(Debug, Error)]
pub enum SaveError {
    /// The run has no such document.
    #[error("failed to make the report `{}`", path.display())]
    Document {
        /// The file.
        path: PathBuf,
        /// The cause.
        #[source]
        source: DocumentError,
    },
    /// The file system refused.
    #[error("failed to write the report `{}`", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// The cause.
        #[source]
        source: io::Error,
    },
}

/// Writes the report files for these events; returns all errors.
#[must_use]
pub fn save_all(events: &[Event], files: &[ReportFile]) -> Vec<SaveError> {
    let saved = files.iter().map(|file| save(events, file));
    saved.filter_map(Result::err).collect()
}

/// Writes a report file for these events.
///
/// # Errors
/// If the run has no such document, or the file cannot be written.
pub fn save(events: &[Event], report: &ReportFile) -> Result<(), SaveError> {
    let path = || report.path.clone();
    let text = render(report.format, events).map_err(|source| SaveError::Document {
        path: path(),
        source,
    })?;
    file::replace(&report.path, text.as_bytes(), file::PRIVATE).map_err(|source| SaveError::File {
        path: path(),
        source,
    })
}
