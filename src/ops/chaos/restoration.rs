//! What an experiment changes for a while and has to restore.
//!
//! The change and the note of how to undo it are one patch, so that there is never the one without
//! the other; undoing removes both in one patch, too. Only what still is as the experiment left it
//! is undone: who has changed it since meant to.

use k8s_openapi::api::apps::v1::StatefulSet;
use k8s_openapi::api::core::v1::Node;
use serde_json::json;

use crate::action::Action;
use crate::cluster::{ClusterError, ResourceKind};
use crate::object::ObjectRef;
use crate::ops::error::OpsError;
use crate::ops::write::Write;
use crate::ops::{Context, Workload};
use crate::report::{RestoreReport, Restored};

/// On a StatefulSet: the number of replicas to return to.
pub(super) const REPLICAS: &str = "cryptoctl/chaos-replicas";
/// On a node: the workload, as `NAMESPACE/NAME`, for whose sake it was cordoned.
const CORDONED_FOR: &str = "cryptoctl/chaos-cordoned-for";

/// A change that is in force until it is restored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Change {
    /// Scaled to zero.
    Scaled,
    /// A node that takes no pods.
    Cordoned {
        /// Its name.
        node: String,
    },
}

/// Undoes what an experiment on this workload has left behind; nothing is no failure.
///
/// # Errors
/// A failed exchange, or one that came too late.
pub async fn restore(context: &Context, workload: &Workload) -> Result<RestoreReport, OpsError> {
    let mut restored = Vec::new();
    restored.extend(scale_back(context, workload).await?);
    let nodes: Vec<Node> = context
        .cluster
        .list(&ResourceKind::node(), None, None, None)
        .await
        .map_err(OpsError::while_doing("list the nodes"))?;
    for node in nodes {
        restored.extend(uncordon(context, workload, &node).await?);
    }
    Ok(RestoreReport {
        object: workload.reference(),
        restored,
    })
}

/// Undoes one change.
///
/// # Errors
/// As [`restore`].
pub(super) async fn undo(
    context: &Context,
    workload: &Workload,
    change: &Change,
) -> Result<(), OpsError> {
    match change {
        Change::Scaled => scale_back(context, workload).await.map(drop),
        Change::Cordoned { node } => {
            let node: Option<Node> = context
                .cluster
                .get(&ResourceKind::node(), None, node)
                .await
                .map_err(OpsError::while_doing(format!("read `node/{node}`")))?;
            if let Some(node) = node {
                uncordon(context, workload, &node).await?;
            }
            Ok(())
        }
    }
}

/// Scales to zero, with a note of how many replicas there were.
pub(super) async fn scale_to_zero(
    context: &Context,
    workload: &Workload,
    set: &StatefulSet,
) -> Result<Change, OpsError> {
    let replicas = set.spec.replicas.unwrap_or(1);
    let patch = json!({
        "metadata": {
            "resourceVersion": set.metadata.resource_version,
            "annotations": {REPLICAS: replicas.to_string()},
        },
        "spec": {"replicas": 0},
    });
    change_set(context, workload, &patch, "scale").await?;
    Ok(Change::Scaled)
}

async fn scale_back(context: &Context, workload: &Workload) -> Result<Option<Restored>, OpsError> {
    let object = workload.reference();
    // Somebody may change the object between the look and the patch; then it is looked at again.
    for _ in 0..ATTEMPTS {
        let set = workload.read(context).await?;
        let Some(noted) = annotation(&set.metadata, REPLICAS) else {
            return Ok(None);
        };
        let live = set.spec.replicas.unwrap_or(1);
        let replicas = noted.parse::<i32>().ok().filter(|_| live == 0);
        let mut patch = json!({
            "metadata": {
                "resourceVersion": set.metadata.resource_version,
                "annotations": {REPLICAS: null},
            },
        });
        if let Some(replicas) = replicas {
            patch["spec"] = json!({"replicas": replicas});
        }
        match change_set(context, workload, &patch, "scale back").await {
            Err(OpsError::Cluster { source, .. }) if is_stale(&source) => {}
            Err(error) => return Err(error),
            Ok(()) => {
                let what = match replicas {
                    Some(replicas) => format!("scaled back to {replicas}"),
                    None => format!("left at {live} replicas, which somebody has set since"),
                };
                return Ok(Some(Restored { object, what }));
            }
        }
    }
    Err(busy(&object))
}

async fn change_set(
    context: &Context,
    workload: &Workload,
    patch: &serde_json::Value,
    verb: &str,
) -> Result<(), OpsError> {
    let object = workload.reference();
    let kind = ResourceKind::stateful_set();
    change(context, &kind, &object, patch, verb).await
}

/// Sends a patch that names the version it is for, so that a lost answer can be told from a refusal
/// by sending it again.
async fn change(
    context: &Context,
    kind: &ResourceKind,
    object: &ObjectRef,
    patch: &serde_json::Value,
    verb: &str,
) -> Result<(), OpsError> {
    let write = Write::start(context, object, Action::Change);
    let namespace = object.namespace.as_deref();
    let changed = context
        .cluster
        .merge_patch(kind, namespace, &object.name, patch)
        .await;
    write.finish(changed.as_ref().err());
    changed
        .map(drop)
        .map_err(OpsError::while_doing(format!("{verb} `{object}`")))
}

/// Cordons a node, unless it is cordoned already: then it is not ours to uncordon.
pub(super) async fn cordon(
    context: &Context,
    workload: &Workload,
    name: &str,
) -> Result<Option<Change>, OpsError> {
    let object = node_reference(name);
    for _ in 0..ATTEMPTS {
        let node: Option<Node> = context
            .cluster
            .get(&ResourceKind::node(), None, name)
            .await
            .map_err(OpsError::while_doing(format!("read `{object}`")))?;
        let Some(node) = node else {
            return Ok(None);
        };
        if is_cordoned(&node) {
            return Ok(None);
        }
        let patch = json!({
            "metadata": {
                "resourceVersion": node.metadata.resource_version,
                "annotations": {CORDONED_FOR: mark(workload)},
            },
            "spec": {"unschedulable": true},
        });
        match change(context, &ResourceKind::node(), &object, &patch, "cordon").await {
            Err(OpsError::Cluster { source, .. }) if is_stale(&source) => {}
            Err(error) => return Err(error),
            Ok(()) => {
                let node = name.to_owned();
                return Ok(Some(Change::Cordoned { node }));
            }
        }
    }
    Err(busy(&object))
}

async fn uncordon(
    context: &Context,
    workload: &Workload,
    node: &Node,
) -> Result<Option<Restored>, OpsError> {
    let name = node.metadata.name.clone().unwrap_or_default();
    let object = node_reference(&name);
    let mut node = Some(node.clone());
    for _ in 0..ATTEMPTS {
        let Some(seen) = node.take() else {
            return Ok(None);
        };
        if annotation(&seen.metadata, CORDONED_FOR) != Some(mark(workload).as_str()) {
            return Ok(None);
        }
        let patch = json!({
            "metadata": {
                "resourceVersion": seen.metadata.resource_version,
                "annotations": {CORDONED_FOR: null},
            },
            "spec": {"unschedulable": null},
        });
        match change(context, &ResourceKind::node(), &object, &patch, "uncordon").await {
            Err(OpsError::Cluster { source, .. }) if is_stale(&source) => {
                node = context
                    .cluster
                    .get(&ResourceKind::node(), None, &name)
                    .await
                    .map_err(OpsError::while_doing(format!("read `{object}`")))?;
            }
            Err(error) => return Err(error),
            Ok(()) => {
                let what = if is_cordoned(&seen) {
                    "uncordoned"
                } else {
                    "had been uncordoned already; the note was removed"
                };
                return Ok(Some(Restored {
                    object,
                    what: what.to_owned(),
                }));
            }
        }
    }
    Err(busy(&object))
}

/// Nodes are written every few seconds by their kubelets.
const ATTEMPTS: u32 = 10;

fn busy(object: &ObjectRef) -> OpsError {
    OpsError::Cluster {
        doing: format!("change `{object}`"),
        source: ClusterError::Conflict {
            message: "others change it all the time".to_owned(),
        },
    }
}

/// Whether the object is not the one that was read any more, or the answer was lost: either way it
/// has to be looked at again.
fn is_stale(error: &ClusterError) -> bool {
    matches!(error, ClusterError::Conflict { .. }) || error.outcome_is_unknown()
}

fn is_cordoned(node: &Node) -> bool {
    node.spec
        .as_ref()
        .and_then(|spec| spec.unschedulable)
        .unwrap_or_default()
}

fn annotation<'a>(
    metadata: &'a k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta,
    name: &str,
) -> Option<&'a str> {
    metadata.annotations.as_ref()?.get(name).map(String::as_str)
}

fn mark(workload: &Workload) -> String {
    format!("{}/{}", workload.namespace, workload.name)
}

fn node_reference(name: &str) -> ObjectRef {
    ObjectRef::new("", "Node", None, name)
}
