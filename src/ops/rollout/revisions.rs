//! Reads the revisions of a workload.

use k8s_openapi::api::apps::v1::{ControllerRevision, StatefulSet};
use k8s_openapi::api::core::v1::Pod;

use super::super::error::OpsError;
use super::super::workload::pod_selector;
use super::super::{Context, Workload};
use crate::cluster::ResourceKind;
use crate::report::HistoryReport;
use crate::rollout::history;

/// The revisions of a workload, with what each of them changed.
///
/// # Errors
/// [`OpsError::NoSuchWorkload`], or a failed request.
pub async fn rollout_history(
    context: &Context,
    workload: &Workload,
) -> Result<HistoryReport, OpsError> {
    let reading = async {
        let set = workload.read(context).await?;
        let revisions = revisions(context, workload, &set).await?;
        let kind = ResourceKind::pod();
        let (namespace, selector) = (Some(workload.namespace.as_str()), pod_selector(&set));
        let pods = context
            .cluster
            .list::<Pod>(&kind, namespace, Some(&selector), None)
            .await
            .map_err(OpsError::while_doing("list the pods"))?;
        Ok(HistoryReport {
            object: workload.reference(),
            revisions: history(&set, &revisions, &pods),
        })
    };
    context.by_deadline(reading).await
}

/// The revisions that match the selector of a workload; perhaps not all of them are its own.
pub(super) async fn revisions(
    context: &Context,
    workload: &Workload,
    set: &StatefulSet,
) -> Result<Vec<ControllerRevision>, OpsError> {
    let (kind, selector) = (ResourceKind::controller_revision(), pod_selector(set));
    let namespace = Some(workload.namespace.as_str());
    context
        .cluster
        .list(&kind, namespace, Some(&selector), None)
        .await
        .map_err(OpsError::while_doing(format!(
            "list the revisions of `{}`",
            workload.reference()
        )))
}
