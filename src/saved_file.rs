//! Files that one run writes for a later one: baselines and plans.

use std::io;
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde::de::DeserializeOwned;
use thiserror::Error;

use crate::file;
use crate::json::{self, JsonError};
use crate::plan::SavedPlan;
use crate::report::Baseline;

/// More than the contents of a few dozen endpoints, in base64, or the steps of thousands of objects.
const LARGEST_FILE: u64 = 32 << 20;

/// What such a file contains: a JSON object with the version of its format.
pub trait Saved: Serialize + DeserializeOwned {
    /// The version that this program writes, and the only one that it reads.
    const VERSION: u32;
    /// Its name in sentences.
    const NAME: &'static str;
    /// The flag that writes it.
    const FLAG: &'static str;
}

impl Saved for Baseline {
    const VERSION: u32 = Self::VERSION;
    const NAME: &'static str = "baseline";
    const FLAG: &'static str = "--save-baseline";
}

impl Saved for SavedPlan {
    const VERSION: u32 = Self::VERSION;
    const NAME: &'static str = "plan";
    const FLAG: &'static str = "--plan-out";
}

/// Why a file cannot be read or written.
#[derive(Debug, Error)]
pub enum SavedFileError {
    /// The file cannot be read.
    #[error("cannot read the {name} `{}`", .path.display())]
    Unreadable {
        /// What it should contain.
        name: &'static str,
        /// The flag that writes it.
        flag: &'static str,
        /// The file.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// The file contains something else. Its text is not shown, because it may be secret.
    #[error("`{}` is not a {name}: {reason}", .path.display())]
    Undecodable {
        /// What it should contain.
        name: &'static str,
        /// The flag that writes it.
        flag: &'static str,
        /// The file.
        path: PathBuf,
        /// Why it is something else, as a clause.
        reason: String,
    },
    /// This version does not know the format of the file.
    #[error(
        "cannot use the {name} `{}`: it has format {found}, but this version reads format {known}",
        .path.display()
    )]
    Version {
        /// What it contains.
        name: &'static str,
        /// The flag that writes it.
        flag: &'static str,
        /// The file.
        path: PathBuf,
        /// The version of its format.
        found: u64,
        /// The version that can be read.
        known: u32,
    },
    /// The file cannot be written.
    #[error("cannot write the {name} `{}`", .path.display())]
    Unwritable {
        /// What it would contain.
        name: &'static str,
        /// The file.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
}

/// Reads a file.
///
/// # Errors
/// Every variant of [`SavedFileError`] but `Unwritable`.
pub fn read<T: Saved>(path: &Path) -> Result<T, SavedFileError> {
    let (name, flag) = (T::NAME, T::FLAG);
    let undecodable = |reason: String| SavedFileError::Undecodable {
        name,
        flag,
        path: path.to_owned(),
        reason,
    };
    let too_large = || undecodable(format!("it has more than {LARGEST_FILE} bytes"));
    let bytes = file::read(path, LARGEST_FILE).map_err(|source| match source.kind() {
        io::ErrorKind::FileTooLarge => too_large(),
        _ => SavedFileError::Unreadable {
            name,
            flag,
            path: path.to_owned(),
            source,
        },
    })?;
    let not_json = |error: JsonError| match error {
        JsonError::Unreadable(error) => {
            undecodable(format!("line {}, column {}", error.line(), error.column()))
        }
        JsonError::NoRoom => too_large(),
    };
    // The version comes first, because the format of other versions is unknown.
    let document: serde_json::Value = json::from_slice(&bytes).map_err(not_json)?;
    let found = document["version"].as_u64();
    if let Some(found) = found.filter(|found| *found != u64::from(T::VERSION)) {
        return Err(SavedFileError::Version {
            name,
            flag,
            path: path.to_owned(),
            found,
            known: T::VERSION,
        });
    }
    json::from_value(document).map_err(not_json)
}

/// Writes a file that only its owner can read; an existing one is replaced only once the new one is
/// complete.
///
/// # Errors
/// [`SavedFileError::Unwritable`].
pub fn write<T: Saved>(saved: &T, path: &Path) -> Result<(), SavedFileError> {
    let written = serde_json::to_vec_pretty(saved)
        .map_err(io::Error::from)
        .and_then(|mut text| {
            text.push(b'\n');
            file::replace(path, &text, file::PRIVATE)
        });
    written.map_err(|source| SavedFileError::Unwritable {
        name: T::NAME,
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

    fn refusal<T: Saved>(path: &Path) -> SavedFileError {
        match read::<T>(path) {
            Ok(_) => panic!("{} was read", path.display()),
            Err(error) => error,
        }
    }

    #[test]
    fn what_is_written_is_read_again_and_nobody_else_reads_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("baseline.json");
        fs::write(&path, "what was there before").unwrap();
        write(&baseline(), &path).unwrap();
        assert_eq!(read::<Baseline>(&path).unwrap(), baseline());
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let files = fs::read_dir(folder.path()).unwrap().count();
        assert_eq!(files, 1, "nothing is left beside it");
    }

    #[test]
    fn what_is_something_else_is_refused_without_showing_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("saved.json");
        let error = refusal::<Baseline>(&path);
        assert!(
            matches!(error, SavedFileError::Unreadable { .. }),
            "{error}"
        );
        for text in ["", "hidden: 1", r#"{"version":1}"#, "[]"] {
            fs::write(&path, text).unwrap();
            for error in [refusal::<Baseline>(&path), refusal::<SavedPlan>(&path)] {
                assert!(
                    matches!(error, SavedFileError::Undecodable { .. }),
                    "{error}"
                );
                assert!(!error.to_string().contains("hidden"), "{error}");
            }
        }
        fs::write(&path, r#"{"version":7}"#).unwrap();
        let error = refusal::<SavedPlan>(&path).to_string();
        let expected = "it has format 7, but this version reads format 1";
        assert!(error.ends_with(expected), "{error}");
        assert!(error.starts_with("cannot use the plan"), "{error}");
    }

    #[test]
    fn where_nothing_can_be_written_that_is_said() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("missing").join("baseline.json");
        for path in [path.as_path(), Path::new("/")] {
            let error = write(&baseline(), path).unwrap_err();
            assert!(
                matches!(error, SavedFileError::Unwritable { .. }),
                "{error}"
            );
        }
    }
}
