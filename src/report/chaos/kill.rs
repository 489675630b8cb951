//! One fault, the proof that it happened, and the recovery from it on one clock.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Fault;

/// What a recovery goes through, in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RecoveryPhase {
    /// The API server, or the container, has taken the fault.
    Accepted,
    /// The old pod carries a deletion time.
    Terminating,
    /// The old pod is gone.
    Gone,
    /// A pod of the same name with another UID exists.
    Replaced,
    /// The new pod has a node.
    Scheduled,
    /// The new pod's volumes are mounted and its network is there.
    VolumeReady,
    /// The new run of the pod's containers has started.
    Started,
    /// The pod is Ready.
    Ready,
    /// The pod gave its first right answer.
    FirstRightAnswer,
    /// Every replica answers, and all alike, as before the fault.
    AllEqual,
}

impl RecoveryPhase {
    /// Every phase, in order.
    pub const ALL: [Self; 10] = [
        Self::Accepted,
        Self::Terminating,
        Self::Gone,
        Self::Replaced,
        Self::Scheduled,
        Self::VolumeReady,
        Self::Started,
        Self::Ready,
        Self::FirstRightAnswer,
        Self::AllEqual,
    ];

    /// Its name in JSON.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Terminating => "terminating",
            Self::Gone => "gone",
            Self::Replaced => "replaced",
            Self::Scheduled => "scheduled",
            Self::VolumeReady => "volume_ready",
            Self::Started => "started",
            Self::Ready => "ready",
            Self::FirstRightAnswer => "first_right_answer",
            Self::AllEqual => "all_equal",
        }
    }

    /// Its name wherever a person reads it: that in JSON, as words.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::VolumeReady => "volume ready",
            Self::FirstRightAnswer => "first right answer",
            Self::AllEqual => "all equal",
            other => other.name(),
        }
    }
}

/// One fault, as one pod lived through it. A fault that takes several pods has one entry for each.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Kill {
    /// The number of the fault in the experiment, from 1.
    pub number: u32,
    /// What was done.
    pub fault: Fault,
    /// The pod's name.
    pub pod: String,
    /// When the fault was sent, in milliseconds since the run began.
    pub at_ms: u64,
    /// The UID of the pod that was hit.
    pub uid_before: String,
    /// The UID of the pod that has this name afterwards.
    pub uid_after: Option<String>,
    /// Restarts of its containers when it was hit.
    pub restarts_before: i32,
    /// Restarts of its containers afterwards.
    pub restarts_after: Option<i32>,
    /// What proves that the fault happened, as a clause; without it nothing is proven.
    pub proof: Option<String>,
    /// Why the fault was not carried out, when it was refused.
    pub refused: Option<String>,
    /// When each phase was seen, in milliseconds since the fault was sent.
    pub phases: BTreeMap<RecoveryPhase, u64>,
    /// The longest time without a right answer of this replica since the fault, in milliseconds;
    /// `None` when it never answered right again.
    pub outage_ms: Option<u64>,
    /// Answers with other content than before, from any replica, since the fault.
    pub wrong_answers: u64,
}
