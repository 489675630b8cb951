//! What `up` would change.

use serde::{Deserialize, Serialize};

use crate::action::Action;
use crate::exit::Outcome;
use crate::object::ObjectRef;

/// One object, and how it would change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ObjectDiff {
    /// The object.
    pub object: ObjectRef,
    /// What `up` would do to it.
    pub action: Action,
    /// A unified diff from live to planned, Secret values masked; empty when nothing changes.
    pub patch: String,
}

/// What `up` would change.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DiffReport {
    /// Every object of the set, in the order of the work.
    pub objects: Vec<ObjectDiff>,
}

impl DiffReport {
    /// Same or different; becoming the owner of fields that keep their values is no difference.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        let differs = |diff: &ObjectDiff| {
            matches!(
                diff.action,
                Action::Create | Action::Change | Action::Delete
            )
        };
        if self.objects.iter().any(differs) {
            Outcome::Different
        } else {
            Outcome::Success
        }
    }
}
