//! Findings: the problems of a workload or of the proof.

use serde::{Deserialize, Serialize};

use super::problem::Certainty;

/// The kind of a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FindingKind {
    /// One replica's answer is wrong or unknown; its `error` has the details.
    Replica,
    /// A pod matches the selector but should not exist.
    ExtraPod,
    /// A pod matches the selector but should not exist; it is terminating.
    TerminatingPod,
    /// The workload was changed during the verification.
    WorkloadChanged,
    /// All replicas agree, but their data differs from the baseline.
    Regenerated,
    /// Some replicas still serve the baseline, others serve different data.
    StaleReplica,
    /// All replicas serve nothing, or one serves nothing although others serve data.
    Empty,
    /// An answer is only the beginning of another answer or of the baseline.
    Partial,
    /// One replica differs from all others, which agree.
    OneDiffers,
    /// No two replicas agree.
    AllDiffer,
    /// The replicas fall into several groups.
    Differ,
    /// The same bytes with different content types.
    ContentTypes,
}

impl FindingKind {
    /// How certain a finding of this kind makes the verdict; `None` if the replica's own problem decides.
    #[must_use]
    pub fn certainty(self) -> Option<Certainty> {
        match self {
            Self::Replica => None,
            Self::TerminatingPod | Self::WorkloadChanged => Some(Certainty::Unknown),
            Self::ExtraPod
            | Self::Regenerated
            | Self::StaleReplica
            | Self::Empty
            | Self::Partial
            | Self::OneDiffers
            | Self::AllDiffer
            | Self::Differ
            | Self::ContentTypes => Some(Certainty::Wrong),
        }
    }
}

/// A problem of the workload or of the proof.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// Its kind.
    pub kind: FindingKind,
    /// The offset of the first different byte, if known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_difference: Option<u64>,
    /// The pod, if it concerns only one.
    pub pod: Option<String>,
    /// The finding as a sentence.
    pub message: String,
}

impl Finding {
    /// A finding about the workload as a whole.
    #[must_use]
    pub fn of_all(kind: FindingKind, message: String) -> Self {
        Self {
            kind,
            first_difference: None,
            pod: None,
            message,
        }
    }

    /// A finding about one pod.
    #[must_use]
    pub fn of_pod(kind: FindingKind, pod: &str, message: String) -> Self {
        Self {
            pod: Some(pod.to_owned()),
            ..Self::of_all(kind, message)
        }
    }
}
