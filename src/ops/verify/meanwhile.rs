//! What the StatefulSet has become while its replicas were asked.

use std::ops::Range;

use k8s_openapi::api::apps::v1::StatefulSet;

use super::pods::Beside;
use crate::ops::error::OpsError;
use crate::ops::{Context, Workload};
use crate::report::{Finding, FindingKind, Problem, ReplicaAnswer};
use crate::status::expected_ordinals;

/// The StatefulSet as it is now; `None` when it is gone.
///
/// # Errors
/// A failed exchange.
pub(super) async fn read_again(
    context: &Context,
    workload: &Workload,
) -> Result<Option<StatefulSet>, OpsError> {
    match workload.read(context).await {
        Ok(set) => Ok(Some(set)),
        Err(OpsError::NoSuchWorkload { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

/// A pod that is missing or too many by the StatefulSet as it was first read may be just right by
/// what it has become meanwhile: then nothing is proven. Returns the answers that changed.
pub(super) fn excuse(
    set: &StatefulSet,
    now: Option<&StatefulSet>,
    ordinals: &Range<i32>,
    answers: &mut [ReplicaAnswer],
    beside: &mut Beside,
) -> Vec<ReplicaAnswer> {
    let is_same = |now: &StatefulSet| now.metadata.uid == set.metadata.uid;
    let (what, wanted) = match now.filter(|now| is_same(now)) {
        None => ("the StatefulSet was deleted".to_owned(), 0..0),
        Some(now) => {
            let wanted = expected_ordinals(now);
            if wanted == *ordinals {
                return Vec::new();
            }
            let what = format!(
                "the StatefulSet was scaled from {} to {} replicas",
                ordinals.len(),
                wanted.len()
            );
            (what, wanted)
        }
    };
    let mut changed = Vec::new();
    for answer in answers {
        if answer.error == Some(Problem::Missing) && !wanted.contains(&answer.ordinal) {
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
    let message = format!("{what} while its replicas were asked");
    let finding = Finding::of_all(FindingKind::WorkloadChanged, message);
    beside.findings.push(finding);
    changed
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::report::{Endpoint, Via};

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
            latency_ms: None,
            via: Via::PortForward,
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
        excuse(&set("a", 2), now, &(0..2), &mut answers, &mut beside);
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
        let other = set("b", 2);
        assert_eq!(excused(Some(&other)), (deleted, vec![extra, changed]));
    }
}
