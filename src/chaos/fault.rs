//! Sends one fault to the cluster.

use k8s_openapi::api::apps::v1::StatefulSet;
use k8s_openapi::api::core::v1::Pod;

use super::ChaosPlan;
use super::cordon::cordon;
use super::process;
use super::restoration::Change;
use super::scaling::scale_to_zero;
use crate::action::Action;
use crate::cluster::{Cluster, ClusterError, CommandEnd, Deletion, Eviction, Grace, ResourceKind};
use crate::fault::Fault;
use crate::fields::EXPERIMENT_MANAGER;
use crate::object::ObjectRef;
use crate::ops::error::OpsError;
use crate::ops::write::Write;
use crate::ops::{Context, Workload};
use crate::rollout;

/// The result of sending a fault.
#[derive(Debug)]
pub(super) enum Sent {
    /// The cluster accepted it; the change, if any, must be undone afterwards.
    Accepted(Option<Change>),
    /// It was refused, so nothing was broken: the reason.
    Refused(String),
    /// It reported a failure, but the end of the process may look the same: the reason.
    Doubtful(String),
}

/// Sends a fault to one pod, or to the whole workload.
///
/// # Errors
/// A failed request; nothing was broken then, unless the event of the write says otherwise.
pub(super) async fn send(
    context: &Context,
    plan: &ChaosPlan,
    set: &StatefulSet,
    pod: &Pod,
) -> Result<Sent, OpsError> {
    let workload = &plan.workload;
    match plan.experiment.settings.fault {
        None => Ok(Sent::Accepted(None)),
        Some(Fault::Delete) => delete(context, workload, pod, Grace::OfThePod).await,
        Some(Fault::ForceDelete) => delete(context, workload, pod, Grace::None).await,
        Some(Fault::Evict) => evict(context, workload, pod).await,
        Some(Fault::Kill) => kill(context, plan, pod).await,
        Some(Fault::Restart) => restart(context, workload, set).await,
        Some(Fault::Scale) => scale_to_zero(context, plan)
            .await
            .map(|change| Sent::Accepted(Some(change))),
        Some(Fault::Cordon) => {
            let node = pod.spec.as_ref().and_then(|spec| spec.node_name.clone());
            let Some(node) = node else {
                return Ok(Sent::Refused("it has no node yet".to_owned()));
            };
            cordon(context, plan, &node).await.map(Sent::Accepted)
        }
    }
}

fn reference(workload: &Workload, pod: &Pod) -> (ObjectRef, String) {
    let name = pod.metadata.name.clone().unwrap_or_default();
    let uid = pod.metadata.uid.clone().unwrap_or_default();
    (
        ObjectRef::new("", "Pod", Some(&workload.namespace), &name),
        uid,
    )
}

async fn delete(
    context: &Context,
    workload: &Workload,
    pod: &Pod,
    grace: Grace,
) -> Result<Sent, OpsError> {
    let (object, uid) = reference(workload, pod);
    let write = Write::start(context, &object, Action::Delete);
    let cluster = &context.cluster;
    let (namespace, name) = (&workload.namespace, &object.name);
    let send = async |version: &str| {
        let deleting = cluster.delete_pod(namespace, name, &uid, version, grace);
        Ok(match deleting.await? {
            Deletion::Accepted | Deletion::Gone => Some(()),
            Deletion::AlreadyGone => None,
        })
    };
    let deleted = alone(context, &object, pod, send).await;
    write.finish(deleted.as_ref().err());
    deleted
        .map(|()| Sent::Accepted(None))
        .map_err(OpsError::while_doing(format!("delete `{object}`")))
}

/// Evicts a pod; a refusal by a disruption budget is a result, not an error.
pub(super) async fn evict(
    context: &Context,
    workload: &Workload,
    pod: &Pod,
) -> Result<Sent, OpsError> {
    let (object, uid) = reference(workload, pod);
    let write = Write::start(context, &object, Action::Delete);
    let cluster = &context.cluster;
    let (namespace, name) = (&workload.namespace, &object.name);
    let evict = async |version: &str| {
        Ok(match cluster.evict(namespace, name, &uid, version).await? {
            Eviction::Accepted => Some(None),
            Eviction::Forbidden(message) => Some(Some(message)),
            Eviction::AlreadyGone => None,
        })
    };
    let evicted = alone(context, &object, pod, evict).await;
    let (sent, refusal) = match evicted {
        Ok(None) => (Ok(Sent::Accepted(None)), None),
        Ok(Some(message)) => (
            Ok(Sent::Refused(format!(
                "a disruption budget forbids it: {message}"
            ))),
            Some(ClusterError::BudgetForbids { message }),
        ),
        Err(error) => (Err(error), None),
    };
    write.finish(refusal.as_ref().or(sent.as_ref().err()));
    sent.map_err(OpsError::while_doing(format!("evict `{object}`")))
}

/// How often the deletion is retried because the pod's status changed in between.
const ATTEMPTS: u32 = 10;

/// Deletes or evicts a pod only at a resource version at which it was not terminating. If another client
/// is faster, the API server refuses our request, so its deletion never counts as ours.
async fn alone<T>(
    context: &Context,
    object: &ObjectRef,
    pod: &Pod,
    mut send: impl AsyncFnMut(&str) -> Result<Option<T>, ClusterError>,
) -> Result<T, ClusterError> {
    let mut version = pod.metadata.resource_version.clone().unwrap_or_default();
    for _ in 0..ATTEMPTS {
        if let Some(done) = send(&version).await? {
            return Ok(done);
        }
        let kind = ResourceKind::pod();
        let reading = context
            .cluster
            .get::<Pod>(&kind, object.namespace.as_deref(), &object.name);
        let now = reading.await?;
        let now = now.filter(|now| now.metadata.uid == pod.metadata.uid);
        let Some(now) = now.filter(|now| now.metadata.deletion_timestamp.is_none()) else {
            break;
        };
        version = now.metadata.resource_version.unwrap_or_default();
    }
    Err(ClusterError::Conflict {
        message: format!("`{object}` was deleted or replaced by another client at the same time"),
    })
}

/// Sends SIGTERM to process 1 with a command that the image contains.
async fn kill(context: &Context, plan: &ChaosPlan, pod: &Pod) -> Result<Sent, OpsError> {
    let workload = &plan.workload;
    let (object, _) = reference(workload, pod);
    let container = plan.experiment.container.clone().unwrap_or_default();
    // The pod may have an older template than the one that was planned with.
    if let Some(reason) = pod
        .spec
        .as_ref()
        .and_then(|spec| process::obstacle(spec, &container))
    {
        return Ok(Sent::Refused(reason));
    }
    let write = Write::start(context, &object, Action::Change);
    let sent = signal(&context.cluster, workload, &object.name, &container).await;
    let refusal = match &sent {
        // The container may have ended, and the command with it.
        Ok(Sent::Doubtful(reason)) => Some(ClusterError::AnswerLost {
            server: context.cluster.server().to_owned(),
            source: reason.clone().into(),
        }),
        _ => None,
    };
    write.finish(refusal.as_ref().or(sent.as_ref().err()));
    sent.map_err(OpsError::while_doing(format!(
        "send SIGTERM to process 1 of `{object}`"
    )))
}

async fn signal(
    cluster: &Cluster,
    workload: &Workload,
    pod: &str,
    container: &str,
) -> Result<Sent, ClusterError> {
    let mut words = String::new();
    for way in WAYS {
        let ended = cluster
            .exec(&workload.namespace, pod, container, way)
            .await
            .map_err(|error| error.0)?;
        match ended {
            // When the container ends, the command's exit status is lost with it.
            CommandEnd::Succeeded | CommandEnd::Unsaid => return Ok(Sent::Accepted(None)),
            CommandEnd::Failed(message) => words = message,
        }
    }
    Ok(Sent::Doubtful(format!(
        "container `{container}` can run neither `sh` nor `kill`: {}",
        words.trim()
    )))
}

/// Every shell has `kill` built in; an image without a shell may have the program. The shell exits
/// before process 1 gets the signal, because the end of process 1 would look like a failed command.
const WAYS: [&[&str]; 2] = [
    &["sh", "-c", "(sleep 0.1; kill -TERM 1) >/dev/null 2>&1 &"],
    &["kill", "-TERM", "1"],
];

async fn restart(
    context: &Context,
    workload: &Workload,
    set: &StatefulSet,
) -> Result<Sent, OpsError> {
    let object = workload.reference();
    let write = Write::start(context, &object, Action::Change);
    let patch = rollout::restart(set, &jiff::Timestamp::now().to_string());
    let changed = context
        .cluster
        .merge_patch(
            &ResourceKind::stateful_set(),
            Some(&workload.namespace),
            &workload.name,
            &patch,
            EXPERIMENT_MANAGER,
        )
        .await;
    write.finish(changed.as_ref().err());
    changed
        .map(|_| Sent::Accepted(None))
        .map_err(OpsError::while_doing(format!("restart `{object}`")))
}
