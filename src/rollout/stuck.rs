//! Pods that block a rollout because they never become Ready at a revision that nobody wants any more. Pure.
//!
//! With ordered pods, the controller waits for such a pod before it updates anything, so the rollout never goes
//! on, not even to a template that would work (`pkg/controller/statefulset/stateful_set_control.go`).

use k8s_openapi::api::core::v1::Pod;
use serde::{Deserialize, Serialize};

use crate::diagnose::{self, Diagnosis, Finality};
use crate::object::ObjectRef;
use crate::status::{
    KeptBecause, Snapshot, expected_ordinals, is_ready, kept_because, next_revision, pod_of,
    revision_hash, revision_of,
};

/// A pod that blocks a rollout.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StuckPod {
    /// The pod.
    pub pod: ObjectRef,
    /// Its UID.
    pub uid: String,
    /// The version in which it was seen.
    pub version: String,
    /// The hash of its revision.
    pub revision: String,
    /// The hash of the revision at which the controller makes it anew.
    pub wanted: String,
    /// Why it never becomes Ready.
    pub cause: Diagnosis,
}

/// The pods that block the rollout of a StatefulSet, the lowest ordinal first. None of them is Ready, and none is at
/// the revision at which it would be made anew.
#[must_use]
pub fn stuck_pods(snapshot: &Snapshot) -> Vec<StuckPod> {
    let stateful_set = &snapshot.stateful_set;
    let metadata = &stateful_set.metadata;
    let status = stateful_set.status.as_ref();
    let observed = status.and_then(|status| status.observed_generation);
    // Before the controller has seen a change, its revisions are those of the template before.
    let is_seen = observed.unwrap_or(0) >= metadata.generation.unwrap_or(0);
    // With `OnDelete`, whoever deletes a pod chooses the moment.
    let is_by_hand = kept_because(stateful_set) == Some(KeptBecause::OnDelete);
    if !is_seen || is_by_hand || metadata.deletion_timestamp.is_some() {
        return Vec::new();
    }
    expected_ordinals(stateful_set)
        .filter_map(|ordinal| {
            let pod = pod_of(snapshot, ordinal)?;
            stuck(snapshot, pod, next_revision(stateful_set, ordinal)?)
        })
        .collect()
}

fn stuck(snapshot: &Snapshot, pod: &Pod, wanted: &str) -> Option<StuckPod> {
    let metadata = &pod.metadata;
    let revision = revision_of(pod)?;
    let status = snapshot.stateful_set.status.as_ref()?;
    let is_newest = status.update_revision.as_deref() == Some(revision);
    if revision == wanted || is_newest || is_ready(pod) || metadata.deletion_timestamp.is_some() {
        return None;
    }
    let cause = diagnose::of_its_containers(snapshot, pod)?;
    if !matches!(cause.finality, Finality::Final | Finality::Lasting) {
        return None;
    }
    let name = metadata.name.as_deref()?;
    Some(StuckPod {
        pod: ObjectRef::new("", "Pod", metadata.namespace.as_deref(), name),
        uid: metadata.uid.clone()?,
        version: metadata.resource_version.clone()?,
        revision: revision_hash(revision).to_owned(),
        wanted: revision_hash(wanted).to_owned(),
        cause,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    /// Rolled back: the current and the update revision are the good one.
    fn set(fields: &Value) -> Value {
        let mut set = json!({
            "metadata": {"name": "web", "namespace": "shop", "uid": "s", "generation": 3},
            "spec": {"replicas": 2, "selector": {}, "serviceName": "web", "template": {}},
            "status": {"observedGeneration": 3, "replicas": 2,
                "currentRevision": "web-good", "updateRevision": "web-good"},
        });
        let fields = fields.as_object().unwrap().clone();
        set["spec"].as_object_mut().unwrap().extend(fields);
        set
    }

    fn pod(ordinal: i32, revision: &str, state: &Value) -> Value {
        json!({
            "metadata": {"name": format!("web-{ordinal}"), "namespace": "shop", "uid": format!("u{ordinal}"),
                "resourceVersion": "5", "labels": {"controller-revision-hash": revision},
                "ownerReferences": [{"apiVersion": "apps/v1", "kind": "StatefulSet", "name": "web",
                    "uid": "s", "controller": true}]},
            "spec": {"containers": [], "nodeName": "node"},
            "status": {"podIPs": [{"ip": "10.0.0.1"}],
                "containerStatuses": [{"name": "api", "image": "i:1", "imageID": "", "ready": false,
                    "restartCount": 0, "state": state}]},
        })
    }

    fn broken() -> Value {
        json!({"waiting": {"reason": "ImagePullBackOff", "message": "not found"}})
    }

    fn found(set: Value, pods: &[Value]) -> Vec<String> {
        let snapshot = Snapshot {
            stateful_set: serde_json::from_value(set).unwrap(),
            pods: serde_json::from_value(json!(pods)).unwrap(),
            ..Snapshot::default()
        };
        let stuck = stuck_pods(&snapshot);
        assert!(
            stuck
                .iter()
                .all(|it| it.revision == "bad" && it.wanted == "good")
        );
        stuck.into_iter().map(|it| it.uid).collect()
    }

    fn ready(mut pod: Value) -> Value {
        pod["status"]["conditions"] = json!([{"type": "Ready", "status": "True"}]);
        pod
    }

    #[test]
    fn a_broken_pod_at_a_revision_that_nobody_wants_is_stuck() {
        let good = ready(pod(0, "web-good", &json!({"running": {}})));
        let bad = pod(1, "web-bad", &broken());
        assert_eq!(found(set(&json!({})), &[good, bad]), ["u1"]);
    }

    #[test]
    fn no_pod_is_stuck_that_may_be_wanted_or_may_become_ready() {
        let none: [&str; 0] = [];
        let bad = || pod(1, "web-bad", &broken());
        // Nothing proves that it never becomes Ready.
        let starting = pod(
            1,
            "web-bad",
            &json!({"waiting": {"reason": "ContainerCreating"}}),
        );
        let mut going = bad();
        going["metadata"]["deletionTimestamp"] = json!("2026-11-30T10:00:00Z");
        for pod in [pod(1, "web-good", &broken()), ready(bad()), starting, going] {
            assert_eq!(found(set(&json!({})), &[pod]), none);
        }
        let by_hand = set(&json!({"updateStrategy": {"type": "OnDelete"}}));
        assert_eq!(found(by_hand, &[bad()]), none);
        let mut unseen = set(&json!({}));
        unseen["metadata"]["generation"] = json!(4);
        assert_eq!(found(unseen, &[bad()]), none);
        // A partition keeps the revision of the lower ordinals.
        let mut held = set(&json!({"updateStrategy": {"rollingUpdate": {"partition": 2}}}));
        held["status"]["currentRevision"] = json!("web-bad");
        assert_eq!(found(held, &[bad()]), none);
    }
}
