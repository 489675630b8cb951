//! What an experiment changes for a while and has to restore.
//!
//! The change and the note of how to undo it are one patch, so that there is never the one without
//! the other; undoing removes both in one patch, too. Only what still is as the experiment left it
//! is undone: who has changed it since meant to.

use k8s_openapi::api::core::v1::{Node, Pod};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use serde_json::{Value, json};

use super::ChaosPlan;
use crate::action::Action;
use crate::cluster::{ClusterError, ResourceKind};
use crate::object::ObjectRef;
use crate::ops::error::OpsError;
use crate::ops::write::Write;
use crate::ops::{Context, Workload};
use crate::report::{Fault, RestoreReport, Restored};

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

impl Change {
    /// That it was undone, as a sentence.
    pub(super) fn undone(&self, workload: &Workload) -> String {
        match self {
            Self::Scaled => format!("`{}` was scaled back", workload.reference()),
            Self::Cordoned { node } => format!("`node/{node}` was uncordoned"),
        }
    }

    /// What a fault to a pod changes for a while.
    pub(super) fn by(fault: Fault, pod: &Pod) -> Option<Self> {
        match fault {
            Fault::Scale => Some(Self::Scaled),
            Fault::Cordon => Some(Self::Cordoned {
                node: pod.spec.as_ref()?.node_name.clone()?,
            }),
            _ => None,
        }
    }
}

/// Undoes what an experiment on this workload has left behind; nothing is no failure.
///
/// # Errors
/// A failed exchange, or one that came too late.
pub async fn restore(context: &Context, workload: &Workload) -> Result<RestoreReport, OpsError> {
    let mut restored = Vec::new();
    restored.extend(scale_back(context, workload).await?);
    match cordoned(context, workload).await {
        Ok(nodes) => {
            for name in nodes {
                restored.extend(uncordon(context, workload, &name).await?);
            }
        }
        // Who may not see nodes cannot have cordoned one.
        Err(ClusterError::Forbidden { message }) => {
            context.warn(format!("nodes were not looked at: {message}"));
        }
        Err(error) => return Err(OpsError::while_doing("list the nodes")(error)),
    }
    Ok(RestoreReport {
        object: workload.reference(),
        restored,
    })
}

/// Undoes what the cluster may have taken although its answer did not come in time.
pub(super) async fn undo_in_doubt(context: &Context, plan: &ChaosPlan, pod: &Pod) {
    let change = plan
        .experiment
        .fault
        .and_then(|fault| Change::by(fault, pod));
    let Some(change) = change else {
        return;
    };
    let context = context.clone().restarted();
    if let Err(error) = context
        .by_deadline(undo(&context, &plan.workload, &change))
        .await
    {
        context.warn(format!(
            "whether anything has to be restored is not known ({error}): run `cryptoctl chaos \
             --restore`"
        ));
    }
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
        Change::Cordoned { node } => uncordon(context, workload, node).await.map(drop),
    }
}

/// Scales to zero, with a note of how many replicas there were.
pub(super) async fn scale_to_zero(
    context: &Context,
    workload: &Workload,
) -> Result<Change, OpsError> {
    let object = workload.reference();
    let look = async || {
        let set = workload.read(context).await?;
        let replicas = set.spec.replicas.unwrap_or(1);
        if annotation(&set.metadata, REPLICAS).is_some() {
            return Ok(None);
        }
        let patch = json!({
            "metadata": {
                "resourceVersion": set.metadata.resource_version,
                "annotations": {REPLICAS: replicas.to_string()},
            },
            "spec": {"replicas": 0},
        });
        Ok(Some((patch, ())))
    };
    change(
        context,
        &ResourceKind::stateful_set(),
        &object,
        "scale",
        look,
    )
    .await?;
    Ok(Change::Scaled)
}

async fn scale_back(context: &Context, workload: &Workload) -> Result<Option<Restored>, OpsError> {
    let object = workload.reference();
    let look = async || {
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
        let what = match replicas {
            Some(replicas) => {
                patch["spec"] = json!({"replicas": replicas});
                format!("scaled back to {replicas}")
            }
            None => format!("left at {live} replicas, which somebody has set since"),
        };
        Ok(Some((patch, what)))
    };
    let kind = ResourceKind::stateful_set();
    let what = change(context, &kind, &object, "scale back", look).await?;
    Ok(what.map(|what| Restored { object, what }))
}

/// Cordons a node, unless it is cordoned already: then it is not ours to uncordon.
pub(super) async fn cordon(
    context: &Context,
    workload: &Workload,
    name: &str,
) -> Result<Option<Change>, OpsError> {
    let object = node_reference(name);
    let mut is_ours = false;
    let look = async || {
        let Some(node) = read_node(context, name).await? else {
            return Ok(None);
        };
        if is_cordoned(&node) {
            // With our note it is what an earlier attempt has done, whose answer was lost.
            is_ours = is_marked(&node, workload);
            return Ok(None);
        }
        let patch = json!({
            "metadata": {
                "resourceVersion": node.metadata.resource_version,
                "annotations": {CORDONED_FOR: mark(workload)},
            },
            "spec": {"unschedulable": true},
        });
        Ok(Some((patch, ())))
    };
    let changed = change(context, &ResourceKind::node(), &object, "cordon", look).await?;
    Ok((changed.is_some() || is_ours).then(|| Change::Cordoned {
        node: name.to_owned(),
    }))
}

async fn uncordon(
    context: &Context,
    workload: &Workload,
    name: &str,
) -> Result<Option<Restored>, OpsError> {
    let object = node_reference(name);
    let look = async || {
        let node = read_node(context, name).await?;
        let Some(node) = node.filter(|node| is_marked(node, workload)) else {
            return Ok(None);
        };
        let patch = json!({
            "metadata": {
                "resourceVersion": node.metadata.resource_version,
                "annotations": {CORDONED_FOR: null},
            },
            "spec": {"unschedulable": null},
        });
        let what = if is_cordoned(&node) {
            "uncordoned"
        } else {
            "had been uncordoned already; the note was removed"
        };
        Ok(Some((patch, what.to_owned())))
    };
    let what = change(context, &ResourceKind::node(), &object, "uncordon", look).await?;
    Ok(what.map(|what| Restored { object, what }))
}

/// Changes an object as it is now, by the patch that follows from looking at it. When somebody else
/// was faster, or the answer was lost, it is looked at again; `None` when there is nothing to do.
async fn change<T>(
    context: &Context,
    kind: &ResourceKind,
    object: &ObjectRef,
    verb: &str,
    mut look: impl AsyncFnMut() -> Result<Option<(Value, T)>, OpsError>,
) -> Result<Option<T>, OpsError> {
    let mut write = None;
    let mut last = None;
    for _ in 0..ATTEMPTS {
        let Some((patch, done)) = look().await? else {
            // An attempt whose answer was lost has done it, or somebody else has.
            if let Some(write) = write.take() {
                let refused = conflict();
                Write::finish(write, last.is_none().then_some(&refused));
            }
            return Ok(last);
        };
        write.get_or_insert_with(|| Write::start(context, object, Action::Change));
        let namespace = object.namespace.as_deref();
        let changed = context
            .cluster
            .merge_patch(kind, namespace, &object.name, &patch)
            .await;
        match changed {
            Err(error) if error.outcome_is_unknown() => last = Some(done),
            Err(ClusterError::Conflict { .. }) => {}
            changed => {
                let error = changed.err();
                if let Some(write) = write.take() {
                    Write::finish(write, error.as_ref());
                }
                return match error {
                    None => Ok(Some(done)),
                    Some(error) => Err(OpsError::while_doing(format!("{verb} `{object}`"))(error)),
                };
            }
        }
    }
    let error = conflict();
    if let Some(write) = write {
        write.finish(Some(&error));
    }
    Err(OpsError::while_doing(format!("{verb} `{object}`"))(error))
}

/// Nodes are written every few seconds by their kubelets.
const ATTEMPTS: u32 = 10;

/// The nodes that an experiment on this workload has cordoned.
///
/// # Errors
/// A failed exchange.
pub(super) async fn cordoned(
    context: &Context,
    workload: &Workload,
) -> Result<Vec<String>, ClusterError> {
    let nodes: Vec<Node> = context
        .cluster
        .list(&ResourceKind::node(), None, None, None)
        .await?;
    let marked = nodes.into_iter().filter(|node| is_marked(node, workload));
    Ok(marked.filter_map(|node| node.metadata.name).collect())
}

async fn read_node(context: &Context, name: &str) -> Result<Option<Node>, OpsError> {
    context
        .cluster
        .get(&ResourceKind::node(), None, name)
        .await
        .map_err(OpsError::while_doing(format!("read `node/{name}`")))
}

fn is_marked(node: &Node, workload: &Workload) -> bool {
    annotation(&node.metadata, CORDONED_FOR) == Some(mark(workload).as_str())
}

fn conflict() -> ClusterError {
    ClusterError::Conflict {
        message: "somebody else has changed it meanwhile".to_owned(),
    }
}

fn is_cordoned(node: &Node) -> bool {
    node.spec
        .as_ref()
        .and_then(|spec| spec.unschedulable)
        .unwrap_or_default()
}

fn annotation<'a>(metadata: &'a ObjectMeta, name: &str) -> Option<&'a str> {
    metadata.annotations.as_ref()?.get(name).map(String::as_str)
}

fn mark(workload: &Workload) -> String {
    format!("{}/{}", workload.namespace, workload.name)
}

fn node_reference(name: &str) -> ObjectRef {
    ObjectRef::new("", "Node", None, name)
}
