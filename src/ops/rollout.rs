//! Follows the rollout of a StatefulSet by watching it and its pods.

use std::time::Duration;

use k8s_openapi::api::apps::v1::StatefulSet;
use k8s_openapi::api::core::v1::Pod;
use tokio::time::{Instant, sleep_until};

use super::error::OpsError;
use super::surroundings::{Surroundings, add_log};
use super::verdict::Verdict;
use super::workload::pod_selector;
use super::{Context, Workload};
use crate::cluster::{ResourceKind, Selector, Watched};
use crate::diagnose::{Diagnosis, Finality, LASTING};
use crate::event::{EventKind, milliseconds};
use crate::object::ObjectRef;
use crate::report::RolloutReport;
use crate::status::{RolloutProgress, RolloutState, Snapshot, rollout_progress};

/// A rollout that has not moved for this long is looked at more closely: events and claims, which
/// a healthy rollout never needs.
pub(super) const STALL: Duration = Duration::from_secs(3);

/// Follows a rollout until it is complete, has failed, or the deadline passes.
///
/// # Errors
/// [`OpsError::NoSuchWorkload`], [`OpsError::OutOfTime`] when nothing could be seen until the
/// deadline, or a failed exchange.
pub async fn rollout_status(
    context: &Context,
    workload: &Workload,
) -> Result<RolloutReport, OpsError> {
    follow(context, workload, &Verdict::default()).await
}

/// The same, ending as well when something else that is waited for has failed.
pub(super) async fn follow(
    context: &Context,
    workload: &Workload,
    verdict: &Verdict,
) -> Result<RolloutReport, OpsError> {
    let started = Instant::now();
    let object = workload.reference();
    let doing = || OpsError::while_doing(format!("watch `{object}`"));
    let mut view = context.by_deadline(View::open(context, workload)).await?;
    let mut seen = Seen::default();
    let mut next_look = Instant::now() + STALL;
    loop {
        let is_over = tokio::select! {
            // In this order, so that a run can be repeated exactly, and the deadline is never starved.
            biased;
            () = sleep_until(context.deadline) => true,
            () = verdict.failed() => true,
            changed = view.sets.changed() => { changed.map_err(doing())?; false }
            changed = view.pods.changed() => { changed.map_err(doing())?; false }
            () = sleep_until(next_look) => {
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
        let mut progress = seen.judge(rollout_progress(&snapshot));
        if seen.last.as_ref() != Some(&progress) {
            context.emit(EventKind::Rollout {
                object: object.clone(),
                progress: progress.clone(),
            });
            next_look = Instant::now() + STALL;
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

/// What is seen of a workload: followed, and around it looked up.
pub(super) struct View {
    pub(super) sets: Watched<StatefulSet>,
    pub(super) pods: Watched<Pod>,
    object: ObjectRef,
    surroundings: Surroundings,
}

impl View {
    /// Starts to follow a workload; returns when it has been seen to exist.
    pub(super) async fn open(context: &Context, workload: &Workload) -> Result<Self, OpsError> {
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
            return Err(OpsError::NoSuchWorkload { object });
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
            surroundings: Surroundings::default(),
        })
    }

    /// The workload as it is now.
    pub(super) fn set(&self) -> Result<StatefulSet, OpsError> {
        let sets = self.sets.current().unwrap_or_default();
        sets.first()
            .cloned()
            .ok_or_else(|| OpsError::NoSuchWorkload {
                object: self.object.clone(),
            })
    }

    /// Everything that is known now; `None` until the pods have been listed.
    pub(super) fn snapshot(&self) -> Result<Option<Snapshot>, OpsError> {
        let stateful_set = self.set()?;
        Ok(self.pods.current().map(|pods| Snapshot {
            stateful_set,
            pods: pods.as_ref().clone(),
            claims: self.surroundings.claims.clone(),
            events: self.surroundings.events.clone(),
        }))
    }

    /// Looks up the claims and events around what is not ready.
    pub(super) async fn look_around(&mut self, context: &Context, workload: &Workload) {
        let set = self.sets.current().and_then(|sets| sets.first().cloned());
        let pods = self.pods.current().unwrap_or_default();
        self.surroundings = Surroundings::read(context, workload, set.as_ref(), &pods).await;
    }
}

/// What a rollout looked like so far.
#[derive(Default)]
pub(super) struct Seen {
    last: Option<RolloutProgress>,
    suspicion: Option<(Diagnosis, Instant)>,
}

impl Seen {
    /// Turns a cause that usually mends itself into a failure once it has lasted.
    pub(super) fn judge(&mut self, mut progress: RolloutProgress) -> RolloutProgress {
        let suspicion = match &progress.state {
            RolloutState::Progressing {
                suspicion: Some(suspicion),
                ..
            } if suspicion.finality == Finality::Lasting => suspicion.clone(),
            _ => {
                self.suspicion = None;
                return progress;
            }
        };
        let same = |(known, _): &&(Diagnosis, Instant)| {
            known.cause == suspicion.cause && known.object == suspicion.object
        };
        let since = self
            .suspicion
            .as_ref()
            .filter(same)
            .map_or_else(Instant::now, |(_, since)| *since);
        self.suspicion = Some((suspicion.clone(), since));
        if since.elapsed() >= LASTING {
            let cause = Diagnosis {
                finality: Finality::Final,
                ..suspicion
            };
            progress.state = RolloutState::Failed { cause };
        }
        progress
    }
}
