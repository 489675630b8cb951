//! The report of `chaos --restore`.

use serde::{Deserialize, Serialize};

use crate::exit::Outcome;
use crate::object::ObjectRef;

/// An object that was restored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Restored {
    /// The object.
    pub object: ObjectRef,
    /// What was done to it, as a phrase.
    pub what: String,
}

/// What an experiment left behind and `chaos --restore` undid.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RestoreReport {
    /// The workload.
    pub object: ObjectRef,
    /// The restored objects; empty if nothing was left behind.
    pub restored: Vec<Restored>,
}

impl RestoreReport {
    /// The outcome: always success, because failures are errors.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        Outcome::Success
    }
}
