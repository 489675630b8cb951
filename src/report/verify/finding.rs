//! What speaks against a workload, or against the proof.

use serde::{Deserialize, Serialize};

use super::problem::Certainty;

/// What kind of thing a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FindingKind {
    /// One replica's answer is wrong or unknown: its `error` says how.
    Replica,
    /// A pod that matches the selector and should not exist.
    ExtraPod,
    /// A pod that matches the selector and should not exist, and is on its way out.
    TerminatingPod,
    /// The workload itself was changed while its replicas were asked.
    WorkloadChanged,
    /// All replicas agree on other data than the baseline.
    Regenerated,
    /// Some replicas still serve the baseline, others something else.
    StaleReplica,
    /// All replicas agree on nothing, or one has nothing where others have something.
    Empty,
    /// An answer is only the beginning of another one, or of the baseline.
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
    /// What a finding of this kind makes of the verdict by itself; `None` when the replica's own
    /// problem decides.
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

/// Something that speaks against the workload, or against the proof.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// What kind of thing it is.
    pub kind: FindingKind,
    /// The offset of the first byte that differs, where it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_difference: Option<u64>,
    /// The pod concerned, unless it is all of them.
    pub pod: Option<String>,
    /// A sentence.
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
