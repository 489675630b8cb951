//! The configuration file: settings for everyone who works in a folder.
//!
//! [`load`] reads the file; [`parse`] is a pure function of its text. Nothing is ignored silently:
//! an unknown key, a value of the wrong type and a contradiction are errors, and each names its
//! file, line and key.

mod error;
mod pattern;
mod read;
mod schema;
#[cfg(test)]
mod tests;

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

pub use self::error::{ConfigError, ConfigProblem};
pub use self::pattern::NamePattern;

use crate::cli::ExperimentArgs;
use crate::expectation::Expectation;
use crate::fields::{FieldPattern, FormerManager};
use crate::file;

/// The file that is used if it is in the current folder.
pub const FILE_NAME: &str = "cryptoctl.yaml";

/// The largest file that is read, in bytes.
const LARGEST: u64 = 1 << 20;

/// The contents of a configuration file; empty without a file.
#[derive(Debug, Clone, Default)]
pub struct Config {
    /// The file, as errors name it.
    pub file: Option<PathBuf>,
    /// Protected contexts: a change there requires typing the context's name.
    pub protected_contexts: Vec<ProtectedContext>,
    /// The inventory of the set.
    pub inventory: Option<String>,
    /// Fields that are taken from other managers.
    pub take: Vec<FieldPattern>,
    /// Fields that are left to other managers, once those own them.
    pub yielded: Vec<FieldPattern>,
    /// Managers whose fields are taken over.
    pub take_over: Vec<FormerManager>,
    /// Whether pods are replaced when a ConfigMap or Secret of the set that they use changes.
    pub roll_on_config_change: Option<bool>,
    /// The StatefulSet to work on if the command line names none.
    pub workload: Option<String>,
    /// The expected answers of every replica; empty if the file lists none.
    pub endpoints: Vec<Expectation>,
    /// The limits of a verification.
    pub verify: VerifyConfig,
    /// The experiment.
    pub chaos: ExperimentArgs,
}

/// A protected context: a change there requires typing its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProtectedContext {
    /// Its name, or a pattern.
    pub pattern: NamePattern,
    /// The line of the entry.
    pub line: usize,
}

/// The limits of a verification.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct VerifyConfig {
    /// At most this many replicas get requests at the same time.
    pub concurrency: Option<usize>,
    /// The largest body to read, in bytes.
    pub largest_body: Option<u64>,
    /// The time limit of one answer.
    pub answer_time: Option<Duration>,
}

impl Config {
    /// The entry that protects a context; the context of a run inside a cluster has no name.
    #[must_use]
    pub fn protects(&self, context: Option<&str>) -> Option<&ProtectedContext> {
        let name = context.unwrap_or_default();
        self.protected_contexts
            .iter()
            .find(|entry| entry.pattern.matches(name))
    }
}

/// Reads the named file, or the one in the current folder if it exists.
///
/// # Errors
/// [`ConfigError`], also when a named file does not exist.
pub fn load(named: Option<&Path>, folder: &Path) -> Result<Config, ConfigError> {
    let text = match named {
        Some(file) => Some(read_text(file, file)?),
        None => read_text_if_there(&folder.join(FILE_NAME), Path::new(FILE_NAME))?,
    };
    match text {
        Some(text) => parse(named.unwrap_or(Path::new(FILE_NAME)), &text),
        None => Ok(Config::default()),
    }
}

/// The contents of a text; `file` is only for errors.
///
/// # Errors
/// [`ConfigError::Invalid`], with every problem.
pub fn parse(file: &Path, text: &str) -> Result<Config, ConfigError> {
    let invalid = |problems| ConfigError::Invalid {
        file: file.to_owned(),
        problems,
    };
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let root = kubectl_manifest::read_located(text);
    let Some(root) = root.map_err(|problem| invalid(vec![problem.into()]))? else {
        return Ok(Config {
            file: Some(file.to_owned()),
            ..Config::default()
        });
    };
    let config = schema::config(&root).map_err(invalid)?;
    Ok(Config {
        file: Some(file.to_owned()),
        ..config
    })
}

/// Every key that a file may contain, for documents.
pub fn keys() -> impl Iterator<Item = &'static str> {
    schema::keys()
}

fn read_text_if_there(path: &Path, name: &Path) -> Result<Option<String>, ConfigError> {
    match read_text(path, name) {
        Err(ConfigError::Unreadable { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
            Ok(None)
        }
        other => other.map(Some),
    }
}

fn read_text(path: &Path, name: &Path) -> Result<String, ConfigError> {
    file::read_text(path, LARGEST).map_err(|error| match error.kind() {
        io::ErrorKind::FileTooLarge => ConfigError::TooLarge {
            file: name.to_owned(),
            limit: LARGEST,
        },
        io::ErrorKind::InvalidData => ConfigError::NotText {
            file: name.to_owned(),
        },
        _ => ConfigError::Unreadable {
            file: name.to_owned(),
            source: error,
        },
    })
}
