//! A case for every cause.

mod containers;
mod kept;
mod surroundings;

use std::collections::BTreeSet;

use k8s_openapi::api::core::v1::Node;
use serde_json::{Value, json};

use super::super::*;
use super::{pod, snapshot, waiting};

/// What a snapshot has to be diagnosed as.
struct Case {
    cause: Cause,
    finality: Finality,
    snapshot: Snapshot,
    /// A part of the sentence.
    says: &'static str,
    /// The first command.
    next: &'static str,
}

/// A case from its pod and the events of its pod.
fn of_pod(
    cause: Cause,
    finality: Finality,
    pod: &Value,
    events: &[(&str, &str)],
    says: &'static str,
    next: &'static str,
) -> Case {
    let events = events
        .iter()
        .map(|(reason, message)| event("p", reason, message))
        .collect();
    Case {
        cause,
        finality,
        snapshot: snapshot(pod.clone(), Vec::new(), events),
        says,
        next,
    }
}

fn event(uid: &str, reason: &str, message: &str) -> Value {
    let (version, kind, name) = match uid {
        "p" => ("v1", "Pod", "web-0"),
        "c" => ("v1", "PersistentVolumeClaim", "data"),
        _ => ("apps/v1", "StatefulSet", "web"),
    };
    json!({"metadata": {}, "reason": reason, "message": message, "count": 1,
        "lastTimestamp": "2026-01-01T00:00:20Z",
        "involvedObject": {"uid": uid, "apiVersion": version, "kind": kind, "name": name, "namespace": "n"}})
}

/// A pod without a node, in the scheduler's words.
fn pending(reason: &str, message: &str) -> Value {
    let mut pod = pod("web-b", &json!({}));
    pod["spec"] = json!({"containers": [], "volumes":
        [{"name": "v", "persistentVolumeClaim": {"claimName": "data"}}]});
    pod["status"] = json!({"conditions":
        [{"type": "PodScheduled", "status": "False", "reason": reason, "message": message}]});
    pod
}

/// A pod with a node, before it has an address.
fn creating() -> Value {
    let mut pod = pod("web-b", &waiting("ContainerCreating", ""));
    pod["status"].as_object_mut().unwrap().remove("podIPs");
    pod
}

fn node(name: &str, ready: &str) -> Node {
    let node = json!({"metadata": {"name": name}, "status": {"conditions":
        [{"type": "Ready", "status": ready, "message": "Kubelet stopped posting node status."}]}});
    serde_json::from_value(node).unwrap()
}

#[test]
fn every_cause_has_a_case() {
    let mut seen = BTreeSet::new();
    let cases = [surroundings::cases(), containers::cases(), kept::cases()];
    for case in cases.into_iter().flatten() {
        let name = case.cause.name();
        let found = workload(&case.snapshot);
        let found = found.unwrap_or_else(|| panic!("{name}: nothing is found"));
        assert_eq!(
            (found.cause, found.finality),
            (case.cause, case.finality),
            "{name}"
        );
        assert!(
            found.message.contains(case.says),
            "{name}: {}",
            found.message
        );
        assert_eq!(found.next[0], case.next, "{name}");
        assert!(!found.evidence.is_empty(), "{name} has no evidence");
        for evidence in &found.evidence {
            assert!(!evidence.object.kind.is_empty(), "{name}: {evidence:?}");
        }
        seen.insert(name);
    }
    let all: BTreeSet<&str> = Cause::ALL.iter().map(|cause| cause.name()).collect();
    let missing: Vec<&&str> = all.difference(&seen).collect();
    assert!(missing.is_empty(), "no case for {missing:?}");
}

#[test]
fn a_claim_that_waits_for_its_first_pod_is_no_cause() {
    let claim = json!({"metadata": {"name": "data", "uid": "c"},
        "spec": {"storageClassName": "late"}, "status": {"phase": "Pending"}});
    let words = "0/1 nodes are available: 1 Insufficient cpu.";
    let mut found = snapshot(
        pending("Unschedulable", words),
        vec![claim.clone()],
        Vec::new(),
    );
    let class = json!([{"metadata": {"name": "late"}, "provisioner": "example.com/disks",
        "volumeBindingMode": "WaitForFirstConsumer"}]);
    found.classes = serde_json::from_value(class).unwrap();
    assert_eq!(workload(&found).unwrap().cause, Cause::Unschedulable);
    let said = "waiting for first consumer to be created before binding";
    let events = vec![event("c", "WaitForFirstConsumer", said)];
    let mut without = snapshot(pending("Unschedulable", words), vec![claim], events);
    without.classes = None;
    assert_eq!(workload(&without).unwrap().cause, Cause::Unschedulable);
}

#[test]
fn a_grace_period_that_runs_is_no_cause() {
    let mut leaving = pod("web-b", &json!({"state": {"running": {}}}));
    leaving["metadata"]["deletionTimestamp"] = json!("2026-01-01T00:00:00Z");
    leaving["metadata"]["finalizers"] = json!(["example.com/hold"]);
    let found = workload(&snapshot(leaving.clone(), Vec::new(), Vec::new()));
    assert_eq!(found, None);
    let mut beside = snapshot(leaving, Vec::new(), Vec::new());
    beside.hosts = vec![node("node", "True")];
    assert_eq!(workload(&beside), None);
}

#[test]
fn a_pod_without_hope_comes_before_one_that_may_be_slow() {
    let mut slow = pod(
        "web-b",
        &json!({"state": {"running": {}}, "started": false}),
    );
    slow["spec"]["containers"] =
        json!([{"name": "api", "startupProbe": {"tcpSocket": {"port": 80}}}]);
    let mut both = snapshot(slow, Vec::new(), Vec::new());
    both.stateful_set.spec.replicas = Some(2);
    let mut lacks = pod("web-b", &waiting("ErrImageNeverPull", ""));
    lacks["metadata"]["name"] = json!("web-1");
    both.pods.push(serde_json::from_value(lacks).unwrap());
    assert_eq!(workload(&both).unwrap().cause, Cause::ImageNeverPulled);
    both.pods.pop();
    let held = json!({"metadata": {"name": "web-1", "namespace": "n"}, "spec": {"containers": [],
        "schedulingGates": [{"name": "g"}]}, "status": {"conditions":
        [{"type": "PodScheduled", "status": "False", "reason": "SchedulingGated"}]}});
    both.pods.push(serde_json::from_value(held).unwrap());
    assert_eq!(workload(&both).unwrap().cause, Cause::SchedulingGate);
}
