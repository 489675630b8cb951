//! Describes recovery phases.

use crate::fault::{Fault, Proof};
use crate::report::RecoveryPhase;

/// The meaning of a phase, as a clause.
pub(crate) fn meaning(fault: Fault, phase: RecoveryPhase) -> &'static str {
    match (fault.facts().proof, phase) {
        (_, RecoveryPhase::Accepted) => "the fault was accepted",
        (_, RecoveryPhase::Terminating) => "the old pod is terminating",
        (_, RecoveryPhase::Gone) => "the old pod is gone",
        (_, RecoveryPhase::Replaced) => "a new pod exists",
        (_, RecoveryPhase::Scheduled) => "the new pod has a node",
        (_, RecoveryPhase::VolumeReady) => "the new pod's volumes are mounted",
        (Proof::Restart, RecoveryPhase::Started) => "the container is running again",
        (_, RecoveryPhase::Started) => "the new pod's containers are running",
        (Proof::Restart, RecoveryPhase::Ready) => "the pod is Ready again",
        (_, RecoveryPhase::Ready) => "the new pod is Ready",
        (Proof::Restart, RecoveryPhase::FirstRightAnswer) => "the pod gives the right answer again",
        (_, RecoveryPhase::FirstRightAnswer) => "the new pod gave its first right answer",
        (_, RecoveryPhase::AllEqual) => "every replica gives the same answer again",
    }
}

/// The phases of a fault's recovery.
pub(crate) fn phases(fault: Fault) -> &'static [RecoveryPhase] {
    const OF_A_CONTAINER: [RecoveryPhase; 5] = [
        RecoveryPhase::Accepted,
        RecoveryPhase::Started,
        RecoveryPhase::Ready,
        RecoveryPhase::FirstRightAnswer,
        RecoveryPhase::AllEqual,
    ];
    match fault.facts().proof {
        Proof::Restart => &OF_A_CONTAINER,
        Proof::NewPod => &RecoveryPhase::ALL,
    }
}
