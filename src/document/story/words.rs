//! What things are called where a person reads them who knows nothing of this program.

use crate::report::{Fault, ProbeState, RecoveryPhase};

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

/// What a replica does in a state.
pub(in crate::document) fn state_title(state: ProbeState) -> &'static str {
    match state {
        ProbeState::Right => "answers right",
        ProbeState::Wrong => "answers with other data",
        ProbeState::Failing => "answers with an error",
        ProbeState::Silent => "does not answer",
        ProbeState::Unknown => "could not be asked",
    }
}
