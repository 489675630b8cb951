//! Waits for the applied objects, by the rules of each kind.

use std::collections::BTreeSet;

use futures::future::{try_join, try_join_all};
use jiff::Timestamp;
use k8s_openapi::api::apps::v1::StatefulSet;
use serde_json::Value;
use tokio::time::{Instant, sleep_until};

use super::error::OpsError;
use super::first_failure::Verdict;
use super::{Context, Workload, rollout};
use crate::action::Action;
use crate::cluster::{ResourceKind, Selector};
use crate::event::EventKind;
use crate::exit::Outcome;
use crate::figures::milliseconds;
use crate::json;
use crate::plan::{Plan, Step, Target};
use crate::report::{RolloutReport, Waited};
use crate::rollout::{RolloutState, rollout_progress, settled};
use crate::status::{State, Status, status_of};

/// Waits for every object of a plan that was carried out. `since` is the cluster's time before that.
/// One failure ends all waits: the command has already failed.
pub(crate) async fn everything(
    context: &Context,
    plan: &Plan,
    since: Timestamp,
) -> Result<(Vec<RolloutReport>, Vec<Waited>), OpsError> {
    let verdict = Verdict::default();
    let (workloads, others): (Vec<&Step>, Vec<&Step>) = plan
        .steps
        .iter()
        .partition(|step| step.target.reference.is("apps", "StatefulSet"));
    let rollouts = try_join_all(workloads.into_iter().map(|step| {
        let verdict = verdict.clone();
        async move {
            let workload = Workload::from_reference(&step.target.reference);
            if step.action == Action::Keep
                && let Some(report) = complete(context, &workload, stored(step)).await
            {
                return Ok(report);
            }
            let stored = step.live.as_ref();
            // On the heap: otherwise every future that awaits it would contain it.
            let following = rollout::follow(context, &workload, stored, &verdict, since);
            let report = Box::pin(following).await?;
            if report.outcome() == Outcome::Unhealthy {
                verdict.fail();
            }
            Ok(report)
        }
    }));
    try_join(rollouts, objects(context, plan, others, &verdict)).await
}

/// The report on a workload that was not written, if one look shows that its rollout is complete.
/// It is judged by its status and all pods, as in [`rollout::follow`]. An incomplete rollout has to
/// be followed.
async fn complete(context: &Context, workload: &Workload, stored: &Value) -> Option<RolloutReport> {
    let started = Instant::now();
    let object = workload.reference();
    let known = json::from_value::<StatefulSet>(stored.clone()).ok()?;
    let snapshot = rollout::look(context, workload, &known).await?;
    // Another object may have this name by now, with other pods.
    if snapshot.stateful_set.metadata.uid != known.metadata.uid {
        return None;
    }
    let now = context.cluster.now();
    let progress = settled(rollout_progress(&snapshot), &snapshot, now);
    if progress.state != RolloutState::Complete {
        return None;
    }
    context.emit(EventKind::Rollout {
        object: object.clone(),
        progress: progress.clone(),
    });
    Some(RolloutReport {
        object,
        progress,
        duration_ms: milliseconds(started.elapsed()),
    })
}

/// Waits for every other object.
async fn objects(
    context: &Context,
    plan: &Plan,
    others: Vec<&Step>,
    verdict: &Verdict,
) -> Result<Vec<Waited>, OpsError> {
    let mounted = &mounted_claims(plan);
    let others: Vec<(&Step, Status)> = others
        .into_iter()
        .map(|step| (step, status_of(&step.target.reference, stored(step))))
        .collect();
    if others
        .iter()
        .any(|(_, status)| status.state == State::Failed)
    {
        verdict.fail();
    }
    try_join_all(others.into_iter().map(async |(step, mut status)| {
        if status.state == State::InProgress {
            status = finish(context, step, mounted, verdict).await?;
        }
        Ok(Waited {
            object: step.target.reference.clone(),
            status,
        })
    }))
    .await
}

/// The object as the API server has stored it.
fn stored(step: &Step) -> &Value {
    step.live.as_ref().unwrap_or(&Value::Null)
}

/// Waits for an object that is not ready yet, unless it becomes ready only when used.
async fn finish(
    context: &Context,
    step: &Step,
    mounted: &BTreeSet<(String, String)>,
    verdict: &Verdict,
) -> Result<Status, OpsError> {
    let first_use = async { Ok(binds_at_first_use(context, step, mounted).await) };
    if context.by_deadline(first_use).await.unwrap_or(false) {
        return Ok(Status {
            state: State::NotWaitedFor,
            message: "gets its volume when a pod mounts it".to_owned(),
        });
    }
    let status = object(context, &step.target, verdict).await?;
    if status.state == State::Failed {
        verdict.fail();
    }
    Ok(status)
}

/// Waits until an object is ready or has failed, another wait has failed, or the deadline passes.
/// Returns its last state.
pub(crate) async fn object(
    context: &Context,
    target: &Target,
    verdict: &Verdict,
) -> Result<Status, OpsError> {
    let reference = &target.reference;
    let mut watched = context.cluster.watch::<Value>(
        &target.kind,
        reference.namespace.as_deref(),
        Selector::name(&reference.name),
    );
    let mut last = Status {
        state: State::InProgress,
        message: String::new(),
    };
    while last.state == State::InProgress {
        tokio::select! {
            // In this order, so that a run can be repeated exactly and the deadline is never
            // starved.
            biased;
            () = sleep_until(context.deadline) => break,
            () = verdict.failed() => break,
            changed = watched.changed() => {
                changed.map_err(OpsError::while_doing(format!("watch `{reference}`")))?;
            }
        }
        let objects = watched.current().unwrap_or_default();
        let status = match objects.first() {
            Some(object) => status_of(reference, object),
            None => Status {
                state: State::Failed,
                message: "was deleted meanwhile".to_owned(),
            },
        };
        if status != last {
            context.emit(EventKind::Waiting {
                object: reference.clone(),
                status: status.clone(),
            });
            last = status;
        }
    }
    Ok(last)
}

/// Whether a claim stays unbound until a pod mounts it, while no workload of the set mounts it.
async fn binds_at_first_use(
    context: &Context,
    step: &Step,
    mounted: &BTreeSet<(String, String)>,
) -> bool {
    let reference = &step.target.reference;
    if !reference.is("", "PersistentVolumeClaim") {
        return false;
    }
    let key = (
        reference.namespace.clone().unwrap_or_default(),
        reference.name.clone(),
    );
    let Some(class) = stored(step)["spec"]["storageClassName"].as_str() else {
        return false;
    };
    if mounted.contains(&key) {
        return false;
    }
    let live = context
        .cluster
        .get::<Value>(&ResourceKind::storage_class(), None, class)
        .await;
    matches!(live, Ok(Some(class)) if class["volumeBindingMode"] == "WaitForFirstConsumer")
}

/// The claims that pods of the set's workloads mount; without replicas there are no pods.
fn mounted_claims(plan: &Plan) -> BTreeSet<(String, String)> {
    plan.steps
        .iter()
        .filter(|step| step.planned["spec"]["replicas"] != 0)
        .flat_map(|step| {
            let namespace = step.target.reference.namespace.clone().unwrap_or_default();
            let body = &step.target.body;
            [&body["spec"]["template"]["spec"], &body["spec"]]
                .into_iter()
                .flat_map(|spec| spec["volumes"].as_array().into_iter().flatten())
                .filter_map(|volume| volume["persistentVolumeClaim"]["claimName"].as_str())
                .map(|claim| (namespace.clone(), claim.to_owned()))
                .collect::<Vec<_>>()
        })
        .collect()
}
