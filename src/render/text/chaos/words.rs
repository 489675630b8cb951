//! Faults and phases in words.

use crate::report::{Fault, RecoveryPhase};

/// What is being done, to whom: the beginning of an account.
pub(super) fn doing(fault: Fault, pods: &[String]) -> String {
    let whom = whom(pods);
    match fault {
        Fault::Delete => format!("deleting {whom}"),
        Fault::ForceDelete => format!("deleting {whom} without grace"),
        Fault::Evict => format!("evicting {whom}"),
        Fault::Kill => format!("sending SIGTERM to process 1 of {whom}"),
        Fault::Restart => format!("restarting {whom}"),
        Fault::Scale => format!("scaling {whom} away and back"),
        Fault::Cordon => format!("cordoning the node of {whom}, and evicting from it"),
    }
}

/// What was done, to whom.
pub(super) fn done(fault: Fault, pods: &[String]) -> String {
    let whom = whom(pods);
    match fault {
        Fault::Delete => format!("{whom} deleted"),
        Fault::ForceDelete => format!("{whom} deleted without grace"),
        Fault::Evict => format!("{whom} evicted"),
        Fault::Kill => format!("SIGTERM sent to {whom}"),
        Fault::Restart => format!("{whom} restarted"),
        Fault::Scale => format!("{whom} scaled away and back"),
        Fault::Cordon => format!("{whom} evicted from a cordoned node"),
    }
}

fn whom(pods: &[String]) -> String {
    match pods {
        [pod] => pod.clone(),
        several => format!("{} pods", several.len()),
    }
}

/// What is seen in a phase, as a clause.
pub(crate) fn meaning(fault: Fault, phase: RecoveryPhase) -> &'static str {
    match (fault, phase) {
        (_, RecoveryPhase::Accepted) => "the fault was accepted",
        (_, RecoveryPhase::Terminating) => "the old pod is terminating",
        (_, RecoveryPhase::Gone) => "the old pod is gone",
        (_, RecoveryPhase::Replaced) => "a new pod exists",
        (_, RecoveryPhase::Scheduled) => "the new pod has a node",
        (_, RecoveryPhase::VolumeReady) => "the new pod's volumes are mounted",
        (Fault::Kill, RecoveryPhase::Started) => "the container runs again",
        (_, RecoveryPhase::Started) => "the new pod's containers run",
        (Fault::Kill, RecoveryPhase::Ready) => "the pod is Ready again",
        (_, RecoveryPhase::Ready) => "the new pod is Ready",
        (Fault::Kill, RecoveryPhase::FirstRightAnswer) => "the pod answers right again",
        (_, RecoveryPhase::FirstRightAnswer) => "the new pod gave its first right answer",
        (_, RecoveryPhase::AllEqual) => "every replica answers alike again",
    }
}

/// The phases that a fault's recovery goes through.
pub(crate) fn phases(fault: Fault) -> &'static [RecoveryPhase] {
    const OF_A_CONTAINER: [RecoveryPhase; 5] = [
        RecoveryPhase::Accepted,
        RecoveryPhase::Started,
        RecoveryPhase::Ready,
        RecoveryPhase::FirstRightAnswer,
        RecoveryPhase::AllEqual,
    ];
    match fault {
        Fault::Kill => &OF_A_CONTAINER,
        _ => &RecoveryPhase::ALL,
    }
}
