//! Changes of the StatefulSet during the requests to its replicas.

use k8s_openapi::api::apps::v1::StatefulSet;

use super::pods::Beside;
use crate::report::{Finding, FindingKind, Problem, ReplicaAnswer};
use crate::status::{change_since, expected_ordinals};

/// A proof is about the StatefulSet as it was first read. If the object was replaced or its spec
/// changed, the result is undecided: a pod that was wrong by the old spec may be right by the new
/// one. Returns the answers that changed.
pub(super) fn excuse(
    set: &StatefulSet,
    now: Option<&StatefulSet>,
    answers: &mut [ReplicaAnswer],
    beside: &mut Beside,
) -> Vec<ReplicaAnswer> {
    let Some(what) = change_since(set, now) else {
        return Vec::new();
    };
    let stays = |now: &&StatefulSet| {
        now.metadata.uid == set.metadata.uid && now.metadata.deletion_timestamp.is_none()
    };
    let wanted = now.filter(stays).map_or(0..0, expected_ordinals);
    let mut changed = Vec::new();
    for answer in answers {
        let is_its_state = answer.error.as_ref().is_some_and(|problem| {
            matches!(
                problem,
                Problem::Missing
                    | Problem::NotOwned
                    | Problem::Terminating
                    | Problem::NotRunning { .. }
            )
        });
        if is_its_state && !wanted.contains(&answer.ordinal) {
            answer.error = Some(Problem::ChangedMeanwhile { what: what.clone() });
            changed.push(answer.clone());
        }
    }
    let name = set.metadata.name.as_deref().unwrap_or_default();
    let is_wanted = |finding: &Finding| {
        let mut names = wanted.clone().map(|ordinal| format!("{name}-{ordinal}"));
        names.any(|wanted| finding.pod.as_deref() == Some(&wanted))
    };
    beside.findings.retain(|finding| !is_wanted(finding));
    let message = format!("{what} during the verification");
    let finding = Finding::of_all(FindingKind::WorkloadChanged, message);
    beside.findings.push(finding);
    changed
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::report::{Endpoint, Transport};

    fn set(uid: &str, replicas: i32) -> StatefulSet {
        let set = json!({
            "metadata": { "name": "web", "uid": uid },
            "spec": { "replicas": replicas, "selector": {}, "serviceName": "web", "template": {} },
        });
        serde_json::from_value(set).unwrap()
    }

    fn missing(ordinal: i32) -> ReplicaAnswer {
        ReplicaAnswer {
            pod: format!("web-{ordinal}"),
            ordinal,
            uid: None,
            node: None,
            endpoint: Endpoint {
                port: 80,
                path: "/".to_owned(),
            },
            status: None,
            sha256: None,
            compared_sha256: None,
            bytes: None,
            content_type: None,
            content_encoding: None,
            latency_ms: None,
            transport: Transport::PortForward,
            repeats: 0,
            error: Some(Problem::Missing),
        }
    }

    /// What becomes of a missing `web-1` and an extra `web-2` of two replicas.
    fn excused(now: Option<&StatefulSet>) -> (Option<Problem>, Vec<FindingKind>) {
        let mut answers = vec![missing(1)];
        let extra = Finding::of_pod(FindingKind::ExtraPod, "web-2", "extra".to_owned());
        let mut beside = Beside {
            findings: vec![extra],
            notes: Vec::new(),
        };
        excuse(&set("a", 2), now, &mut answers, &mut beside);
        let kinds = beside.findings.iter().map(|finding| finding.kind);
        (answers[0].error.clone(), kinds.collect())
    }

    #[test]
    fn what_a_scaling_explains_proves_nothing() {
        let extra = FindingKind::ExtraPod;
        let changed = FindingKind::WorkloadChanged;
        let missing = Some(Problem::Missing);
        assert_eq!(excused(Some(&set("a", 2))), (missing.clone(), vec![extra]));
        assert_eq!(excused(Some(&set("a", 3))), (missing, vec![changed]));
        let scaled = "the StatefulSet was scaled from 2 to 1 replicas".to_owned();
        assert_eq!(
            excused(Some(&set("a", 1))),
            (
                Some(Problem::ChangedMeanwhile { what: scaled }),
                vec![extra, changed]
            )
        );
        let deleted = Some(Problem::ChangedMeanwhile {
            what: "the StatefulSet was deleted".to_owned(),
        });
        assert_eq!(excused(None), (deleted.clone(), vec![extra, changed]));
        let other = Some(Problem::ChangedMeanwhile {
            what: "the StatefulSet was replaced by another one of the same name".to_owned(),
        });
        assert_eq!(excused(Some(&set("b", 2))), (other, vec![extra, changed]));
    }
}
