//! Cordons a node and uncordons it again.

use k8s_openapi::api::core::v1::Node;
use serde_json::json;

use super::ChaosPlan;
use super::restoration::{BY, Change, annotation, by_experiment};
use crate::cluster::ResourceKind;
use crate::object::ObjectRef;
use crate::ops::change::change;
use crate::ops::cordoned_nodes::is_marked;
use crate::ops::error::OpsError;
use crate::ops::{Context, Workload};
use crate::report::Restored;
use crate::status::{CORDONED_FOR, is_cordoned};

/// Cordons a node. A node that is already cordoned is not ours to uncordon.
pub(super) async fn cordon(
    context: &Context,
    plan: &ChaosPlan,
    name: &str,
) -> Result<Option<Change>, OpsError> {
    let (workload, identity) = (&plan.workload, plan.identity.as_str());
    let object = node_reference(name);
    let mut is_ours = false;
    let look = async || {
        let Some(node) = read_node(context, name).await? else {
            return Ok(None);
        };
        if is_cordoned(&node) {
            // With our note, an earlier attempt cordoned it and its answer was lost.
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
    let kind = ResourceKind::node();
    let changed = change(context, by_experiment(&kind, &object, "cordon"), look).await?;
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
            "was already uncordoned; the note was removed"
        };
        Ok(Some((patch, what.to_owned())))
    };
    let kind = ResourceKind::node();
    let what = change(context, by_experiment(&kind, &object, "uncordon"), look).await?;
    Ok(what.map(|what| Restored { object, what }))
}

async fn read_node(context: &Context, name: &str) -> Result<Option<Node>, OpsError> {
    context
        .cluster
        .get(&ResourceKind::node(), None, name)
        .await
        .map_err(OpsError::while_doing(format!("read `node/{name}`")))
}

fn mark(workload: &Workload) -> String {
    format!("{}/{}", workload.namespace, workload.name)
}

fn node_reference(name: &str) -> ObjectRef {
    ObjectRef::new("", "Node", None, name)
}
