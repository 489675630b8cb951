//! The nodes that an experiment has left cordoned.

use k8s_openapi::api::core::v1::Node;

use super::{Context, Workload};
use crate::cluster::{ClusterError, ResourceKind};
use crate::status::cordoned_for;

/// The nodes that an experiment on this workload has cordoned.
///
/// # Errors
/// A failed request.
pub(crate) async fn cordoned(
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

/// Warns about every node that an experiment on one of these workloads has left cordoned. Once the
/// workload is gone, nothing else would report them.
pub(crate) async fn tell_of_cordoned(context: &Context, workloads: &[Workload]) {
    let kind = ResourceKind::node();
    let nodes = context.cluster.list::<Node>(&kind, None, None, None);
    // Without permission to list nodes, the user cannot have cordoned one.
    let Ok(nodes) = nodes.await else { return };
    for workload in workloads {
        for node in nodes.iter().filter(|node| is_marked(node, workload)) {
            let name = node.metadata.name.as_deref().unwrap_or_default();
            context.warn(format!(
                "an experiment on `{}` left `node/{name}` cordoned: run `{}`",
                workload.reference(),
                workload.restore_command()
            ));
        }
    }
}

/// Whether an experiment on this workload has cordoned a node.
pub(crate) fn is_marked(node: &Node, workload: &Workload) -> bool {
    cordoned_for(node) == Some((workload.namespace.as_str(), workload.name.as_str()))
}
