//! What `up` did, and what became of it.

use serde::{Deserialize, Serialize};

use super::RolloutReport;
use crate::action::Action;
use crate::exit::Outcome;
use crate::object::ObjectRef;
use crate::status::{State, Status};

/// One object of the set, and what was done to it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Applied {
    /// The object.
    pub object: ObjectRef,
    /// What was done to it.
    pub action: Action,
}

/// An object that was waited for, or that has no rule to be waited for by.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Waited {
    /// The object.
    pub object: ObjectRef,
    /// Its last state.
    pub status: Status,
}

/// What `up` did, and what became of it.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct UpReport {
    /// Every object of the set, in the order of the work.
    pub objects: Vec<Applied>,
    /// The StatefulSets, with their replicas.
    pub rollouts: Vec<RolloutReport>,
    /// The other objects and their last state.
    pub waited: Vec<Waited>,
    /// Whether this was a rehearsal (`--dry-run`).
    pub dry_run: bool,
}

impl UpReport {
    /// The number of objects to which `action` was done.
    #[must_use]
    pub fn count(&self, action: Action) -> usize {
        self.objects
            .iter()
            .filter(|applied| applied.action == action)
            .count()
    }

    /// The objects that were applied, but whose health nobody waited for.
    pub fn not_waited_for(&self) -> impl Iterator<Item = &ObjectRef> {
        self.waited
            .iter()
            .filter(|waited| waited.status.state == State::NotWaitedFor)
            .map(|waited| &waited.object)
    }

    /// The worst of what was waited for: one failure outweighs any number of open ends.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        let rollouts = self.rollouts.iter().map(RolloutReport::outcome);
        let others = self.waited.iter().map(|waited| match waited.status.state {
            State::Failed => Outcome::Unhealthy,
            State::InProgress => Outcome::Undecided,
            State::Ready | State::NotWaitedFor => Outcome::Success,
        });
        let outcomes: Vec<Outcome> = rollouts.chain(others).collect();
        for worst in [Outcome::Unhealthy, Outcome::Undecided] {
            if outcomes.contains(&worst) {
                return worst;
            }
        }
        Outcome::Success
    }
}
