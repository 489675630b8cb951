//! Deletes the pods that block a rollout, and no others.

use tokio::time::timeout_at;

use super::super::error::OpsError;
use super::super::stalled_workload::surroundings;
use super::super::write::{ATTEMPTS, Write};
use super::super::{Context, Workload};
use super::look;
use crate::action::Action;
use crate::cluster::{ClusterError, Deletion, Grace};
use crate::rollout::{StuckPod, stuck_pods};
use crate::status::Snapshot;

/// The pods that block the rollout of a workload.
///
/// # Errors
/// [`OpsError::NoSuchWorkload`], or a failed request.
pub async fn find_stuck_pods(
    context: &Context,
    workload: &Workload,
) -> Result<Vec<StuckPod>, OpsError> {
    // On the heap: otherwise every future that awaits it would contain it.
    let surveying = Box::pin(surveyed(context, workload));
    Ok(stuck_pods(&surveying.await?))
}

/// A workload with its pods and everything that says why they are not Ready.
///
/// # Errors
/// [`OpsError::NoSuchWorkload`], or a failed request.
pub(crate) async fn surveyed(context: &Context, workload: &Workload) -> Result<Snapshot, OpsError> {
    let known = workload.read(context).await?;
    let Some(seen) = look(context, workload, &known).await else {
        return Err(context.out_of_time());
    };
    let (set, pods) = (&seen.stateful_set, &seen.pods);
    let reading = surroundings(context, workload, Some(set), pods, Snapshot::default());
    let around = timeout_at(context.deadline, reading).await;
    Ok(Snapshot {
        stateful_set: seen.stateful_set,
        pods: seen.pods,
        ..around.unwrap_or_default()
    })
}

/// Deletes pods that block a rollout. Each is deleted in the version in which it was seen to be stuck, so that one that
/// has become Ready since, or that is another one by now, is left alone. Returns those that were deleted.
///
/// # Errors
/// A failed request.
pub async fn unstick(
    context: &Context,
    workload: &Workload,
    stuck: &[StuckPod],
) -> Result<Vec<StuckPod>, OpsError> {
    let mut deleted = Vec::new();
    for pod in stuck {
        if Box::pin(delete(context, workload, pod)).await? {
            deleted.push(pod.clone());
        }
    }
    Ok(deleted)
}

/// Deletes a stuck pod; false if it is not stuck any more.
async fn delete(context: &Context, workload: &Workload, seen: &StuckPod) -> Result<bool, OpsError> {
    let object = &seen.pod;
    for _ in 0..ATTEMPTS {
        // Meanwhile its revision may be wanted again.
        let stuck = find_stuck_pods(context, workload).await?;
        let Some(pod) = stuck.into_iter().find(|it| it.uid == seen.uid) else {
            return Ok(false);
        };
        let write = Write::start(context, object, Action::Delete);
        let (name, uid, version) = (&object.name, &pod.uid, &pod.version);
        let deleting =
            context
                .cluster
                .delete_pod(&workload.namespace, name, uid, version, Grace::OfThePod);
        let answer = deleting.await;
        let other = ClusterError::Conflict {
            message: "it is not as it was seen any more".to_owned(),
        };
        let is_other = matches!(answer, Ok(Deletion::AlreadyGone));
        write.finish(answer.as_ref().err().or(is_other.then_some(&other)));
        answer.map_err(OpsError::while_doing(format!("delete `{object}`")))?;
        if !is_other {
            return Ok(true);
        }
    }
    Ok(false)
}
