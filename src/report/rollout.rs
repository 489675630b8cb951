//! The report of `rollout status`.

use serde::{Deserialize, Serialize};

use crate::exit::Outcome;
use crate::object::ObjectRef;
use crate::rollout::{RolloutProgress, RolloutState};

/// The last state of a rollout that was watched.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RolloutReport {
    /// The workload.
    pub object: ObjectRef,
    /// Its last state.
    pub progress: RolloutProgress,
    /// Milliseconds from the start of the watch to the verdict.
    pub duration_ms: u64,
}

impl RolloutReport {
    /// Success if complete, unhealthy if failed, undecided if the deadline passed first.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        match self.progress.state {
            RolloutState::Complete => Outcome::Success,
            RolloutState::Failed { .. } => Outcome::Unhealthy,
            RolloutState::Progressing { .. } => Outcome::Undecided,
        }
    }
}
