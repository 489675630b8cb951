//! What a pod requires of a node, beside what the nodes offer.

use std::collections::{BTreeMap, BTreeSet};

use k8s_openapi::api::core::v1::{Container, Node, Pod};

use super::{Evidence, node, pod_reference};
use crate::quantity;
use crate::status::{cordoned_for, is_cordoned, restore_command};

/// At most this many values of a label, or nodes, are named.
const NAMED_VALUES: usize = 5;

/// The cordoned nodes, and which experiment cordoned them, if one did.
pub(super) fn cordoned(nodes: &[Node]) -> Option<Evidence> {
    let cordoned: Vec<&Node> = nodes.iter().filter(|node| is_cordoned(node)).collect();
    let one = node::reference(cordoned.first()?);
    let names: Vec<String> = cordoned
        .into_iter()
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
    let words = format!("cordoned: {}{more}", first.join(", "));
    Some(Evidence::field(&one, ".spec.unschedulable", words))
}

/// The command that uncordons the nodes that experiments have left cordoned.
pub(super) fn restorations(nodes: &[Node]) -> Vec<String> {
    let commands: BTreeSet<String> = nodes
        .iter()
        .filter(|node| is_cordoned(node))
        .filter_map(cordoned_for)
        .map(|(namespace, set)| restore_command(namespace, set))
        .collect();
    commands.into_iter().collect()
}

/// The resources of which a pod requests more than any node offers.
pub(super) fn too_much(pod: &Pod, nodes: &[Node]) -> Vec<Evidence> {
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
            let asked = quantity::words(asked);
            let words = format!("it requests {resource} {asked}; no node offers more than {most}");
            let path = ".spec.containers[*].resources.requests";
            Some(Evidence::field(&pod_reference(pod), path, words))
        })
        .collect()
}

/// The labels of a pod's node selector that no node has, with the existing values.
pub(super) fn selected_by_none(pod: &Pod, nodes: &[Node]) -> Vec<Evidence> {
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
            let words = format!("it requires a node with `{key}={value}`; {there}");
            Evidence::field(&pod_reference(pod), ".spec.nodeSelector", words)
        })
        .collect()
}
