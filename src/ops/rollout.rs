//! Follows the rollout of a StatefulSet by watching it and its pods.

use std::time::Duration;

use futures::future::join_all;
use k8s_openapi::api::apps::v1::StatefulSet;
use k8s_openapi::api::core::v1::{Event, PersistentVolumeClaim, Pod};
use tokio::time::{Instant, sleep_until, timeout_at};

use super::error::OpsError;
use super::workload::pod_selector;
use super::{Context, Workload};
use crate::cluster::{ResourceKind, Selector};
use crate::diagnose::{Cause, Diagnosis};
use crate::event::{EventKind, milliseconds};
use crate::object::ObjectRef;
use crate::report::RolloutReport;
use crate::status::{RolloutProgress, RolloutState, Snapshot, is_ready, rollout_progress};

/// A rollout that has not moved for this long is looked at more closely: events and claims, which
/// a healthy rollout never needs.
const STALL: Duration = Duration::from_secs(3);
/// Log lines that go with the diagnosis of a crash.
const LOG_LINES: i64 = 10;

/// Follows a rollout until it is complete, has failed, or the deadline passes.
///
/// # Errors
/// [`OpsError::NoSuchWorkload`], or a failed exchange.
pub async fn rollout_status(
    context: &Context,
    workload: &Workload,
) -> Result<RolloutReport, OpsError> {
    follow(context, workload).await
}

pub(super) async fn follow(
    context: &Context,
    workload: &Workload,
) -> Result<RolloutReport, OpsError> {
    let started = Instant::now();
    let object = workload.reference();
    let namespace = Some(workload.namespace.as_str());
    let doing = || OpsError::while_doing(format!("watch `{object}`"));
    let mut sets = context.cluster.watch::<StatefulSet>(
        &ResourceKind::stateful_set(),
        namespace,
        Selector::name(&workload.name),
    );
    let first = timeout_at(context.deadline, sets.changed()).await;
    let Ok(first) = first else {
        return Err(no_answer(context, &object));
    };
    first.map_err(doing())?;
    let set = sets.current().and_then(|sets| sets.first().cloned());
    let Some(set) = set else {
        return Err(OpsError::NoSuchWorkload { object });
    };
    let selector = Selector {
        labels: Some(pod_selector(&set)),
        fields: None,
    };
    let mut pods = context
        .cluster
        .watch::<Pod>(&ResourceKind::pod(), namespace, selector);
    let mut surroundings = Surroundings::default();
    let mut last: Option<RolloutProgress> = None;
    let mut next_look = Instant::now() + STALL;
    loop {
        let is_over = tokio::select! {
            changed = sets.changed() => { changed.map_err(doing())?; false }
            changed = pods.changed() => { changed.map_err(doing())?; false }
            () = sleep_until(next_look) => {
                surroundings = look_around(context, workload, sets_first(&sets).as_ref(), &pods.current().unwrap_or_default()).await;
                next_look = Instant::now() + STALL;
                false
            }
            () = sleep_until(context.deadline) => true,
        };
        let Some(set) = sets_first(&sets) else {
            return Err(OpsError::NoSuchWorkload { object });
        };
        if let Some(pods) = pods.current() {
            let snapshot = Snapshot {
                stateful_set: set,
                pods: pods.as_ref().clone(),
                claims: surroundings.claims.clone(),
                events: surroundings.events.clone(),
            };
            let progress = rollout_progress(&snapshot);
            if last.as_ref() != Some(&progress) {
                context.emit(EventKind::Rollout {
                    object: object.clone(),
                    progress: progress.clone(),
                });
                next_look = Instant::now() + STALL;
                last = Some(progress);
            }
        }
        let Some(progress) = &mut last else {
            if is_over {
                return Err(no_answer(context, &object));
            }
            continue;
        };
        if is_over || !matches!(progress.state, RolloutState::Progressing { .. }) {
            if let RolloutState::Failed { cause } = &mut progress.state {
                add_log(context, &workload.namespace, cause).await;
            }
            let duration_ms = milliseconds(started.elapsed());
            return Ok(RolloutReport {
                object,
                progress: progress.clone(),
                duration_ms,
            });
        }
    }
}

fn no_answer(context: &Context, object: &ObjectRef) -> OpsError {
    OpsError::Cluster {
        doing: format!("watch `{object}`"),
        source: crate::cluster::ClusterError::Timeout {
            server: context.cluster.server().to_owned(),
            after: context.timeout,
        },
    }
}

fn sets_first(sets: &crate::cluster::Watched<StatefulSet>) -> Option<StatefulSet> {
    sets.current().and_then(|sets| sets.first().cloned())
}

/// What only a stalled rollout needs.
#[derive(Default)]
struct Surroundings {
    claims: Vec<PersistentVolumeClaim>,
    events: Vec<Event>,
}

/// Reads the claims and events around what is not ready. Without permission for them the diagnosis
/// has less to go by; that is no reason to fail.
async fn look_around(
    context: &Context,
    workload: &Workload,
    set: Option<&StatefulSet>,
    pods: &[Pod],
) -> Surroundings {
    let namespace = Some(workload.namespace.as_str());
    let unready: Vec<&Pod> = pods.iter().filter(|pod| !is_ready(pod)).collect();
    let claim_names: Vec<&str> = unready
        .iter()
        .filter_map(|pod| pod.spec.as_ref())
        .flat_map(|spec| spec.volumes.iter().flatten())
        .filter_map(|volume| volume.persistent_volume_claim.as_ref())
        .map(|source| source.claim_name.as_str())
        .collect();
    let claim_kind = ResourceKind::claim();
    let reads = claim_names.iter().map(|name| {
        context
            .cluster
            .get::<PersistentVolumeClaim>(&claim_kind, namespace, name)
    });
    let claims: Vec<PersistentVolumeClaim> = join_all(reads)
        .await
        .into_iter()
        .filter_map(|read| read.ok().flatten())
        .collect();
    let uids = unready
        .iter()
        .filter_map(|pod| pod.metadata.uid.as_deref())
        .chain(
            claims
                .iter()
                .filter_map(|claim| claim.metadata.uid.as_deref()),
        )
        .chain(set.iter().filter_map(|set| set.metadata.uid.as_deref()));
    let event_kind = ResourceKind::event();
    let lists = uids.map(|uid| {
        let fields = format!("involvedObject.uid={uid}");
        let event_kind = &event_kind;
        async move {
            context
                .cluster
                .list::<Event>(event_kind, namespace, None, Some(&fields))
                .await
        }
    });
    let events = join_all(lists)
        .await
        .into_iter()
        .flat_map(Result::unwrap_or_default)
        .collect();
    Surroundings { claims, events }
}

/// Adds the last log lines of a container that keeps ending to the evidence.
pub(super) async fn add_log(context: &Context, namespace: &str, diagnosis: &mut Diagnosis) {
    let crashed = matches!(diagnosis.cause, Cause::CrashLoop | Cause::StuckRevision);
    let Some(container) = diagnosis.container.clone().filter(|_| crashed) else {
        return;
    };
    let pod = diagnosis.object.name.clone();
    for previous in [true, false] {
        let lines = context
            .cluster
            .log_excerpt(namespace, &pod, &container, previous, LOG_LINES)
            .await;
        if let Ok(lines) = lines
            && !lines.is_empty()
        {
            diagnosis.evidence.extend(lines);
            return;
        }
    }
}
