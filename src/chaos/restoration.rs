//! Undoes the temporary changes of an experiment.
//!
//! A change and the note of how to undo it are one patch, so neither exists without the other. Undoing a
//! cordon removes both in one patch. After a scale to zero, the note stays until `.spec.replicas` belongs
//! to its owners again, which takes a second patch. A change that another client has modified since is
//! left alone.

use k8s_openapi::api::apps::v1::StatefulSet;
use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use tokio::time::timeout_at;

use super::ChaosPlan;
use super::cordon::uncordon;
use super::lease::{self, Found};
use super::scaling::scale_back;
use crate::cluster::{ClusterError, ResourceKind};
use crate::fault::{Fault, Undo};
use crate::fields::EXPERIMENT_MANAGER;
use crate::object::ObjectRef;
use crate::ops::change::Changed;
use crate::ops::cordoned_nodes::cordoned;
use crate::ops::error::OpsError;
use crate::ops::{Context, Workload};
use crate::report::RestoreReport;
use crate::status::scaled_by_experiment;

/// Beside each note: the holder of the experiment.
pub(super) const BY: &str = "cryptoctl/chaos-by";

/// A temporary change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Change {
    /// Scaled to zero.
    Scaled,
    /// A cordoned node.
    Cordoned {
        /// The node's name.
        node: String,
    },
}

impl Change {
    /// A sentence that says it was undone.
    pub(super) fn undone(&self, workload: &Workload) -> String {
        match self {
            Self::Scaled => format!("`{}` was scaled back", workload.reference()),
            Self::Cordoned { node } => format!("`node/{node}` was uncordoned"),
        }
    }

    /// The temporary change that a fault on a pod makes.
    pub(super) fn by(fault: Fault, pod: &Pod) -> Option<Self> {
        Some(match fault.facts().undo? {
            Undo::ScaleUp => Self::Scaled,
            Undo::Uncordon => Self::Cordoned {
                node: pod.spec.as_ref()?.node_name.clone()?,
            },
        })
    }
}

/// Undoes the changes that an experiment on this workload left behind. It succeeds if there are none or
/// the workload is gone. Nodes come first, because other workloads share them.
///
/// # Errors
/// [`OpsError::Occupied`] while an experiment is running, because it undoes its changes itself; a failed
/// request or a timeout.
pub async fn restore(context: &Context, workload: &Workload) -> Result<RestoreReport, OpsError> {
    let looked = context.by_deadline(lease::look(context, workload)).await?;
    if let Found::NotAllowed(message) = looked {
        context.warn(format!(
            "cannot tell whether an experiment is still running: {message}"
        ));
    }
    let mut restored = Vec::new();
    let nodes = async {
        match cordoned(context, workload).await {
            Ok(nodes) => {
                for name in nodes {
                    restored.extend(uncordon(context, workload, &name, None).await?);
                }
                Ok(())
            }
            // Without permission to list nodes, no experiment can have cordoned one.
            Err(ClusterError::Forbidden { message, .. }) => {
                context.warn(format!("nodes were not checked: {message}"));
                Ok(())
            }
            Err(error) => Err(OpsError::while_doing("list the nodes")(error)),
        }
    };
    let uncordoned = nodes.await;
    match scale_back(context, workload, None).await {
        Err(OpsError::NoSuchWorkload { .. }) => {}
        scaled => restored.extend(scaled?),
    }
    uncordoned?;
    if restored.is_empty() {
        tell_of_others(context, workload).await;
    }
    Ok(RestoreReport {
        object: workload.reference(),
        restored,
    })
}

/// Warns about other StatefulSets that an experiment left at zero: the user may mean one of them.
async fn tell_of_others(context: &Context, workload: &Workload) {
    let kind = ResourceKind::stateful_set();
    let namespace = Some(workload.namespace.as_str());
    let listing = context
        .cluster
        .list::<StatefulSet>(&kind, namespace, None, None);
    // The list serves only this warning, so errors are ignored.
    let Ok(Ok(sets)) = timeout_at(context.deadline, listing).await else {
        return;
    };
    for set in &sets {
        if let Some(words) = scaled_by_experiment(set) {
            let name = set.metadata.name.as_deref().unwrap_or_default();
            context.warn(format!("`statefulset/{name}`: {words}"));
        }
    }
}

/// Undoes a change that the cluster may have accepted although its response came too late.
pub(super) async fn undo_in_doubt(context: &Context, plan: &ChaosPlan, pod: &Pod) {
    let change = plan
        .experiment
        .settings
        .fault
        .and_then(|fault| Change::by(fault, pod));
    let Some(change) = change else {
        return;
    };
    let context = context.clone().restarted();
    if let Err(error) = context.by_deadline(undo(&context, plan, &change)).await {
        context.warn(format!(
            "cannot tell whether anything has to be undone ({error}): run `{}`",
            plan.workload.restore_command()
        ));
    }
}

/// Undoes one change of this experiment.
///
/// # Errors
/// As [`restore`].
pub(super) async fn undo(
    context: &Context,
    plan: &ChaosPlan,
    change: &Change,
) -> Result<(), OpsError> {
    let (workload, by) = (&plan.workload, Some(plan.identity.as_str()));
    match change {
        Change::Scaled => scale_back(context, workload, by).await.map(drop),
        Change::Cordoned { node } => uncordon(context, workload, node, by).await.map(drop),
    }
}

/// A change of this program's experiments.
pub(super) fn by_experiment<'a>(
    kind: &'a ResourceKind,
    object: &'a ObjectRef,
    verb: &'a str,
) -> Changed<'a> {
    Changed {
        kind,
        object,
        manager: EXPERIMENT_MANAGER,
        verb,
    }
}

pub(super) fn annotation<'a>(metadata: &'a ObjectMeta, name: &str) -> Option<&'a str> {
    metadata.annotations.as_ref()?.get(name).map(String::as_str)
}
