//! What was left behind by an experiment, and undone.

use serde::{Deserialize, Serialize};

use crate::exit::Outcome;
use crate::object::ObjectRef;

/// An object that was restored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Restored {
    /// The object.
    pub object: ObjectRef,
    /// What was done to it, as the end of a sentence.
    pub what: String,
}

/// What was left behind by an experiment, and undone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RestoreReport {
    /// The workload.
    pub object: ObjectRef,
    /// Everything that was undone; nothing when nothing was left behind.
    pub restored: Vec<Restored>,
}

impl RestoreReport {
    /// The outcome: whatever was left behind has been undone.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        Outcome::Success
    }
}
