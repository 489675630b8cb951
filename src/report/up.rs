//! The report of `up`.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::{DownReport, RolloutReport, SteeringReport};
use crate::action::Action;
use crate::exit::Outcome;
use crate::object::ObjectRef;
use crate::rollout::StuckPod;
use crate::status::{State, Status};

/// One object of the set and what was done to it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Applied {
    /// The object.
    pub object: ObjectRef,
    /// What was done to it.
    pub action: Action,
}

/// An object that `up` waited for, or one without a readiness rule.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Waited {
    /// The object.
    pub object: ObjectRef,
    /// Its last state.
    pub status: Status,
}

/// What `up` applied, and whether it became ready.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct UpReport {
    /// Every object of the set, in apply order.
    pub objects: Vec<Applied>,
    /// The StatefulSets, with their replicas.
    pub rollouts: Vec<RolloutReport>,
    /// The other objects and their last state.
    pub waited: Vec<Waited>,
    /// Whether this was a dry run (`--dry-run`).
    pub dry_run: bool,
    /// What was to be deleted first and is not gone: nothing was applied.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub removed: Option<DownReport>,
    /// What was deleted in the end, because the manifests no longer contain it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pruned: Option<DownReport>,
    /// The pods that were deleted because they blocked a rollout.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unstuck: Vec<StuckPod>,
    /// The rollouts that failed and were undone.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rolled_back: Vec<SteeringReport>,
    /// The plan that was saved instead of being carried out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub saved: Option<SavedTo>,
}

/// Where a plan was saved, and what carries it out.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SavedTo {
    /// The file.
    pub file: PathBuf,
    /// The command that carries it out, in a sentence.
    pub next: String,
}

impl UpReport {
    /// The number of objects with this action.
    #[must_use]
    pub fn count(&self, action: Action) -> usize {
        self.objects
            .iter()
            .filter(|applied| applied.action == action)
            .count()
    }

    /// The objects that were applied without waiting for their health.
    pub fn not_waited_for(&self) -> impl Iterator<Item = &ObjectRef> {
        self.waited
            .iter()
            .filter(|waited| waited.status.state == State::NotWaitedFor)
            .map(|waited| &waited.object)
    }

    /// The worst outcome of all: one failure outweighs any number of undecided objects.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        let rollouts = self.rollouts.iter().map(RolloutReport::outcome);
        let others = self.waited.iter().map(|waited| match waited.status.state {
            State::Failed => Outcome::Unhealthy,
            State::InProgress => Outcome::Undecided,
            State::Ready | State::NotWaitedFor => Outcome::Success,
        });
        let deleted = self.removed.iter().chain(&self.pruned);
        let deleted = deleted.map(DownReport::outcome);
        let outcomes = rollouts.chain(others).chain(deleted);
        let outcomes: Vec<Outcome> = outcomes.collect();
        for worst in [Outcome::Unhealthy, Outcome::Undecided] {
            if outcomes.contains(&worst) {
                return worst;
            }
        }
        Outcome::Success
    }
}
