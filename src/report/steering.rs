//! The reports of the subcommands of `rollout` that look back, or that change how a rollout goes on.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::RolloutReport;
use crate::exit::Outcome;
use crate::fields::FieldChange;
use crate::object::ObjectRef;
use crate::rollout::{Revision, StuckPod};

/// The revisions of a workload.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct HistoryReport {
    /// The workload.
    pub object: ObjectRef,
    /// Its revisions, the oldest first.
    pub revisions: Vec<Revision>,
}

/// How a rollout was changed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "steered", rename_all = "snake_case")]
pub enum Steered {
    /// The pod template of an earlier revision is back.
    Undone {
        /// The number that the revision had.
        revision: i64,
        /// Its name.
        name: String,
        /// What changed in the template.
        changes: Vec<FieldChange>,
    },
    /// There is no template to go back to.
    NotUndone {
        /// Why not.
        reason: String,
    },
    /// All pods are replaced.
    Restarted,
    /// No replica is updated any more.
    Paused {
        /// The number of replicas.
        replicas: i32,
    },
    /// Replicas are updated again.
    Resumed {
        /// The number of replicas, from the first ordinal on, that keep their revision as before the pause.
        partition: i32,
    },
    /// Pods that blocked the rollout were deleted.
    Unstuck,
    /// There was nothing to do.
    Nothing {
        /// Why, as a clause after the workload's name.
        reason: String,
    },
}

/// What a subcommand of `rollout` has changed, and the rollout that followed.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SteeringReport {
    /// The workload.
    pub object: ObjectRef,
    /// How its rollout was changed.
    #[serde(flatten)]
    pub steered: Steered,
    /// The pods that were deleted because they blocked the rollout.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unstuck: Vec<StuckPod>,
    /// The folder with what was seen before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evidence: Option<PathBuf>,
    /// The rollout that followed; `None` if it was not waited for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rollout: Option<RolloutReport>,
}

impl SteeringReport {
    /// The outcome of the rollout that followed.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        let rollout = self.rollout.as_ref();
        rollout.map_or(Outcome::Success, RolloutReport::outcome)
    }
}
