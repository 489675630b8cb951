//! Waits for what was applied, by the rules of each kind.

use std::collections::BTreeSet;

use futures::future::{try_join, try_join_all};
use serde_json::Value;
use tokio::time::sleep_until;

use super::error::OpsError;
use super::verdict::Verdict;
use super::{Context, Workload, rollout};
use crate::cluster::{ResourceKind, Selector};
use crate::event::EventKind;
use crate::exit::Outcome;
use crate::plan::{Plan, Target};
use crate::report::{RolloutReport, Waited};
use crate::status::{State, Status, status_of};

/// Waits for everything that was applied; `stored` holds the objects as the API server returned
/// them. One failure ends the wait for all others: the answer is no already.
pub(super) async fn everything(
    context: &Context,
    plan: &Plan,
    stored: &[Value],
) -> Result<(Vec<RolloutReport>, Vec<Waited>), OpsError> {
    let verdict = Verdict::default();
    let workloads = plan
        .steps
        .iter()
        .filter(|step| step.target.reference.is("apps", "StatefulSet"))
        .map(|step| Workload::from_reference(&step.target.reference));
    let rollouts = try_join_all(workloads.map(|workload| {
        let verdict = verdict.clone();
        async move {
            let report = rollout::follow(context, &workload, &verdict).await?;
            if report.outcome() == Outcome::Unhealthy {
                verdict.fail();
            }
            Ok(report)
        }
    }));
    try_join(rollouts, objects(context, plan, stored, &verdict)).await
}

/// Waits for every other object.
async fn objects(
    context: &Context,
    plan: &Plan,
    stored: &[Value],
    verdict: &Verdict,
) -> Result<Vec<Waited>, OpsError> {
    let mounted = mounted_claims(plan);
    let waits = plan
        .steps
        .iter()
        .zip(stored)
        .filter(|(step, _)| !step.target.reference.is("apps", "StatefulSet"))
        .map(|(step, stored)| {
            let mounted = &mounted;
            async move {
                let target = &step.target;
                let now = status_of(&target.reference, stored);
                let status = match now.state {
                    State::InProgress
                        if binds_at_first_use(context, target, stored, mounted).await =>
                    {
                        Status {
                            state: State::NotWaitedFor,
                            message: "gets its volume when a pod mounts it".to_owned(),
                        }
                    }
                    State::InProgress => object(context, target, verdict).await?,
                    _ => now,
                };
                if status.state == State::Failed {
                    verdict.fail();
                }
                Ok::<Waited, OpsError>(Waited {
                    object: target.reference.clone(),
                    status,
                })
            }
        });
    try_join_all(waits).await
}

/// Waits until an object is ready or has failed, something else has failed, or the deadline passes;
/// returns its last state.
pub(super) async fn object(
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
            // In this order, so that a run can be repeated exactly, and the deadline is never starved.
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

/// Whether a claim stays unbound until a pod mounts it, and no workload of the set does.
async fn binds_at_first_use(
    context: &Context,
    target: &Target,
    stored: &Value,
    mounted: &BTreeSet<(String, String)>,
) -> bool {
    let reference = &target.reference;
    if !reference.is("", "PersistentVolumeClaim") {
        return false;
    }
    let key = (
        reference.namespace.clone().unwrap_or_default(),
        reference.name.clone(),
    );
    let Some(class) = stored["spec"]["storageClassName"].as_str() else {
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
