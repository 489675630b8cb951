//! What is wrong with a text, and where.

use thiserror::Error;

/// Something wrong with a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// What.
    pub kind: ProblemKind,
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
}

/// What is wrong; no text is ever quoted, since it may be a Secret.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ProblemKind {
    /// It is neither YAML nor JSON, or uses a form that has no meaning as an object.
    #[error("{0}")]
    Syntax(String),
    /// One mapping has a key twice, which kubectl would accept, silently taking the last value.
    #[error(
        "this key was already given{}; kubectl would silently take the last value",
        first_line.map(|line| format!(" in line {line}")).unwrap_or_default()
    )]
    DuplicateKey {
        /// The line of the first occurrence, where known.
        first_line: Option<usize>,
    },
    /// The budget is spent, and why.
    #[error("{0}")]
    TooMuchMemory(&'static str),
}
