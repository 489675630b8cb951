//! What things are called where a person reads them who knows nothing of this program.

use crate::report::{Fault, ProbeState, RecoveryPhase};
use crate::timeline::ServiceState;

/// What was done to a pod, as the end of a sentence about it.
pub(in crate::document) fn fault_past(fault: Fault) -> &'static str {
    match fault {
        Fault::Delete => "deleted",
        Fault::ForceDelete => "deleted without time to stop",
        Fault::Evict => "evicted",
        Fault::Kill => "made to end its process",
        Fault::Restart => "restarted",
        Fault::Scale => "scaled to zero and back",
        Fault::Cordon => "evicted from its node, which was closed",
    }
}

/// What is seen of a recovery.
pub(in crate::document) fn phase_title(phase: RecoveryPhase) -> &'static str {
    match phase {
        RecoveryPhase::Accepted => "the fault was accepted",
        RecoveryPhase::Terminating => "the old pod was told to stop",
        RecoveryPhase::Gone => "the old pod was gone",
        RecoveryPhase::Replaced => "a new pod existed",
        RecoveryPhase::Scheduled => "the pod had a node",
        RecoveryPhase::VolumeReady => "its volumes and network were there",
        RecoveryPhase::Started => "its containers ran",
        RecoveryPhase::Ready => "it said that it was ready",
        RecoveryPhase::FirstRightAnswer => "it gave its first right answer",
        RecoveryPhase::AllEqual => "every replica answered alike again",
    }
}

/// A state that strips draw as a pattern of its own.
pub(in crate::document) trait Pattern {
    /// Its class in style sheets.
    fn class(&self) -> &'static str;

    /// What it means.
    fn title(&self) -> &'static str;
}

impl Pattern for ProbeState {
    fn class(&self) -> &'static str {
        match self {
            Self::Right => "right",
            Self::Unknown => "unknown",
            Self::Silent => "silent",
            Self::Failing => "failing",
            Self::Wrong => "wrong",
        }
    }

    fn title(&self) -> &'static str {
        match self {
            Self::Right => "answers right",
            Self::Unknown => "could not be asked",
            Self::Silent => "does not answer",
            Self::Failing => "answers with an error",
            Self::Wrong => "answers with other data",
        }
    }
}

impl Pattern for ServiceState {
    fn class(&self) -> &'static str {
        match self {
            Self::Right => "right",
            Self::Unknown => "unknown",
            Self::Failing => "some",
            Self::Down => "down",
        }
    }

    fn title(&self) -> &'static str {
        match self {
            Self::Right => "answers right",
            Self::Unknown => "could not be asked",
            Self::Failing => "Service: some requests fail",
            Self::Down => "Service: every request fails",
        }
    }
}
