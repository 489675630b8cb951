//! One choice about a field, as a flag makes it.

use std::fmt;

/// What a person names a field for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Choice {
    /// It becomes ours.
    Take,
    /// It is left to its manager.
    Yield,
    /// It is in no manifest, and is taken away.
    RevertUndeclared,
}

impl Choice {
    /// Its flag.
    #[must_use]
    pub fn flag(self) -> &'static str {
        match self {
            Self::Take => "--take",
            Self::Yield => "--yield",
            Self::RevertUndeclared => "--revert-undeclared",
        }
    }
}

impl fmt::Display for Choice {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.flag())
    }
}
