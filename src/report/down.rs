//! The report of `down`.

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

/// An object whose deletion was accepted but is held up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Held {
    /// The object.
    pub object: ObjectRef,
    /// What holds it up, one clause each, as far as known.
    pub by: Vec<String>,
}

/// What `down` deleted and what it left.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DownReport {
    /// Deleted and confirmed gone.
    pub deleted: Vec<ObjectRef>,
    /// Deleted, but not gone when the deadline passed.
    pub remaining: Vec<ObjectRef>,
    /// What holds up each of those.
    #[serde(default)]
    pub held: Vec<Held>,
    /// Not deleted, because the objects before them were not gone when the deadline passed.
    #[serde(default)]
    pub not_deleted: Vec<ObjectRef>,
    /// Not there to begin with.
    pub absent: Vec<ObjectRef>,
    /// Left in place on purpose.
    pub kept: Vec<Kept>,
}

impl DownReport {
    /// Whether everything deleted so far is gone.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.remaining.is_empty() && self.not_deleted.is_empty()
    }

    /// Notes an object that was deleted but is not gone.
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
