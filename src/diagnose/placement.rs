//! Causes between a pod and its node: a scheduling gate, no suitable node, a missing volume.

use std::collections::{BTreeMap, BTreeSet};

use k8s_openapi::api::core::v1::{Container, Node, Pod, PodCondition};

use super::{Cause, Diagnosis, Finality, kubectl, newest_event, pod_reference};
use crate::quantity;
use crate::status::{Snapshot, cordoned_for, is_cordoned, restore_command};

/// At most this many values of a label are named.
const NAMED_VALUES: usize = 5;

pub(super) fn diagnose(snapshot: &Snapshot, pod: &Pod) -> Option<Diagnosis> {
    let scheduled = pod
        .status
        .as_ref()
        .and_then(|status| status.conditions.as_ref())
        .and_then(|conditions| {
            conditions
                .iter()
                .find(|condition| condition.type_ == "PodScheduled" && condition.status == "False")
        });
    let reason = scheduled.and_then(|condition| condition.reason.as_deref());
    match (scheduled, reason) {
        (Some(_), Some("SchedulingGated")) => Some(gated(pod)),
        (Some(condition), Some("Unschedulable")) => Some(unschedulable(snapshot, pod, condition)),
        _ => volume(snapshot, pod),
    }
}

/// The scheduler ignores the pod until the gates are removed (KEP-3521).
fn gated(pod: &Pod) -> Diagnosis {
    let object = pod_reference(pod);
    let gates: Vec<String> = pod
        .spec
        .iter()
        .flat_map(|spec| spec.scheduling_gates.iter().flatten())
        .map(|gate| format!("`{}`", gate.name))
        .collect();
    let noun = if gates.len() == 1 { "gate" } else { "gates" };
    Diagnosis {
        cause: Cause::SchedulingGate,
        message: format!(
            "`{object}` is held back by its scheduling {noun} {}",
            gates.join(", ")
        ),
        evidence: Vec::new(),
        next: vec![format!("{} -o yaml", kubectl("get", &object))],
        finality: Finality::Open,
        container: None,
        object,
    }
}

fn unschedulable(snapshot: &Snapshot, pod: &Pod, condition: &PodCondition) -> Diagnosis {
    let object = pod_reference(pod);
    let mut evidence: Vec<String> = condition.message.clone().into_iter().collect();
    let nodes = snapshot.nodes.as_deref().unwrap_or_default();
    evidence.extend(too_much(pod, nodes));
    evidence.extend(selected_by_none(pod, nodes));
    evidence.extend(cordoned(nodes));
    let mut next = restorations(nodes);
    next.extend([kubectl("describe", &object), "kubectl get nodes".to_owned()]);
    Diagnosis {
        cause: Cause::Unschedulable,
        message: format!("no node takes `{object}`"),
        evidence,
        next,
        finality: Finality::Open,
        container: None,
        object,
    }
}

/// The cordoned nodes, and which experiment cordoned them, if one did.
fn cordoned(nodes: &[Node]) -> Option<String> {
    let names: Vec<String> = nodes
        .iter()
        .filter(|node| is_cordoned(node))
        .map(|node| {
            let name = node.metadata.name.as_deref().unwrap_or_default();
            cordoned_for(node).map_or_else(
                || format!("`node/{name}`"),
                |(namespace, set)| {
                    format!("`node/{name}` (by an experiment on `{namespace}/statefulset/{set}`)")
                },
            )
        })
        .collect();
    let (first, rest) = names.split_at(names.len().min(NAMED_VALUES));
    let more = match rest.len() {
        0 => String::new(),
        count => format!(" and {count} more"),
    };
    (!names.is_empty()).then(|| format!("cordoned: {}{more}", first.join(", ")))
}

/// The command that uncordons the nodes that experiments have left cordoned.
fn restorations(nodes: &[Node]) -> Vec<String> {
    let commands: BTreeSet<String> = nodes
        .iter()
        .filter(|node| is_cordoned(node))
        .filter_map(cordoned_for)
        .map(|(namespace, set)| restore_command(namespace, set))
        .collect();
    commands.into_iter().collect()
}

/// The resources of which a pod requests more than any node offers.
fn too_much(pod: &Pod, nodes: &[Node]) -> Vec<String> {
    let Some(spec) = &pod.spec else {
        return Vec::new();
    };
    let requests = |container: &Container, resource: &str| {
        let resources = container.resources.as_ref()?;
        let asked = resources.requests.as_ref()?.get(resource)?;
        quantity::milli(&asked.0)
    };
    let resources: BTreeSet<&String> = spec
        .containers
        .iter()
        .filter_map(|container| container.resources.as_ref()?.requests.as_ref())
        .flat_map(BTreeMap::keys)
        .collect();
    resources
        .into_iter()
        .filter_map(|resource| {
            let asked: i128 = spec
                .containers
                .iter()
                .filter_map(|container| requests(container, resource))
                .sum();
            let offers = nodes.iter().filter_map(|node| {
                let offered = node.status.as_ref()?.allocatable.as_ref()?;
                let offered = &offered.get(resource.as_str())?.0;
                Some((quantity::milli(offered)?, offered))
            });
            let most = offers.max_by_key(|(milli, _)| *milli);
            if nodes.is_empty() || most.is_some_and(|(most, _)| most >= asked) {
                return None;
            }
            let most = most.map_or("none", |(_, words)| words.as_str());
            Some(format!(
                "it requests {resource} {}; no node offers more than {most}",
                quantity::words(asked)
            ))
        })
        .collect()
}

/// The labels of a pod's node selector that no node has, with the existing values.
fn selected_by_none(pod: &Pod, nodes: &[Node]) -> Vec<String> {
    let selector = pod
        .spec
        .as_ref()
        .and_then(|spec| spec.node_selector.as_ref());
    let values = |key: &str| -> BTreeSet<&str> {
        nodes
            .iter()
            .filter_map(|node| Some(node.metadata.labels.as_ref()?.get(key)?.as_str()))
            .collect()
    };
    selector
        .into_iter()
        .flatten()
        .filter(|(key, value)| !nodes.is_empty() && !values(key).contains(value.as_str()))
        .map(|(key, value)| {
            let there: Vec<&str> = values(key).into_iter().take(NAMED_VALUES).collect();
            let there = if there.is_empty() {
                "no node has that label".to_owned()
            } else {
                format!("nodes have `{}`", there.join("`, `"))
            };
            format!("it requires a node with `{key}={value}`; {there}")
        })
        .collect()
}

fn volume(snapshot: &Snapshot, pod: &Pod) -> Option<Diagnosis> {
    let has_started = pod
        .status
        .as_ref()
        .and_then(|status| status.pod_ips.as_ref())
        .is_some_and(|addresses| !addresses.is_empty());
    if has_started {
        return None;
    }
    let reasons = ["FailedAttachVolume", "FailedMount", "FailedMapVolume"];
    let words = newest_event(snapshot, pod.metadata.uid.as_deref(), &reasons)?;
    let object = pod_reference(pod);
    // A ConfigMap or Secret may be created soon, as in `container_configuration`; the controller
    // manager always creates its own ConfigMap in every namespace.
    let finality = if words.contains("\"kube-root-ca.crt\"") {
        Finality::Open
    } else if words.contains("not found") || words.contains("references non-existent") {
        Finality::Lasting
    } else {
        Finality::Open
    };
    Some(Diagnosis {
        cause: Cause::Volume,
        message: format!("a volume of `{object}` cannot be attached or mounted"),
        evidence: vec![words],
        next: vec![kubectl("describe", &object)],
        finality,
        container: None,
        object,
    })
}
