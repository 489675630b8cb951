//! The report of each command: its results and the outcome that follows.
//!
//! Everything here is a pure function of the observations. The last JSON line of a run carries one of
//! these reports.

mod chaos;
mod diff;
mod down;
mod restore;
mod rollout;
mod steering;
mod up;
mod verify;

use serde::{Deserialize, Serialize};

pub use self::chaos::{
    Availability, ChaosReport, ChaosVerdict, Compared, DataProof, Disturbance, Experiment,
    ExperimentSettings, FaultRecord, Observed, Percentiles, ProbeCounts, ProbeState, Prober,
    RecoveryPhase, Remade, ReplicaAvailability, Selection, ServiceAvailability,
};
pub use self::diff::{BlamedLine, DiffReport, DiffView, ObjectDiff};
pub use self::down::{DownReport, Held, Kept};
pub use self::restore::{RestoreReport, Restored};
pub use self::rollout::RolloutReport;
pub use self::steering::{HistoryReport, Steered, SteeringReport};
pub use self::up::{Applied, SavedTo, UpReport, Waited};
pub use self::verify::{
    AnswerGroup, Baseline, BaselineAnswer, BaselineMismatch, Certainty, Content, Contents,
    Difference, Endpoint, Evidence, Excerpt, Finding, FindingKind, Problem, ReplicaAnswer, Rounds,
    Transport, VerifyReport, replicas_in_words,
};

use crate::exit::Outcome;

/// The report of any command that has one.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "command", rename_all = "snake_case")]
pub enum Report {
    /// What `up` did.
    Up(UpReport),
    /// What `diff` found.
    Diff(DiffReport),
    /// Where a rollout stands.
    Rollout(RolloutReport),
    /// The revisions of a workload.
    History(HistoryReport),
    /// How a rollout was changed.
    Steering(Box<SteeringReport>),
    /// The answers of every replica.
    Verify(VerifyReport),
    /// Whether a workload survived an experiment.
    Chaos(Box<ChaosReport>),
    /// What was undone after an experiment.
    Restore(RestoreReport),
    /// What `down` did.
    Down(DownReport),
    /// The logs have ended.
    Logs {
        /// The pods whose logs were read.
        pods: Vec<String>,
        /// The pods whose logs could not be read, and why.
        unread: Vec<String>,
    },
}

impl Report {
    /// The outcome of the report.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        match self {
            Self::Up(report) => report.outcome(),
            Self::Diff(report) => report.outcome(),
            Self::Rollout(report) => report.outcome(),
            Self::History(_) => Outcome::Success,
            Self::Steering(report) => report.outcome(),
            Self::Verify(report) => report.outcome(),
            Self::Chaos(report) => report.outcome(),
            Self::Restore(report) => report.outcome(),
            Self::Down(report) => report.outcome(),
            Self::Logs { unread, .. } => {
                if unread.is_empty() {
                    Outcome::Success
                } else {
                    Outcome::Undecided
                }
            }
        }
    }
}
