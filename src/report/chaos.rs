//! What became of a workload that was broken on purpose.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::VerifyReport;
use crate::diagnose::{Diagnosis, Finality};
use crate::exit::Outcome;
use crate::object::ObjectRef;

/// What a recovery goes through, in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RecoveryPhase {
    /// The old pod carries a deletion time.
    Terminating,
    /// The old pod is gone.
    Gone,
    /// A pod of the same name with another UID exists.
    Replaced,
    /// The new pod has a node.
    Scheduled,
    /// The new pod's containers run.
    Started,
    /// The new pod is Ready.
    Ready,
}

/// One fault, and the proof that it happened.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Kill {
    /// What was done, such as `delete`.
    pub fault: String,
    /// The pod's name.
    pub pod: String,
    /// The UID of the pod that was deleted.
    pub uid_before: String,
    /// The UID of the pod that took its place; without it nothing is proven.
    pub uid_after: Option<String>,
    /// When each phase was seen, in milliseconds since the fault was accepted.
    pub phases: BTreeMap<RecoveryPhase, u64>,
}

/// What the data was before and after.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DataProof {
    /// The SHA-256 on which all replicas agreed before the fault.
    pub before_sha256: Option<String>,
    /// The SHA-256 on which all replicas agreed after it.
    pub after_sha256: Option<String>,
    /// Whether the two are equal; `None` when one of them is not known.
    pub preserved: Option<bool>,
}

/// The answer to "did it survive?"
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChaosVerdict {
    /// Broken for certain, recovered, and the data is the same.
    Survived,
    /// It did not recover, or the data is not the same.
    Failed,
    /// It was not broken: it did not serve one answer to begin with.
    Refused,
    /// The evidence is not enough for either.
    Inconclusive,
}

/// What became of a workload that was broken on purpose.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ChaosReport {
    /// The workload.
    pub object: ObjectRef,
    /// The verification before the fault.
    pub before: VerifyReport,
    /// The faults.
    pub kills: Vec<Kill>,
    /// The verification after the recovery.
    pub after: Option<VerifyReport>,
    /// The data before and after.
    pub data: DataProof,
    /// Why it did not recover.
    pub cause: Option<Diagnosis>,
    /// The answer.
    pub verdict: ChaosVerdict,
    /// Why, one sentence each.
    pub reasons: Vec<String>,
}

impl ChaosReport {
    /// Weighs what was seen. `cause` is why the workload did not recover, when that is known.
    #[must_use]
    pub fn new(
        before: VerifyReport,
        kills: Vec<Kill>,
        after: Option<VerifyReport>,
        cause: Option<Diagnosis>,
    ) -> Self {
        let data = data(&before, after.as_ref());
        let (verdict, reasons) = weigh(&before, &kills, after.as_ref(), cause.as_ref(), &data);
        Self {
            object: before.object.clone(),
            before,
            kills,
            after,
            data,
            cause,
            verdict,
            reasons,
        }
    }

    /// The outcome; a refusal takes that of the verification that caused it.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        match self.verdict {
            ChaosVerdict::Survived => Outcome::Success,
            ChaosVerdict::Failed => Outcome::Unhealthy,
            ChaosVerdict::Inconclusive => Outcome::Undecided,
            ChaosVerdict::Refused => match self.before.verdict {
                Outcome::Unhealthy => Outcome::Unhealthy,
                _ => Outcome::Undecided,
            },
        }
    }
}

fn data(before: &VerifyReport, after: Option<&VerifyReport>) -> DataProof {
    let before_sha256 = before.agreed_sha256().map(str::to_owned);
    let after_sha256 = after
        .and_then(VerifyReport::agreed_sha256)
        .map(str::to_owned);
    let preserved = before_sha256
        .as_ref()
        .zip(after_sha256.as_ref())
        .map(|(old, new)| old == new);
    DataProof {
        before_sha256,
        after_sha256,
        preserved,
    }
}

fn weigh(
    before: &VerifyReport,
    kills: &[Kill],
    after: Option<&VerifyReport>,
    cause: Option<&Diagnosis>,
    data: &DataProof,
) -> (ChaosVerdict, Vec<String>) {
    if kills.is_empty() {
        let reason = format!(
            "nothing was broken, because before the fault {}",
            before.summary
        );
        return (ChaosVerdict::Refused, vec![reason]);
    }
    if data.preserved == Some(false) {
        let reason = "every replica serves other data than before the fault".to_owned();
        return (ChaosVerdict::Failed, vec![reason]);
    }
    if let Some(cause) = cause.filter(|cause| cause.finality == Finality::Final) {
        return (ChaosVerdict::Failed, vec![cause.message.clone()]);
    }
    let unproven: Vec<String> = kills
        .iter()
        .filter(|kill| kill.uid_after.is_none())
        .map(|kill| format!("`{}` was never seen with a new UID", kill.pod))
        .collect();
    let suspicion = cause.map(|cause| cause.message.clone());
    if !unproven.is_empty() {
        return (
            ChaosVerdict::Inconclusive,
            unproven.into_iter().chain(suspicion).collect(),
        );
    }
    match after {
        None => {
            let reason = "the workload had not recovered when the deadline passed".to_owned();
            (
                ChaosVerdict::Inconclusive,
                std::iter::once(reason).chain(suspicion).collect(),
            )
        }
        Some(after) => match (after.verdict, data.preserved) {
            (Outcome::Success, Some(true)) => {
                let reason = "the replaced pod and all others serve the same data as before";
                (ChaosVerdict::Survived, vec![reason.to_owned()])
            }
            (Outcome::Unhealthy, _) => {
                let mut reasons = vec![format!("after the recovery {}", after.summary)];
                reasons.extend(after.findings.iter().map(|finding| finding.message.clone()));
                (ChaosVerdict::Failed, reasons)
            }
            _ => {
                let reason = format!("after the recovery {}", after.summary);
                (ChaosVerdict::Inconclusive, vec![reason])
            }
        },
    }
}

#[cfg(test)]
mod tests {
    use super::super::{ReplicaAnswer, Via};
    use super::*;
    use crate::diagnose::Cause;

    fn verified(body: &str, verdict: Outcome) -> VerifyReport {
        let answer = ReplicaAnswer {
            pod: "web-0".into(),
            ordinal: 0,
            uid: None,
            node: None,
            status: Some(200),
            sha256: (verdict == Outcome::Success).then(|| body.repeat(64)),
            bytes: Some(1),
            content_type: None,
            latency_ms: None,
            via: Via::PortForward,
            repeats: 0,
            error: None,
        };
        let object = ObjectRef::new("apps", "StatefulSet", Some("n"), "web");
        VerifyReport::new(object, 80, "/".into(), vec![answer], Vec::new())
    }

    fn kill(uid_after: Option<&str>) -> Vec<Kill> {
        vec![Kill {
            fault: "delete".into(),
            pod: "web-0".into(),
            uid_before: "old".into(),
            uid_after: uid_after.map(str::to_owned),
            phases: BTreeMap::new(),
        }]
    }

    fn cause(finality: Finality) -> Diagnosis {
        Diagnosis {
            cause: Cause::CrashLoop,
            object: ObjectRef::new("", "Pod", Some("n"), "web-0"),
            container: None,
            message: "keeps ending".into(),
            evidence: Vec::new(),
            next: Vec::new(),
            finality,
        }
    }

    #[test]
    fn survival_needs_the_fault_the_recovery_and_the_same_data() {
        let same = || verified("a", Outcome::Success);
        let unknown = || verified("a", Outcome::Undecided);
        let table = [
            (
                same(),
                kill(Some("new")),
                Some(same()),
                None,
                ChaosVerdict::Survived,
            ),
            (
                same(),
                kill(None),
                Some(same()),
                None,
                ChaosVerdict::Inconclusive,
            ),
            (
                same(),
                kill(Some("new")),
                None,
                None,
                ChaosVerdict::Inconclusive,
            ),
            (
                same(),
                kill(Some("new")),
                Some(unknown()),
                None,
                ChaosVerdict::Inconclusive,
            ),
            (
                same(),
                kill(Some("new")),
                Some(verified("b", Outcome::Success)),
                None,
                ChaosVerdict::Failed,
            ),
            (
                same(),
                kill(Some("new")),
                None,
                Some(cause(Finality::Final)),
                ChaosVerdict::Failed,
            ),
            (
                same(),
                kill(Some("new")),
                None,
                Some(cause(Finality::Open)),
                ChaosVerdict::Inconclusive,
            ),
            (unknown(), Vec::new(), None, None, ChaosVerdict::Refused),
        ];
        for (before, kills, after, cause, expected) in table {
            let report = ChaosReport::new(before, kills, after, cause);
            assert_eq!(report.verdict, expected, "{report:?}");
            assert_eq!(
                report.outcome() == Outcome::Success,
                expected == ChaosVerdict::Survived
            );
            assert!(!report.reasons.is_empty(), "every verdict has its reasons");
        }
    }

    #[test]
    fn other_data_is_lost_data_even_when_all_replicas_agree_on_it() {
        let after = Some(verified("b", Outcome::Success));
        let report = ChaosReport::new(verified("a", Outcome::Success), kill(None), after, None);
        assert_eq!(report.verdict, ChaosVerdict::Failed);
        assert_eq!(report.data.preserved, Some(false));
    }
}
