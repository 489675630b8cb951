//! Errors of the configuration file.

use std::io;
use std::path::PathBuf;

use kubectl_manifest::Problem;
use thiserror::Error;

/// The configuration file cannot be used.
#[derive(Debug, Error)]
pub enum ConfigError {
    /// It does not exist or cannot be read.
    #[error("cannot read the configuration file `{}`", .file.display())]
    Unreadable {
        /// The file.
        file: PathBuf,
        /// The error of the operating system.
        source: io::Error,
    },
    /// It is too long.
    #[error("the configuration file `{}` exceeds {limit} bytes", .file.display())]
    TooLarge {
        /// The file.
        file: PathBuf,
        /// The limit in bytes.
        limit: u64,
    },
    /// It is not text.
    #[error("the configuration file `{}` is not text in UTF-8", .file.display())]
    NotText {
        /// The file.
        file: PathBuf,
    },
    /// Its contents are wrong: all problems at once, by line.
    #[error("{}", lines(.file, .problems))]
    Invalid {
        /// The file.
        file: PathBuf,
        /// The problems; never empty.
        problems: Vec<ConfigProblem>,
    },
}

/// One problem in the file's contents.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigProblem {
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
    /// The affected key, and what is expected.
    pub message: String,
}

impl From<Problem> for ConfigProblem {
    fn from(problem: Problem) -> Self {
        Self {
            line: problem.line,
            column: problem.column,
            message: problem.kind.to_string(),
        }
    }
}

impl ConfigError {
    /// Every problem on its own, with its file and line.
    #[must_use]
    pub fn problems(&self) -> Vec<String> {
        match self {
            Self::Invalid { file, problems } => problems
                .iter()
                .map(|problem| {
                    let ConfigProblem {
                        line,
                        column,
                        message,
                    } = problem;
                    format!("{}:{line}:{column}: {message}", file.display())
                })
                .collect(),
            other => vec![other.to_string()],
        }
    }
}

fn lines(file: &std::path::Path, problems: &[ConfigProblem]) -> String {
    ConfigError::Invalid {
        file: file.to_owned(),
        problems: problems.to_vec(),
    }
    .problems()
    .join("\n")
}
