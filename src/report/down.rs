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

/// An object whose deletion was accepted, and that something keeps.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Held {
    /// The object.
    pub object: ObjectRef,
    /// What keeps it, a clause each, as far as it could be seen.
    pub by: Vec<String>,
}

/// What `down` took away, and what it left.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DownReport {
    /// Deleted, and seen to be gone.
    pub deleted: Vec<ObjectRef>,
    /// Deleted, but not gone when the deadline passed.
    pub remaining: Vec<ObjectRef>,
    /// What keeps each of those.
    #[serde(default)]
    pub held: Vec<Held>,
    /// Not deleted, since what goes before them was still there when the deadline passed.
    #[serde(default)]
    pub not_deleted: Vec<ObjectRef>,
    /// Not there to begin with.
    pub absent: Vec<ObjectRef>,
    /// Left in place on purpose.
    pub kept: Vec<Kept>,
}

impl DownReport {
    /// Whether everything that was to be deleted so far is gone.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.remaining.is_empty() && self.not_deleted.is_empty()
    }

    /// Takes note of an object that was deleted and is still there.
    pub fn remain(&mut self, held: Held) {
        self.remaining.push(held.object.clone());
        self.held.push(held);
    }

    /// Success once everything that should go is gone.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        if self.is_complete() {
            Outcome::Success
        } else {
            Outcome::Undecided
        }
    }
}
