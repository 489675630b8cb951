//! What `down` took away, and what it left.

use serde::{Deserialize, Serialize};

use crate::exit::Outcome;
use crate::object::ObjectRef;

/// An object that was left in place on purpose.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kept {
    /// The object.
    pub object: ObjectRef,
    /// Why, as a sentence.
    pub reason: String,
}

/// What `down` took away, and what it left.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DownReport {
    /// Deleted, and seen to be gone.
    pub deleted: Vec<ObjectRef>,
    /// Deleted, but not gone when the deadline passed.
    pub remaining: Vec<ObjectRef>,
    /// Not there to begin with.
    pub absent: Vec<ObjectRef>,
    /// Left in place on purpose.
    pub kept: Vec<Kept>,
}

impl DownReport {
    /// Success once everything that should go is gone.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        if self.remaining.is_empty() {
            Outcome::Success
        } else {
            Outcome::Undecided
        }
    }
}
