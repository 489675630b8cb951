//! Pods without a node: a scheduling gate, or no node that takes them.

use k8s_openapi::api::core::v1::Pod;

use super::offers::{cordoned, restorations, selected_by_none, too_much};
use super::{Cause, Diagnosis, Evidence, Finality, condition, kubectl, on, pod_reference, storage};
use crate::object::ObjectRef;
use crate::status::Snapshot;

/// The scheduler ignores the pod until the gates are removed (KEP-3521).
pub(super) fn gated(_: &Snapshot, pod: &Pod) -> Option<Diagnosis> {
    let scheduled = condition(pod, "PodScheduled")?;
    if scheduled.status != "False" || scheduled.reason.as_deref() != Some("SchedulingGated") {
        return None;
    }
    let object = pod_reference(pod);
    let gates: Vec<String> = pod
        .spec
        .iter()
        .flat_map(|spec| spec.scheduling_gates.iter().flatten())
        .map(|gate| format!("`{}`", gate.name))
        .collect();
    let noun = if gates.len() == 1 { "gate" } else { "gates" };
    let gates = gates.join(", ");
    let evidence = Evidence::field(&object, ".spec.schedulingGates", gates.clone());
    let message = format!("`{object}` is held back by its scheduling {noun} {gates}");
    let next = format!("{} -o yaml", kubectl("get", &object));
    Some(
        Diagnosis::new(Cause::SchedulingGate, object, message)
            .because([evidence])
            .then([next]),
    )
}

/// What the scheduler's reasons mean (`pkg/scheduler/framework/plugins`), in the order in which they are named.
const REASONS: [(&str, &str); 13] = [
    ("Insufficient ", "too little is free for what it requests"),
    ("Too many pods", "they have as many pods as they may have"),
    (
        "untolerated taint",
        "they have a taint that it does not tolerate",
    ),
    (
        "node affinity/selector",
        "they do not match its node selector or affinity",
    ),
    (
        "pod affinity rules",
        "they do not run the pods that it has to be with",
    ),
    (
        "anti-affinity rules",
        "they run a pod that it must not be with",
    ),
    ("free ports", "a port of the node that it needs is taken"),
    (
        "topology spread constraints",
        "its replicas would not be spread as they have to be",
    ),
    ("were unschedulable", "they are cordoned"),
    (
        "max volume count",
        "they have as many volumes as they may have",
    ),
    (
        "available persistent volumes to bind",
        "no volume fits its claim there",
    ),
    (VOLUME_ELSEWHERE[0], "they cannot have its volume"),
    (VOLUME_ELSEWHERE[1], "they cannot have its volume"),
];
/// Taints of nodes that restart or do not answer (`k8s.io/api` `core/v1/well_known_taints.go`).
const PASSING_TAINTS: [&str; 2] = [
    "node.kubernetes.io/not-ready",
    "node.kubernetes.io/unreachable",
];
/// What the scheduler says of nodes that cannot have the pod's volume, before and since Kubernetes 1.32.
const VOLUME_ELSEWHERE: [&str; 2] = [
    "volume node affinity conflict",
    "PersistentVolume's node affinity",
];

/// No node takes the pod, and what the scheduler says of that.
pub(super) fn unschedulable(snapshot: &Snapshot, pod: &Pod) -> Option<Diagnosis> {
    let scheduled = condition(pod, "PodScheduled")?;
    if scheduled.status != "False" || scheduled.reason.as_deref() != Some("Unschedulable") {
        return None;
    }
    let words = scheduled.message.as_deref().unwrap_or_default();
    let said = Evidence::condition(pod, scheduled);
    let object = pod_reference(pod);
    let nodes = snapshot.nodes.as_deref().unwrap_or_default();
    if words.contains("ReadWriteOncePod access mode") {
        let message = format!(
            "another pod mounts a claim of `{object}` that only one pod may mount (ReadWriteOncePod)"
        );
        let list = format!(
            "kubectl get pods{} -o wide",
            on(object.namespace.as_deref())
        );
        return Some(
            Diagnosis::new(Cause::VolumeInUseByAnotherPod, object, message)
                .because(said)
                .because(others(snapshot, pod))
                .then([list])
                .is(Finality::AtDeadline),
        );
    }
    let says = |text: &&str| words.contains(*text);
    let has_room = !["Insufficient ", "Too many pods", "free ports"]
        .iter()
        .any(says);
    if VOLUME_ELSEWHERE.iter().any(says) && has_room {
        let message = format!("no node that takes `{object}` can have its volume");
        let next = [
            "kubectl get nodes --show-labels".to_owned(),
            "kubectl describe persistentvolumes".to_owned(),
        ];
        return Some(
            Diagnosis::new(Cause::VolumeNodeAffinity, object, message)
                .because(said)
                .because(required(snapshot, pod))
                .because(cordoned(nodes))
                .then(restorations(nodes).into_iter().chain(next))
                .is(Finality::AtDeadline),
        );
    }
    let reasons: Vec<&str> = REASONS
        .iter()
        .filter(|(text, _)| words.contains(text))
        .map(|(_, meaning)| *meaning)
        .collect();
    let why = match reasons.as_slice() {
        [] => String::new(),
        reasons => format!(": {}", reasons.join(", or ")),
    };
    let message = format!("no node takes `{object}`{why}");
    let mut next = restorations(nodes);
    next.extend([kubectl("describe", &object), "kubectl get nodes".to_owned()]);
    let finality = if PASSING_TAINTS.iter().any(says) {
        Finality::Open
    } else {
        Finality::AtDeadline
    };
    Some(
        Diagnosis::new(Cause::Unschedulable, object.clone(), message)
            .because(said)
            .because(too_much(pod, nodes))
            .because(selected_by_none(pod, nodes))
            .because(cordoned(nodes))
            .then(next)
            .is(finality),
    )
}

/// The pods that mount a claim of this pod.
fn others(snapshot: &Snapshot, pod: &Pod) -> Vec<Evidence> {
    let own: Vec<&str> = storage::names(pod).collect();
    let is_other = |other: &&Pod| other.metadata.name != pod.metadata.name;
    let mut found = Vec::new();
    for other in snapshot.pods.iter().filter(is_other) {
        let shared = storage::names(other).find(|name| own.contains(name));
        let path = ".spec.volumes[*].persistentVolumeClaim.claimName";
        found.extend(shared.map(|name| {
            let object = pod_reference(other);
            Evidence::field(&object, path, format!("`{object}` mounts `{name}`"))
        }));
    }
    found
}

/// The nodes that the volumes of a pod require.
fn required(snapshot: &Snapshot, pod: &Pod) -> Vec<Evidence> {
    let bound = storage::claims(snapshot, pod)
        .filter_map(|claim| claim.spec.as_ref()?.volume_name.as_deref());
    bound
        .filter_map(|name| {
            let mut volumes = snapshot.volumes.iter();
            let volume = volumes.find(|volume| volume.metadata.name.as_deref() == Some(name))?;
            let affinity = volume.spec.as_ref()?.node_affinity.as_ref()?;
            let terms = &affinity.required.as_ref()?.node_selector_terms;
            let terms: Vec<String> = terms
                .iter()
                .flat_map(|term| term.match_expressions.iter().flatten())
                .map(|term| {
                    let values = term.values.as_deref().unwrap_or_default().join(", ");
                    format!("{} {} {values}", term.key, term.operator)
                })
                .collect();
            let object = ObjectRef::new("", "PersistentVolume", None, name);
            let words = format!("`{object}` requires a node with {}", terms.join("; "));
            Some(Evidence::field(&object, ".spec.nodeAffinity", words))
        })
        .collect()
}
