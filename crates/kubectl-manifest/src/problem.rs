//! What is wrong with a text, and where.

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
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProblemKind {
    /// It is neither YAML nor JSON, or uses a form that has no meaning as an object.
    Syntax(String),
    /// One mapping has a key twice, which kubectl would accept, silently taking the last value.
    DuplicateKey {
        /// The line of the first occurrence, where known.
        first_line: Option<usize>,
    },
    /// The budget is spent, and why.
    TooMuchMemory(&'static str),
}
