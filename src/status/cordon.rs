//! Whether a node is cordoned, and by which experiment.

use k8s_openapi::api::core::v1::Node;

/// On a node: the workload, as `NAMESPACE/NAME`, for whose sake an experiment has cordoned it.
pub const CORDONED_FOR: &str = "cryptoctl/chaos-cordoned-for";

/// Whether new pods are kept off a node.
#[must_use]
pub fn is_cordoned(node: &Node) -> bool {
    node.spec
        .as_ref()
        .and_then(|spec| spec.unschedulable)
        .unwrap_or_default()
}

/// The namespace and the name of the StatefulSet for whose sake an experiment has cordoned a node.
#[must_use]
pub fn cordoned_for(node: &Node) -> Option<(&str, &str)> {
    let mark = node.metadata.annotations.as_ref()?.get(CORDONED_FOR)?;
    mark.split_once('/')
}

/// What takes back what an experiment on a StatefulSet has left behind, to be pasted.
#[must_use]
pub fn restore_command(namespace: &str, name: &str) -> String {
    format!("cryptoctl chaos statefulset/{name} -n {namespace} --restore")
}
