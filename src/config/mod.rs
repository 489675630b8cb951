//! The configuration file: what holds for everybody who works in a folder.
//!
//! [`load`] touches the file system; [`parse`] is a pure function of the text. Nothing is
//! taken silently: a key that is not known, a value of another kind and a contradiction are errors,
//! and each names its file, line and key.

mod error;
mod pattern;
mod read;
mod schema;
#[cfg(test)]
mod tests;
mod tree;

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

pub use self::error::{ConfigError, ConfigProblem};
pub use self::pattern::NamePattern;

use crate::expectation::Expectation;
use crate::fault::Fault;
use crate::file;

/// The file that counts in the folder where the command was started.
pub const FILE_NAME: &str = "cryptoctl.yaml";

/// The largest file that is read, in bytes.
const LARGEST: u64 = 1 << 20;

/// What a configuration file says; without a file, nothing.
#[derive(Debug, Clone, Default)]
pub struct Config {
    /// Where it was read from, as errors name it.
    pub file: Option<PathBuf>,
    /// Contexts in which nothing is changed unless their name is typed.
    pub protected_contexts: Vec<ProtectedContext>,
    /// The StatefulSet to work on, when the command line names none.
    pub workload: Option<String>,
    /// What every replica is expected to answer; empty when the file does not say.
    pub endpoints: Vec<Expectation>,
    /// The bounds of a verification.
    pub verify: VerifyConfig,
    /// The experiment.
    pub chaos: ChaosConfig,
}

/// A context in which nothing is changed unless its name is typed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProtectedContext {
    /// Its name, or many.
    pub pattern: NamePattern,
    /// The line that says so.
    pub line: usize,
}

/// The bounds of a verification.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct VerifyConfig {
    /// Replicas that are asked at once, at most.
    pub concurrency: Option<usize>,
    /// The largest body that is read, in bytes.
    pub largest_body: Option<u64>,
    /// The time for one answer.
    pub answer_time: Option<Duration>,
}

/// An experiment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ChaosConfig {
    /// The fault.
    pub fault: Option<Fault>,
    /// Whose turn it is.
    pub turn: Option<Turn>,
    /// The number of faults.
    pub repeat: Option<u32>,
    /// The pause between a recovery and the next fault.
    pub pause: Option<Duration>,
    /// The time between two probes of a replica.
    pub probe_interval: Option<Duration>,
    /// The longest outage of any replica that is acceptable.
    pub max_outage: Option<Duration>,
    /// The longest recovery that is acceptable.
    pub max_recovery: Option<Duration>,
}

/// Whose turn it is, as it was chosen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Turn {
    /// One pod by name.
    Pod(String),
    /// Every pod, by ordinal.
    AllInTurn,
    /// One pod drawn for each fault.
    Random {
        /// The seed; drawn as well, when it was not given.
        seed: Option<u64>,
    },
}

impl Config {
    /// The entry that protects a context; a run inside a cluster has a context without a name.
    #[must_use]
    pub fn protects(&self, context: Option<&str>) -> Option<&ProtectedContext> {
        let name = context.unwrap_or_default();
        self.protected_contexts
            .iter()
            .find(|entry| entry.pattern.matches(name))
    }
}

/// Reads the file that was named, or the folder's own when there is one.
///
/// # Errors
/// [`ConfigError`], also when a file that was named does not exist.
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

/// What a text says; the file's name is for errors.
///
/// # Errors
/// [`ConfigError::Invalid`], with everything that is wrong.
pub fn parse(file: &Path, text: &str) -> Result<Config, ConfigError> {
    let invalid = |problems| ConfigError::Invalid {
        file: file.to_owned(),
        problems,
    };
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let Some(root) = tree::parse(text).map_err(|problem| invalid(vec![problem]))? else {
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

/// Every key that a file may have, for documents.
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
