//! Allows one experiment on a workload at a time: a Lease names the holder and expires by itself.
//!
//! As in `k8s.io/client-go` `tools/leaderelection`, no other clock is trusted: a lease is alive if we see
//! it change, and expired if it did not change for its whole duration by our own clock.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use k8s_openapi::api::apps::v1::StatefulSet;
use k8s_openapi::api::coordination::v1::{Lease, LeaseSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::MicroTime;
use serde_json::{Value, json};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, timeout};

use super::ChaosPlan;
use crate::cluster::{ClusterError, ResourceKind};
use crate::fields::EXPERIMENT_MANAGER;
use crate::figures;
use crate::ops::error::OpsError;
use crate::ops::{Context, Workload};

/// How long a lease is valid after its last renewal.
const DURATION: Duration = Duration::from_secs(15);
const RENEWAL: Duration = Duration::from_secs(3);
/// How often a lease is read to see whether it changes.
const LOOK: Duration = Duration::from_millis(500);
/// The limit for the duration of another client's lease, which may name any.
const LONGEST: Duration = Duration::from_mins(1);
/// How often acquiring or releasing is retried after another client's write.
const ATTEMPTS: u32 = 5;
/// A lease that is not released expires.
const RELEASE_TIME: Duration = Duration::from_secs(5);

/// The state of the lease before anything is broken.
#[derive(Debug, Clone)]
pub(super) enum Found {
    /// No experiment runs; an expired lease may still exist.
    Free(Option<Box<Lease>>),
    /// Leases cannot be used here: the reason.
    NotAllowed(String),
}

/// Checks whether another experiment on the workload is running. If a lease exists, this takes until it
/// is renewed or expires.
///
/// # Errors
/// [`OpsError::Occupied`] if another experiment is running, or a failed request.
pub(super) async fn look(context: &Context, workload: &Workload) -> Result<Found, OpsError> {
    let mut first: Option<(Option<LeaseSpec>, Instant)> = None;
    loop {
        let lease = match read(context, workload).await {
            Ok(Some(lease)) => Box::new(lease),
            Ok(None) => return Ok(Found::Free(None)),
            Err(ClusterError::Forbidden { message, .. }) => return Ok(Found::NotAllowed(message)),
            Err(error) => return Err(failed(workload, "read")(error)),
        };
        if holder(&lease).is_none() {
            return Ok(Found::Free(Some(lease)));
        }
        // Not the resource version: the garbage collector changes it after the workload is deleted.
        let seen = lease.spec.clone();
        let (first, since) = first.get_or_insert_with(|| {
            context.warn(format!(
                "{}: waiting up to {} to see whether it is still running",
                who(&lease),
                figures::duration(duration(&lease))
            ));
            (seen.clone(), Instant::now())
        });
        if *first != seen {
            return Err(occupied(workload, &lease));
        }
        if since.elapsed() >= duration(&lease) {
            return Ok(Found::Free(Some(lease)));
        }
        sleep(LOOK).await;
    }
}

/// The other experiment on the workload, as far as one read of the lease shows.
pub(super) async fn other(context: &Context, workload: &Workload) -> Option<String> {
    let lease = read(context, workload).await.ok()??;
    holder(&lease).is_some().then(|| who(&lease))
}

/// The lease that this experiment holds and renews until it releases it.
pub(super) struct Held {
    context: Context,
    workload: Workload,
    identity: String,
    state: Arc<Mutex<State>>,
    renewing: JoinHandle<()>,
}

/// The state of the held lease.
struct State {
    /// When the last successful renewal was sent.
    renewed: Instant,
    /// Why it is no longer ours.
    lost: Option<String>,
}

/// Takes the lease; warns and returns `None` where leases cannot be used.
///
/// # Errors
/// [`OpsError::Occupied`] if another client took it since it was read, or a failed request.
pub(super) async fn acquire(
    context: &Context,
    plan: &ChaosPlan,
    set: &StatefulSet,
) -> Result<Option<Held>, OpsError> {
    let workload = &plan.workload;
    let not_allowed = |message: &str| {
        context.warn(format!(
            "a concurrent experiment on `{}` would go unnoticed: {message}",
            workload.reference()
        ));
    };
    let mut free = match &plan.lease {
        Found::Free(free) => free.clone(),
        Found::NotAllowed(message) => {
            not_allowed(message);
            return Ok(None);
        }
    };
    let identity = &plan.identity;
    for _ in 0..ATTEMPTS {
        let began = Instant::now();
        match take(context, workload, identity, set, free.as_deref()).await {
            Ok(_) => return Ok(Some(Held::new(context, workload, identity, began))),
            Err(ClusterError::Forbidden { message, .. }) => {
                not_allowed(&message);
                return Ok(None);
            }
            Err(ClusterError::Conflict { .. } | ClusterError::NotFound { .. }) => {}
            Err(error) if error.outcome_is_unknown() => {}
            Err(error) => return Err(failed(workload, "take")(error)),
        }
        let now = read(context, workload).await;
        free = now.map_err(failed(workload, "read"))?.map(Box::new);
        match free.as_deref() {
            Some(lease) if holder(lease) == Some(identity) => {
                return Ok(Some(Held::new(context, workload, identity, began)));
            }
            Some(lease) if holder(lease).is_some() => return Err(occupied(workload, lease)),
            _ => {}
        }
    }
    let message = "another client keeps changing it".to_owned();
    Err(failed(workload, "take")(ClusterError::Conflict { message }))
}

impl Held {
    fn new(context: &Context, workload: &Workload, identity: &str, renewed: Instant) -> Self {
        let state = Arc::new(Mutex::new(State {
            renewed,
            lost: None,
        }));
        let renewing = renew(
            context.clone(),
            workload.clone(),
            identity.to_owned(),
            Arc::clone(&state),
        );
        Self {
            context: context.clone(),
            workload: workload.clone(),
            identity: identity.to_owned(),
            state,
            renewing: tokio::spawn(renewing),
        }
    }

    /// Why another experiment may be running by now; `None` while that is ruled out.
    pub(super) fn objection(&self) -> Option<String> {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let unrenewed = state.renewed.elapsed();
        state.lost.clone().or_else(|| {
            (unrenewed >= DURATION).then(|| {
                format!(
                    "the lease could not be renewed for {}: another experiment may have started \
                     since",
                    figures::duration(unrenewed)
                )
            })
        })
    }

    /// Lets the next experiment start at once. If this fails, the lease expires.
    pub(super) async fn release(self) {
        self.renewing.abort();
        let (kind, name) = (ResourceKind::lease(), name(&self.workload));
        let releasing = async {
            for _ in 0..ATTEMPTS {
                let Ok(Some(lease)) = read(&self.context, &self.workload).await else {
                    return;
                };
                if holder(&lease) != Some(&self.identity) {
                    return;
                }
                let uid = lease.metadata.uid.as_deref().unwrap_or_default();
                let deleted = self.context.cluster.delete_version(
                    &kind,
                    &self.workload.namespace,
                    &name,
                    uid,
                    version(&lease).unwrap_or_default(),
                );
                // Another version exists: a renewal was still in flight.
                if deleted.await.is_err() {
                    return;
                }
            }
        };
        let _ = timeout(RELEASE_TIME, releasing).await;
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.renewing.abort();
    }
}

/// Renews the lease until it is lost.
async fn renew(context: Context, workload: Workload, identity: String, state: Arc<Mutex<State>>) {
    let lost = loop {
        sleep(RENEWAL).await;
        let sent = Instant::now();
        let lease = match read(&context, &workload).await {
            Ok(Some(lease)) if holder(&lease) == Some(&identity) => lease,
            Ok(Some(lease)) => break format!("{} while this one was running", who(&lease)),
            Ok(None) => break "the lease was deleted while the experiment was running".to_owned(),
            // The loop retries; if that takes too long, the lease expires.
            Err(_) => continue,
        };
        let patch = json!({
            "metadata": {"resourceVersion": version(&lease)},
            "spec": {"renewTime": MicroTime(Timestamp::now())},
        });
        if write(&context, &workload, &patch).await.is_ok() {
            state.lock().unwrap_or_else(PoisonError::into_inner).renewed = sent;
        }
    };
    state.lock().unwrap_or_else(PoisonError::into_inner).lost = Some(lost);
}

/// Takes the lease: creates it, or takes over an expired one at the version that was read.
async fn take(
    context: &Context,
    workload: &Workload,
    identity: &str,
    set: &StatefulSet,
    free: Option<&Lease>,
) -> Result<Value, ClusterError> {
    let now = MicroTime(Timestamp::now());
    let transitions = free.and_then(|lease| lease.spec.as_ref()?.lease_transitions);
    let mut metadata = json!({
        // It is deleted with the workload.
        "ownerReferences": [{
            "apiVersion": "apps/v1",
            "kind": "StatefulSet",
            "name": workload.name,
            "uid": set.metadata.uid,
        }],
    });
    let spec = LeaseSpec {
        holder_identity: Some(identity.to_owned()),
        lease_duration_seconds: i32::try_from(DURATION.as_secs()).ok(),
        acquire_time: Some(now.clone()),
        renew_time: Some(now),
        lease_transitions: Some(transitions.map_or(0, |number| number.saturating_add(1))),
        ..LeaseSpec::default()
    };
    if let Some(lease) = free {
        metadata["resourceVersion"] = json!(version(lease));
        let patch = json!({"metadata": metadata, "spec": spec});
        return write(context, workload, &patch).await;
    }
    metadata["name"] = json!(name(workload));
    let lease = json!({
        "apiVersion": "coordination.k8s.io/v1",
        "kind": "Lease",
        "metadata": metadata,
        "spec": spec,
    });
    let cluster = &context.cluster;
    cluster
        .create(&ResourceKind::lease(), Some(&workload.namespace), &lease)
        .await
}

async fn read(context: &Context, workload: &Workload) -> Result<Option<Lease>, ClusterError> {
    let (kind, name) = (ResourceKind::lease(), name(workload));
    let reading = context.cluster.get(&kind, Some(&workload.namespace), &name);
    reading.await
}

async fn write(
    context: &Context,
    workload: &Workload,
    patch: &Value,
) -> Result<Value, ClusterError> {
    let (kind, name) = (ResourceKind::lease(), name(workload));
    let cluster = &context.cluster;
    cluster
        .merge_patch(
            &kind,
            Some(&workload.namespace),
            &name,
            patch,
            EXPERIMENT_MANAGER,
        )
        .await
}

fn name(workload: &Workload) -> String {
    format!("cryptoctl-chaos-{}", workload.name)
}

fn holder(lease: &Lease) -> Option<&str> {
    let spec = lease.spec.as_ref()?;
    spec.holder_identity
        .as_deref()
        .filter(|holder| !holder.is_empty())
}

fn version(lease: &Lease) -> Option<&str> {
    lease.metadata.resource_version.as_deref()
}

fn duration(lease: &Lease) -> Duration {
    let spec = lease.spec.as_ref();
    let seconds = spec.and_then(|spec| spec.lease_duration_seconds);
    seconds
        .and_then(|seconds| u64::try_from(seconds).ok())
        .map_or(DURATION, Duration::from_secs)
        .min(LONGEST)
}

/// Who started an experiment, and when by their own clock.
fn who(lease: &Lease) -> String {
    let holder = holder(lease).unwrap_or("unknown");
    let spec = lease.spec.as_ref();
    match spec.and_then(|spec| spec.acquire_time.as_ref()) {
        Some(since) => format!("`{holder}` started an experiment at {:.0}", since.0),
        None => format!("`{holder}` started an experiment"),
    }
}

fn occupied(workload: &Workload, lease: &Lease) -> OpsError {
    OpsError::Occupied {
        object: Box::new(workload.reference()),
        by: who(lease),
    }
}

fn failed(workload: &Workload, verb: &str) -> impl FnOnce(ClusterError) -> OpsError {
    OpsError::while_doing(format!("{verb} `lease/{}`", name(workload)))
}
