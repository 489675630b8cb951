//! Reads and writes baseline files.

use std::io;
use std::path::{Path, PathBuf};

use thiserror::Error;

use crate::file;
use crate::json::{self, JsonError};
use crate::report::{Baseline, BaselineMismatch};

/// More than the contents of a few dozen endpoints, in base64.
const LARGEST_FILE: u64 = 32 << 20;

/// Why a baseline file cannot be read or written.
#[derive(Debug, Error)]
pub enum BaselineError {
    /// The file cannot be read.
    #[error("cannot read the baseline `{}`", .path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// The file is larger than any baseline.
    #[error("`{}` is not a baseline: it has more than {LARGEST_FILE} bytes", .path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
    },
    /// The file is not a baseline. Its text is not shown, because it may be secret.
    #[error("`{}` is not a baseline: {reason}", .path.display())]
    Undecodable {
        /// The file.
        path: PathBuf,
        /// The position at which the decoder stopped.
        reason: String,
    },
    /// The file has a different version.
    #[error("cannot use the baseline `{}`", .path.display())]
    Version {
        /// The file.
        path: PathBuf,
        /// The mismatch.
        source: BaselineMismatch,
    },
    /// The file cannot be written.
    #[error("cannot write the baseline `{}`", .path.display())]
    Unwritable {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
}

/// Reads a baseline.
///
/// # Errors
/// Every variant of [`BaselineError`] but `Unwritable`.
pub fn read(path: &Path) -> Result<Baseline, BaselineError> {
    let bytes = file::read(path, LARGEST_FILE).map_err(|source| match source.kind() {
        io::ErrorKind::FileTooLarge => BaselineError::TooLarge {
            path: path.to_owned(),
        },
        _ => BaselineError::Unreadable {
            path: path.to_owned(),
            source,
        },
    })?;
    let undecodable = |error: JsonError| match error {
        JsonError::Unreadable(error) => BaselineError::Undecodable {
            path: path.to_owned(),
            reason: format!("line {}, column {}", error.line(), error.column()),
        },
        JsonError::NoRoom => BaselineError::TooLarge {
            path: path.to_owned(),
        },
    };
    // The version comes first, because the format of other versions is unknown.
    let document: serde_json::Value = json::from_slice(&bytes).map_err(undecodable)?;
    let found = document["version"].as_u64();
    if let Some(found) = found.filter(|found| *found != u64::from(Baseline::VERSION)) {
        return Err(BaselineError::Version {
            path: path.to_owned(),
            source: BaselineMismatch::Version {
                found: u32::try_from(found).unwrap_or(u32::MAX),
            },
        });
    }
    json::from_value(document).map_err(undecodable)
}

/// Writes a baseline; an existing file is replaced only once the new one is complete.
///
/// # Errors
/// [`BaselineError::Unwritable`].
pub fn write(baseline: &Baseline, path: &Path) -> Result<(), BaselineError> {
    let written = serde_json::to_vec_pretty(baseline)
        .map_err(io::Error::from)
        .and_then(|mut text| {
            text.push(b'\n');
            file::replace(path, &text, file::PRIVATE)
        });
    written.map_err(|source| BaselineError::Unwritable {
        path: path.to_owned(),
        source,
    })
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    use super::*;
    use crate::object::ObjectRef;

    fn baseline() -> Baseline {
        Baseline {
            version: Baseline::VERSION,
            time: "2026-11-23T10:00:00Z".parse().unwrap(),
            object: ObjectRef::new("apps", "StatefulSet", Some("logaiter"), "web"),
            endpoints: Vec::new(),
        }
    }

    #[test]
    fn what_is_written_is_read_again_and_nobody_else_reads_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("baseline.json");
        fs::write(&path, "what was there before").unwrap();
        write(&baseline(), &path).unwrap();
        assert_eq!(read(&path).unwrap(), baseline());
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let files = fs::read_dir(folder.path()).unwrap().count();
        assert_eq!(files, 1, "nothing is left beside it");
    }

    #[test]
    fn what_is_no_baseline_is_refused_without_showing_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("baseline.json");
        assert!(matches!(read(&path), Err(BaselineError::Unreadable { .. })));
        for text in ["", "hidden: 1", r#"{"version":1}"#, "[]"] {
            fs::write(&path, text).unwrap();
            let error = read(&path).unwrap_err();
            assert!(
                matches!(error, BaselineError::Undecodable { .. }),
                "{error}"
            );
            assert!(!error.to_string().contains("hidden"), "{error}");
        }
        fs::write(&path, r#"{"version":7}"#).unwrap();
        let error = read(&path).unwrap_err();
        assert!(matches!(error, BaselineError::Version { .. }), "{error}");
    }

    #[test]
    fn where_nothing_can_be_written_that_is_said() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("missing").join("baseline.json");
        let error = write(&baseline(), &path).unwrap_err();
        assert!(matches!(error, BaselineError::Unwritable { .. }), "{error}");
        let error = write(&baseline(), Path::new("/")).unwrap_err();
        assert!(matches!(error, BaselineError::Unwritable { .. }), "{error}");
    }
}
