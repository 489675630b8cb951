//! One experiment on a workload at a time: a Lease says who runs it, and expires by itself.
//!
//! As in `k8s.io/client-go` `tools/leaderelection`, nobody's clock is believed: a lease is alive when it
//! changes before our eyes, and has expired when it stood still for its whole duration by our own clock.

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
use crate::figures;
use crate::ops::error::OpsError;
use crate::ops::{Context, Workload};

/// How long a lease is respected after its last renewal.
const DURATION: Duration = Duration::from_secs(15);
const RENEWAL: Duration = Duration::from_secs(3);
/// How often a lease is looked at, to see whether it changes.
const LOOK: Duration = Duration::from_millis(500);
/// Somebody else's lease may name any duration.
const LONGEST: Duration = Duration::from_mins(1);
/// How often an acquisition or a release begins anew because somebody else wrote in between.
const ATTEMPTS: u32 = 5;
/// A lease that is not released expires.
const RELEASE_TIME: Duration = Duration::from_secs(5);

/// What was found before anything is broken.
#[derive(Debug, Clone)]
pub(super) enum Found {
    /// Nobody experiments; the lease of somebody who did may still be there.
    Free(Option<Box<Lease>>),
    /// Leases cannot be used here: why.
    NotAllowed(String),
}

/// Looks whether somebody else experiments on the workload. While the lease of somebody is there, that
/// takes until it is renewed, or as long as it lasts.
///
/// # Errors
/// [`OpsError::Occupied`] when somebody does, or a failed exchange.
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
        // Not the version: the garbage collector changes that of the lease of a workload that is gone.
        let seen = lease.spec.clone();
        let (first, since) = first.get_or_insert_with(|| {
            context.warn(format!(
                "{}: waiting up to {} to see whether it still runs",
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

/// Who else experiments on the workload, as far as one look tells.
pub(super) async fn other(context: &Context, workload: &Workload) -> Option<String> {
    let lease = read(context, workload).await.ok()??;
    holder(&lease).is_some().then(|| who(&lease))
}

/// The lease that this experiment holds; it is renewed until it is released.
pub(super) struct Held {
    context: Context,
    workload: Workload,
    identity: String,
    state: Arc<Mutex<State>>,
    renewing: JoinHandle<()>,
}

/// What is known of the lease that is held.
struct State {
    /// When the last successful renewal was sent.
    renewed: Instant,
    /// Why it is not ours any more.
    lost: Option<String>,
}

/// Takes the lease; `None` where leases cannot be used, which is said.
///
/// # Errors
/// [`OpsError::Occupied`] when somebody else has taken it since it was looked at, or a failed exchange.
pub(super) async fn acquire(
    context: &Context,
    plan: &ChaosPlan,
    set: &StatefulSet,
) -> Result<Option<Held>, OpsError> {
    let workload = &plan.workload;
    let not_allowed = |message: &str| {
        context.warn(format!(
            "another experiment on `{}` at the same time would not be noticed: {message}",
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
    let identity = &plan.request.identity;
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
    let message = "somebody else changes it all the time".to_owned();
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

    /// Why others may experiment at the same time by now; `None` while that is ruled out.
    pub(super) fn objection(&self) -> Option<String> {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let unrenewed = state.renewed.elapsed();
        state.lost.clone().or_else(|| {
            (unrenewed >= DURATION).then(|| {
                format!(
                    "its lease could not be renewed for {}: somebody else may have begun an \
                     experiment meanwhile",
                    figures::duration(unrenewed)
                )
            })
        })
    }

    /// Lets others experiment at once; what fails here mends itself when the lease expires.
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
                // Another version of it is there: a renewal was still on its way.
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
            Ok(Some(lease)) => break format!("{} while this one was under way", who(&lease)),
            Ok(None) => break "its lease was deleted while it was under way".to_owned(),
            // It is tried again; while that lasts, it expires.
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

/// Makes the lease ours: a new one, or that of somebody who is gone, as it was seen.
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
        // It goes with the workload.
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
        .merge_patch(&kind, Some(&workload.namespace), &name, patch)
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

/// Who has begun, and when by their own clock.
fn who(lease: &Lease) -> String {
    let holder = holder(lease).unwrap_or("nobody");
    let spec = lease.spec.as_ref();
    match spec.and_then(|spec| spec.acquire_time.as_ref()) {
        Some(since) => format!("`{holder}` has begun an experiment at {:.0}", since.0),
        None => format!("`{holder}` has begun an experiment"),
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
