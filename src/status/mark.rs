//! The annotations that an experiment writes on an object while it changes it.

use k8s_openapi::api::apps::v1::StatefulSet;
use k8s_openapi::api::core::v1::Node;

/// On a StatefulSet: the number of replicas before an experiment scaled it to zero.
pub const SCALED_FROM: &str = "cryptoctl/chaos-replicas";

/// On a node: the workload, as `NAMESPACE/NAME`, whose experiment cordoned it.
pub const CORDONED_FOR: &str = "cryptoctl/chaos-cordoned-for";

/// Whether a node is cordoned.
#[must_use]
pub fn is_cordoned(node: &Node) -> bool {
    node.spec
        .as_ref()
        .and_then(|spec| spec.unschedulable)
        .unwrap_or_default()
}

/// The namespace and the name of the StatefulSet whose experiment cordoned a node.
#[must_use]
pub fn cordoned_for(node: &Node) -> Option<(&str, &str)> {
    let mark = node.metadata.annotations.as_ref()?.get(CORDONED_FOR)?;
    mark.split_once('/')
}

/// The message that an experiment has scaled a StatefulSet to zero, with the command that scales it
/// back; `None` if none has.
#[must_use]
pub fn scaled_by_experiment(set: &StatefulSet) -> Option<String> {
    let metadata = &set.metadata;
    let from = metadata.annotations.as_ref()?.get(SCALED_FROM)?;
    let name = metadata.name.as_deref().unwrap_or_default();
    let namespace = metadata.namespace.as_deref().unwrap_or_default();
    Some(format!(
        "an experiment scaled it from {from} replicas to 0; if that has ended, scale it back with \
         `{}`",
        restore_command(namespace, name)
    ))
}

/// The command that undoes what an experiment on a StatefulSet has left behind.
#[must_use]
pub fn restore_command(namespace: &str, name: &str) -> String {
    format!("cryptoctl chaos statefulset/{name} -n {namespace} --restore")
}
