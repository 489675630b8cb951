//! Follows the rollout of a StatefulSet by watching it and its pods.

mod revisions;
mod steering;
pub(crate) mod unstick;

pub use self::revisions::rollout_history;
pub use self::steering::{rollout_pause, rollout_restart, rollout_resume, rollout_undo};
pub use self::unstick::{find_stuck_pods, unstick};

use std::time::Duration;

use futures::future::try_join;
use jiff::Timestamp;
use k8s_openapi::api::apps::v1::StatefulSet;
use k8s_openapi::api::core::v1::Pod;
use serde_json::Value;
use tokio::time::{Instant, sleep_until, timeout_at};

use super::error::OpsError;
use super::first_failure::Verdict;
use super::nearby::Nearby;
use super::overwriting::overwriting;
use super::seen::{STALL, Seen};
use super::stalled_workload::{add_log, surroundings};
use super::workload::pod_selector;
use super::{Context, Workload};
use crate::cluster::{ResourceKind, Selector, Watched};
use crate::event::EventKind;
use crate::figures::milliseconds;
use crate::object::ObjectRef;
use crate::report::RolloutReport;
use crate::rollout::{RolloutProgress, RolloutState, rollout_progress, settled};
use crate::status::Snapshot;

/// How long after a change what surrounds the pods is read first: what waits for something else shows that by then.
const SOON: Duration = Duration::from_secs(1);

/// Follows a rollout until it is complete, has failed, or the deadline passes.
///
/// # Errors
/// [`OpsError::NoSuchWorkload`], [`OpsError::OutOfTime`] when nothing could be read before the
/// deadline, or a failed request.
pub async fn rollout_status(
    context: &Context,
    workload: &Workload,
) -> Result<RolloutReport, OpsError> {
    let since = context.cluster.now();
    // On the heap: otherwise every future that awaits it would contain it.
    let verdict = Verdict::default();
    Box::pin(follow(context, workload, None, &verdict, since)).await
}

/// The same, but also ends when another wait has failed, or when somebody has overwritten what was stored: that
/// is never rolled out then. A refusal before `since`, by the cluster's time, may no longer hold.
pub(crate) async fn follow(
    context: &Context,
    workload: &Workload,
    stored: Option<&Value>,
    verdict: &Verdict,
    since: Timestamp,
) -> Result<RolloutReport, OpsError> {
    let started = Instant::now();
    let object = workload.reference();
    let doing = || OpsError::while_doing(format!("watch `{object}`"));
    let mut view = context.by_deadline(View::open(context, workload)).await?;
    view.since = since;
    let mut seen = Seen::default();
    let mut next_look = Instant::now() + SOON;
    loop {
        let mut has_changed = false;
        let is_over = tokio::select! {
            // In this order, so that a run can be repeated exactly and the deadline is never
            // starved.
            biased;
            () = sleep_until(context.deadline) => true,
            () = verdict.failed() => true,
            changed = view.sets.changed() => { changed.map_err(doing())?; has_changed = true; false }
            changed = view.pods.changed() => { changed.map_err(doing())?; has_changed = true; false }
            () = sleep_until(seen.due().map_or(next_look, |due| due.min(next_look))) => {
                view.look_around(context, workload).await;
                next_look = Instant::now() + STALL;
                false
            }
        };
        let Some(snapshot) = view.snapshot()? else {
            if is_over {
                return Err(context.out_of_time());
            }
            continue;
        };
        let now = context.cluster.now();
        let mut found = settled(rollout_progress(&snapshot), &snapshot, now);
        if found.state == RolloutState::Complete && !has_changed {
            // Only time has passed: the watched state may be old, so read it again.
            if is_over {
                found = seen.last.clone().unwrap_or(found);
            } else if let Some(mut fresh) = look(context, workload, &snapshot.stateful_set).await {
                fresh.events = snapshot.events;
                found = settled(rollout_progress(&fresh), &fresh, context.cluster.now());
            } else {
                continue;
            }
        }
        let mut progress = seen.judge(found.clone());
        if is_over {
            let has_time = Instant::now() < context.deadline;
            progress.state = seen.at_the_end(has_time, progress.state, found.state);
        }
        if matches!(progress.state, RolloutState::Failed { .. }) {
            view.look_around(context, workload).await;
            progress = view.confirmed(progress)?;
        }
        let overwriting = stored.and_then(|stored| overwriting(stored, &snapshot.stateful_set));
        let is_over = is_over || overwriting.is_some();
        if let Some(message) = overwriting {
            progress.state = RolloutState::Progressing {
                message,
                suspicion: None,
            };
        }
        if seen.last.as_ref() != Some(&progress) {
            context.emit(EventKind::Rollout {
                object: object.clone(),
                progress: progress.clone(),
            });
            next_look = next_look.min(Instant::now() + SOON);
            seen.last = Some(progress.clone());
        }
        if is_over || !matches!(progress.state, RolloutState::Progressing { .. }) {
            if let RolloutState::Failed { cause } = &mut progress.state {
                add_log(context, &workload.namespace, cause).await;
            }
            let duration_ms = milliseconds(started.elapsed());
            return Ok(RolloutReport {
                object,
                progress,
                duration_ms,
            });
        }
    }
}

/// The current state of a workload and the pods that it selects; `None` if it cannot be read in
/// time.
pub(crate) async fn look(
    context: &Context,
    workload: &Workload,
    known: &StatefulSet,
) -> Option<Snapshot> {
    let (kind, selector) = (ResourceKind::pod(), pod_selector(known));
    let pods = async {
        let namespace = Some(workload.namespace.as_str());
        let listed = context
            .cluster
            .list::<Pod>(&kind, namespace, Some(&selector), None);
        listed.await.map_err(OpsError::while_doing("list the pods"))
    };
    let looking = try_join(workload.read(context), pods);
    let (stateful_set, pods) = context.by_deadline(looking).await.ok()?;
    Some(Snapshot {
        stateful_set,
        pods,
        ..Snapshot::default()
    })
}

/// The observed state of a workload: it and its pods are watched, the rest is read when needed.
pub(crate) struct View {
    pub(crate) sets: Watched<StatefulSet>,
    pub(crate) pods: Watched<Pod>,
    object: ObjectRef,
    /// What surrounds the pods, as last read.
    surroundings: Snapshot,
    /// When this view started, by the cluster's time.
    since: Timestamp,
}

impl View {
    /// Starts to watch a workload; returns once it has been seen.
    pub(crate) async fn open(context: &Context, workload: &Workload) -> Result<Self, OpsError> {
        let object = workload.reference();
        let namespace = Some(workload.namespace.as_str());
        let mut sets = context.cluster.watch::<StatefulSet>(
            &ResourceKind::stateful_set(),
            namespace,
            Selector::name(&workload.name),
        );
        sets.changed()
            .await
            .map_err(OpsError::while_doing(format!("watch `{object}`")))?;
        let set = sets.current().and_then(|sets| sets.first().cloned());
        let Some(set) = set else {
            return Err(Box::pin(workload.missing(context)).await);
        };
        let selector = Selector {
            labels: Some(pod_selector(&set)),
            fields: None,
        };
        let pods = context
            .cluster
            .watch::<Pod>(&ResourceKind::pod(), namespace, selector);
        Ok(Self {
            sets,
            pods,
            object,
            surroundings: Snapshot::default(),
            since: context.cluster.now(),
        })
    }

    /// The workload's current state.
    pub(crate) fn set(&self) -> Result<StatefulSet, OpsError> {
        let sets = self.sets.current().unwrap_or_default();
        sets.first()
            .cloned()
            .ok_or_else(|| OpsError::NoSuchWorkload {
                nearby: Box::new(Nearby {
                    namespace: self.object.namespace.clone().unwrap_or_default(),
                    ..Nearby::default()
                }),
                object: self.object.clone(),
            })
    }

    /// Everything that is known now; `None` until the pods have been listed.
    pub(crate) fn snapshot(&self) -> Result<Option<Snapshot>, OpsError> {
        let stateful_set = self.set()?;
        Ok(self.pods.current().map(|pods| Snapshot {
            stateful_set,
            pods: pods.as_ref().clone(),
            since: Some(self.since),
            ..self.surroundings.clone()
        }))
    }

    /// A failure, with the evidence that is known by now.
    fn confirmed(&self, failed: RolloutProgress) -> Result<RolloutProgress, OpsError> {
        let Some(snapshot) = self.snapshot()? else {
            return Ok(failed);
        };
        let again = rollout_progress(&snapshot);
        let is_failed = matches!(again.state, RolloutState::Failed { .. });
        Ok(if is_failed { again } else { failed })
    }

    /// Reads what surrounds replicas that are not ready.
    pub(crate) async fn look_around(&mut self, context: &Context, workload: &Workload) {
        let set = self.sets.current().and_then(|sets| sets.first().cloned());
        let pods = self.pods.current().unwrap_or_default();
        let known = self.surroundings.clone();
        let reading = surroundings(context, workload, set.as_ref(), &pods, known);
        if let Ok(surroundings) = timeout_at(context.deadline, reading).await {
            self.surroundings = surroundings;
        }
    }
}
