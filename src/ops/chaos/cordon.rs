//! A cordon, and its end.

use k8s_openapi::api::core::v1::Node;
use serde_json::json;

use super::ChaosPlan;
use super::plan::restore_command;
use super::restoration::{BY, Change, annotation, change};
use crate::cluster::{ClusterError, ResourceKind};
use crate::object::ObjectRef;
use crate::ops::error::OpsError;
use crate::ops::{Context, Workload};
use crate::report::Restored;
use crate::status::{CORDONED_FOR, cordoned_for, is_cordoned};

/// Cordons a node, unless it is cordoned already: then it is not ours to uncordon.
pub(super) async fn cordon(
    context: &Context,
    plan: &ChaosPlan,
    name: &str,
) -> Result<Option<Change>, OpsError> {
    let (workload, identity) = (&plan.workload, plan.request.identity.as_str());
    let object = node_reference(name);
    let mut is_ours = false;
    let look = async || {
        let Some(node) = read_node(context, name).await? else {
            return Ok(None);
        };
        if is_cordoned(&node) {
            // With our note it is what an earlier attempt has done, whose answer was lost.
            is_ours =
                is_marked(&node, workload) && annotation(&node.metadata, BY) == Some(identity);
            return Ok(None);
        }
        let patch = json!({
            "metadata": {
                "resourceVersion": node.metadata.resource_version,
                "annotations": {CORDONED_FOR: mark(workload), BY: identity},
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

pub(super) async fn uncordon(
    context: &Context,
    workload: &Workload,
    name: &str,
    by: Option<&str>,
) -> Result<Option<Restored>, OpsError> {
    let object = node_reference(name);
    let look = async || {
        let node = read_node(context, name).await?;
        let is_meant = |node: &Node| {
            is_marked(node, workload) && (by.is_none() || annotation(&node.metadata, BY) == by)
        };
        let Some(node) = node.filter(is_meant) else {
            return Ok(None);
        };
        let patch = json!({
            "metadata": {
                "resourceVersion": node.metadata.resource_version,
                "annotations": {CORDONED_FOR: null, BY: null},
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

/// Tells of every node that an experiment on one of these workloads has left cordoned: nothing else
/// would, once the workload is gone.
pub(in crate::ops) async fn tell_of_cordoned(context: &Context, workloads: &[Workload]) {
    let kind = ResourceKind::node();
    let nodes = context.cluster.list::<Node>(&kind, None, None, None);
    // Who may not see nodes cannot have cordoned one.
    let Ok(nodes) = nodes.await else { return };
    for workload in workloads {
        for node in nodes.iter().filter(|node| is_marked(node, workload)) {
            let name = node.metadata.name.as_deref().unwrap_or_default();
            context.warn(format!(
                "an experiment on `{}` has left `node/{name}` cordoned: run `{}`",
                workload.reference(),
                restore_command(workload)
            ));
        }
    }
}

async fn read_node(context: &Context, name: &str) -> Result<Option<Node>, OpsError> {
    context
        .cluster
        .get(&ResourceKind::node(), None, name)
        .await
        .map_err(OpsError::while_doing(format!("read `node/{name}`")))
}

fn is_marked(node: &Node, workload: &Workload) -> bool {
    cordoned_for(node) == Some((workload.namespace.as_str(), workload.name.as_str()))
}

fn mark(workload: &Workload) -> String {
    format!("{}/{}", workload.namespace, workload.name)
}

fn node_reference(name: &str) -> ObjectRef {
    ObjectRef::new("", "Node", None, name)
}
