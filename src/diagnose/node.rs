//! Nodes that are not Ready.

use k8s_openapi::api::core::v1::{Node, Pod};

use super::{Cause, Diagnosis, Evidence, Source, condition, kubectl, pod_reference};
use crate::object::ObjectRef;
use crate::status::{Snapshot, is_ready};

/// A pod on a node that is not Ready, or without a node while none is. A node that restarts comes back.
pub(super) fn diagnose(snapshot: &Snapshot, pod: &Pod) -> Option<Diagnosis> {
    if is_ready(pod) {
        return None;
    }
    let object = pod_reference(pod);
    if let Some((node, evidence)) = of_pod(snapshot, pod) {
        let message = format!("`{object}` is on `{node}`, which is not Ready");
        let next = kubectl("describe", &node);
        return Some(
            Diagnosis::new(Cause::NodeNotReady, object, message)
                .because([evidence])
                .then([next]),
        );
    }
    let scheduled = condition(pod, "PodScheduled")?;
    let nodes = snapshot.nodes.as_deref().unwrap_or_default();
    let unready: Vec<Evidence> = nodes.iter().filter_map(unready).collect();
    if scheduled.reason.as_deref() != Some("Unschedulable")
        || nodes.is_empty()
        || unready.len() < nodes.len()
    {
        return None;
    }
    let message = format!("no node takes `{object}`: none is Ready");
    Some(
        Diagnosis::new(Cause::NodeNotReady, object, message)
            .because(unready.into_iter().take(1))
            .then(["kubectl get nodes".to_owned()]),
    )
}

/// The node of a pod and what its condition says, if it is not Ready.
pub(super) fn of_pod(snapshot: &Snapshot, pod: &Pod) -> Option<(ObjectRef, Evidence)> {
    let name = pod.spec.as_ref()?.node_name.as_ref()?;
    let node = snapshot
        .hosts
        .iter()
        .find(|node| node.metadata.name.as_ref() == Some(name))?;
    Some((reference(node), unready(node)?))
}

pub(super) fn reference(node: &Node) -> ObjectRef {
    let name = node.metadata.name.as_deref().unwrap_or_default();
    ObjectRef::new("", "Node", None, name)
}

/// What the condition of a node says, if it is not Ready: its kubelet says so, or has stopped to say anything
/// (`pkg/controller/nodelifecycle/node_lifecycle_controller.go`).
fn unready(node: &Node) -> Option<Evidence> {
    let conditions = node.status.as_ref()?.conditions.as_ref()?;
    let ready = conditions
        .iter()
        .find(|condition| condition.type_ == "Ready" && condition.status != "True")?;
    let words = ready.message.clone().or(ready.reason.clone());
    Some(Evidence {
        object: reference(node),
        source: Source::Condition("Ready".to_owned()),
        time: ready.last_transition_time.as_ref().map(|time| time.0),
        words: words.unwrap_or_else(|| format!("Ready is {}", ready.status)),
    })
}
