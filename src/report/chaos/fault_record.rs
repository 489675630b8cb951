//! One fault, the proof that it hit its target, and the recovery, on one clock.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::fault::Fault;

/// The phases of a recovery, in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RecoveryPhase {
    /// The API server or the container accepted the fault.
    Accepted,
    /// The old pod has a deletion time.
    Terminating,
    /// The old pod is gone.
    Gone,
    /// A pod with the same name and a different UID exists.
    Replaced,
    /// The new pod has a node.
    Scheduled,
    /// The new pod's volumes are mounted and its network is ready.
    VolumeReady,
    /// The new containers have started.
    Started,
    /// The pod is Ready.
    Ready,
    /// The pod gave its first right answer.
    FirstRightAnswer,
    /// Every replica gives the same answer as before the fault.
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

    /// Its name for people: the JSON name in words.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::VolumeReady => "volume ready",
            Self::FirstRightAnswer => "first right answer",
            Self::AllEqual => "all equal",
            other => other.name(),
        }
    }

    /// Whether a pod that shows another phase has passed this one. From `Started` on, phases have no order:
    /// a replica may answer before it is Ready.
    #[must_use]
    pub fn is_implied_by(self, other: Self) -> bool {
        self <= Self::Started && other > self
    }

    /// How many pods reached this phase, and the number of all pods; `None` if all reached it.
    #[must_use]
    pub fn reach(self, faults: &[FaultRecord]) -> Option<(usize, usize)> {
        let broken = faults.iter().filter(|record| record.refused.is_none());
        let reached = broken
            .clone()
            .filter(|record| record.has_reached(self))
            .count();
        let all = broken.count();
        (reached < all).then_some((reached, all))
    }
}

/// One fault on one target. A fault with several targets has one entry for each.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FaultRecord {
    /// The number of the fault in the experiment, from 1.
    pub number: u32,
    /// The fault.
    pub fault: Fault,
    /// The pod's name.
    pub pod: String,
    /// When the fault was sent, in milliseconds since the start of the run.
    pub at_ms: u64,
    /// The UID of the target before the fault.
    pub uid_before: String,
    /// The UID of the pod with this name afterwards.
    pub uid_after: Option<String>,
    /// Restarts of its containers before the fault.
    pub restarts_before: i32,
    /// Restarts of its containers afterwards.
    pub restarts_after: Option<i32>,
    /// The proof that the fault hit its target, as a clause; `None` if unproven.
    pub proof: Option<String>,
    /// Why the fault was refused, if it was.
    pub refused: Option<String>,
    /// When each phase was seen, in milliseconds since the fault was sent.
    pub phases: BTreeMap<RecoveryPhase, u64>,
    /// The longest outage of this replica since the fault, in milliseconds; `None` if it never gave a
    /// right answer again.
    pub outage_ms: Option<u64>,
    /// Answers with different content since the fault, from any replica.
    pub wrong_answers: u64,
}

impl FaultRecord {
    /// Whether this phase was seen, or a later one that implies it.
    fn has_reached(&self, phase: RecoveryPhase) -> bool {
        let mut seen = self.phases.keys();
        seen.any(|seen| *seen == phase || phase.is_implied_by(*seen))
    }
}

#[cfg(test)]
mod tests {
    use super::RecoveryPhase::{AllEqual, Gone, Replaced, Terminating};
    use super::*;

    #[test]
    fn what_only_some_pods_reached_is_counted() {
        let record = |phases: &[RecoveryPhase], refused: Option<&str>| FaultRecord {
            number: 1,
            fault: Fault::Scale,
            pod: "web-0".into(),
            at_ms: 0,
            uid_before: "a".into(),
            uid_after: None,
            restarts_before: 0,
            restarts_after: None,
            proof: None,
            refused: refused.map(str::to_owned),
            phases: phases.iter().map(|phase| (*phase, 1)).collect(),
            outage_ms: None,
            wrong_answers: 0,
        };
        let faults = [
            record(&[Terminating, Replaced], None),
            record(&[Terminating], None),
            record(&[], Some("forbidden")),
        ];
        assert_eq!(Terminating.reach(&faults), None);
        assert_eq!(Gone.reach(&faults), Some((1, 2)), "one is passed it unseen");
        assert_eq!(AllEqual.reach(&faults), Some((0, 2)));
    }
}
