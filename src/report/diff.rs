//! The report of `diff`.

use serde::{Deserialize, Serialize};

use crate::action::Action;
use crate::exit::Outcome;
use crate::fields::Settlement;
use crate::object::ObjectRef;

/// One object and how it would change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ObjectDiff {
    /// The object.
    pub object: ObjectRef,
    /// What `up` would do to it.
    pub action: Action,
    /// A unified diff from live to planned, Secret values masked; empty when nothing changes.
    pub patch: String,
    /// What is done about fields that other managers own.
    #[serde(flatten)]
    pub settlement: Settlement,
}

/// The changes that `up` would make.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DiffReport {
    /// Every object of the set, in apply order.
    pub objects: Vec<ObjectDiff>,
}

impl DiffReport {
    /// Same or different; a change of field ownership alone is no difference.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        let differs = |diff: &ObjectDiff| {
            // A conflict over equal values is one: `up` would be refused.
            !diff.settlement.conflicts.is_empty()
                || matches!(
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
