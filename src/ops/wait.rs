//! Waits for what was applied, by the rules of each kind.

use std::collections::BTreeSet;

use futures::future::{try_join, try_join_all};
use serde_json::Value;
use tokio::sync::watch;
use tokio::time::sleep_until;

use super::error::OpsError;
use super::{Context, Workload, rollout};
use crate::cluster::{ResourceKind, Selector};
use crate::event::EventKind;
use crate::exit::Outcome;
use crate::plan::{Plan, Target};
use crate::report::{RolloutReport, Waited};
use crate::status::{State, Status, status_of};

/// Waits for everything that was applied; `stored` holds the objects as the API server returned
/// them. A rollout that has failed ends the wait for all others: the answer is no already.
pub(super) async fn everything(
    context: &Context,
    plan: &Plan,
    stored: &[Value],
) -> Result<(Vec<RolloutReport>, Vec<Waited>), OpsError> {
    let (answer, decided) = watch::channel(false);
    let rollouts = async {
        let reports = rollouts(context, plan).await?;
        let failed = reports
            .iter()
            .any(|report| report.outcome() != Outcome::Success);
        // Nobody may be waiting any more.
        let _ = answer.send(failed);
        Ok(reports)
    };
    try_join(rollouts, objects(context, plan, stored, decided)).await
}

/// Follows every StatefulSet of the plan.
async fn rollouts(context: &Context, plan: &Plan) -> Result<Vec<RolloutReport>, OpsError> {
    let workloads = plan
        .steps
        .iter()
        .filter(|step| step.target.reference.is("apps", "StatefulSet"))
        .map(|step| Workload::from_reference(&step.target.reference));
    try_join_all(workloads.map(|workload| async move { rollout::follow(context, &workload).await }))
        .await
}

/// Waits for every other object.
async fn objects(
    context: &Context,
    plan: &Plan,
    stored: &[Value],
    decided: watch::Receiver<bool>,
) -> Result<Vec<Waited>, OpsError> {
    let mounted = mounted_claims(plan);
    let waits = plan
        .steps
        .iter()
        .zip(stored)
        .filter(|(step, _)| !step.target.reference.is("apps", "StatefulSet"))
        .map(|(step, stored)| {
            let mounted = &mounted;
            let decided = decided.clone();
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
                    State::InProgress => object(context, target, decided).await?,
                    _ => now,
                };
                Ok::<Waited, OpsError>(Waited {
                    object: target.reference.clone(),
                    status,
                })
            }
        });
    try_join_all(waits).await
}

/// Waits until an object is ready, has failed, it does not matter any more (`decided`), or the
/// deadline passes; returns its last state.
pub(super) async fn object(
    context: &Context,
    target: &Target,
    mut decided: watch::Receiver<bool>,
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
            changed = watched.changed() => {
                changed.map_err(OpsError::while_doing(format!("watch `{reference}`")))?;
            }
            Ok(_) = decided.wait_for(|decided| *decided) => break,
            () = sleep_until(context.deadline) => break,
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
