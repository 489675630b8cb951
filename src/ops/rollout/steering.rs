//! Undoes, restarts, pauses and resumes a rollout.
//!
//! What these write belongs to a field manager of their own, so that a later `up` can tell it from what the
//! manifests say.

use k8s_openapi::api::apps::v1::StatefulSet;
use serde_json::{Value, json};

use super::super::change::{Changed, change};
use super::super::error::OpsError;
use super::super::{Context, Workload};
use super::revisions::revisions;
use crate::cluster::ResourceKind;
use crate::fields::{Ownership, ROLLOUT_MANAGER, changes};
use crate::json;
use crate::report::Steered;
use crate::rollout::{
    Goal, RESTARTED_AT, Target, hold_all_but, restart, resume, target, with_template,
};
use crate::status::{KeptBecause, expected_ordinals, kept_because, paused};

/// Brings the pod template of an earlier revision back.
///
/// # Errors
/// [`OpsError::Unable`] if there is no such revision, or a failed request.
pub async fn rollout_undo(
    context: &Context,
    workload: &Workload,
    goal: Goal,
) -> Result<Steered, OpsError> {
    let mut chosen: Option<Target> = None;
    let look = async |set: StatefulSet, live: Value| {
        // Once: a template that is back has another number, so that a second look would find another one.
        let target = match chosen.take() {
            Some(target) => target,
            None => choose(context, workload, &set, goal).await?,
        };
        let target = chosen.insert(target);
        let Some(patch) = with_template(&live, &target.template) else {
            return Ok(None);
        };
        let whole = |template: &Value| json!({"spec": {"template": template}});
        let mut changes = changes(
            &whole(&live["spec"]["template"]),
            &whole(&target.template),
            &Ownership::new(&live, None),
        );
        // The template of a revision has a time that is not set.
        changes.retain(|change| change.before != change.after);
        let undone = Steered::Undone {
            revision: target.number,
            name: target.name.clone(),
            changes,
        };
        Ok(Some((patch, undone)))
    };
    let undone = steer(context, workload, "undo the rollout of", look).await?;
    Ok(undone.unwrap_or_else(|| Steered::Nothing {
        reason: format!(
            "has the template of revision {} already",
            chosen.map(|target| target.number).unwrap_or_default()
        ),
    }))
}

async fn choose(
    context: &Context,
    workload: &Workload,
    set: &StatefulSet,
    goal: Goal,
) -> Result<Target, OpsError> {
    let known = revisions(context, workload, set).await?;
    target(set, &known, goal).map_err(|reason| OpsError::Unable {
        doing: "undo the rollout of",
        object: Box::new(workload.reference()),
        reason: reason.to_string(),
        hint: format!(
            "see the revisions with `{}`",
            workload.command("rollout history")
        ),
    })
}

/// Replaces all pods, one after the other.
///
/// # Errors
/// A failed request.
pub async fn rollout_restart(context: &Context, workload: &Workload) -> Result<Steered, OpsError> {
    let now = context.cluster.now().to_string();
    let mut is_held = false;
    let look = async |set: StatefulSet, live: Value| {
        is_held = paused(&set).is_some();
        let annotations = &live["spec"]["template"]["metadata"]["annotations"];
        // An earlier attempt whose answer was lost has done it.
        let is_done = annotations[RESTARTED_AT] == now.as_str();
        Ok((!is_done && !is_held).then(|| (restart(&set, &now), Steered::Restarted)))
    };
    let restarted = steer(context, workload, "restart", look).await?;
    match restarted {
        Some(restarted) => Ok(restarted),
        None if is_held => Err(OpsError::Unable {
            doing: "restart",
            object: Box::new(workload.reference()),
            reason: "its rollout is paused".to_owned(),
            hint: format!("resume it first: `{}`", workload.command("rollout resume")),
        }),
        None => Ok(Steered::Restarted),
    }
}

/// Keeps all replicas at their revisions.
///
/// # Errors
/// [`OpsError::Unable`] if the update strategy has no partition, or a failed request.
pub async fn rollout_pause(context: &Context, workload: &Workload) -> Result<Steered, OpsError> {
    let look = async |set: StatefulSet, _| {
        if kept_because(&set) == Some(KeptBecause::OnDelete) {
            return Err(OpsError::Unable {
                doing: "pause the rollout of",
                object: Box::new(workload.reference()),
                reason:
                    "with the update strategy `OnDelete`, no replica is updated until it is deleted"
                        .to_owned(),
                hint: "nothing has to be paused; delete no pod until it is to be updated"
                    .to_owned(),
            });
        }
        let patch = hold_all_but(&set, 0);
        let replicas = i32::try_from(expected_ordinals(&set).len()).unwrap_or(i32::MAX);
        let partition = &patch["spec"]["updateStrategy"]["rollingUpdate"]["partition"];
        let is_done = paused(&set).is_some() && *partition == crate::status::partition(&set);
        Ok((!is_done).then_some((patch, Steered::Paused { replicas })))
    };
    let paused = steer(context, workload, "pause the rollout of", look).await?;
    Ok(paused.unwrap_or_else(|| Steered::Nothing {
        reason: "is paused already".to_owned(),
    }))
}

/// Updates the replicas again.
///
/// # Errors
/// A failed request.
pub async fn rollout_resume(context: &Context, workload: &Workload) -> Result<Steered, OpsError> {
    let look = async |set: StatefulSet, _| {
        let partition = paused(&set).unwrap_or_default();
        Ok(resume(&set).map(|patch| (patch, Steered::Resumed { partition })))
    };
    let resumed = steer(context, workload, "resume the rollout of", look).await?;
    Ok(resumed.unwrap_or_else(|| Steered::Nothing {
        reason: "is not paused".to_owned(),
    }))
}

/// Applies the patch that follows from the state of a workload, as the field manager of roll-outs.
async fn steer(
    context: &Context,
    workload: &Workload,
    verb: &str,
    mut look: impl AsyncFnMut(StatefulSet, Value) -> Result<Option<(Value, Steered)>, OpsError>,
) -> Result<Option<Steered>, OpsError> {
    let (kind, object) = (ResourceKind::stateful_set(), workload.reference());
    let changed = Changed {
        kind: &kind,
        object: &object,
        manager: ROLLOUT_MANAGER,
        verb,
    };
    let reading = async || {
        let namespace = Some(workload.namespace.as_str());
        let live = context
            .cluster
            .get::<Value>(&kind, namespace, &workload.name);
        let live = live
            .await
            .map_err(OpsError::while_doing(format!("read `{object}`")))?;
        let set = live.and_then(|live| Some((json::from_value(live.clone()).ok()?, live)));
        match set {
            Some((set, live)) => look(set, live).await,
            None => Err(Box::pin(workload.missing(context)).await),
        }
    };
    // On the heap: otherwise every future that awaits it would contain it.
    let changing = Box::pin(change(context, changed, reading));
    context.by_deadline(changing).await
}
