//! Writes report files: all of a file or nothing, and never half of it over an old one.

use std::io;
use std::path::PathBuf;

use thiserror::Error;

use super::{DocumentError, ReportFile, render};
use crate::event::Event;
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

/// Writes report files on these events; returns what went wrong.
#[must_use]
pub fn save_all(events: &[Event], files: &[ReportFile]) -> Vec<SaveError> {
    let saved = files.iter().map(|file| save(events, file));
    saved.filter_map(Result::err).collect()
}

/// Writes a report file on these events.
///
/// # Errors
/// When there is no such document, or it cannot be written.
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
