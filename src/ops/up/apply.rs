//! Carries out a plan, layer by layer.

use futures::stream::{self, StreamExt};
use serde_json::Value;

use super::dry_run::{self, Rules};
use super::replace;
use super::undeclared::{self, Removal};
use crate::action::Action;
use crate::cluster::{ApplyMode, ClusterError};
use crate::ops::error::{OpsError, WriteFailure};
use crate::ops::first_failure::Verdict;
use crate::ops::write::{ATTEMPTS, Write};
use crate::ops::{CONCURRENCY, Context, inventory, wait};
use crate::plan::{Plan, Step, Target, mark_again};

/// Applies every step that changes something; the stored object becomes its live one.
///
/// The steps of a layer run together; a layer starts only when the one before it has succeeded.
pub(crate) async fn apply(
    context: &Context,
    rules: Rules<'_>,
    plan: &mut Plan,
) -> Result<(), OpsError> {
    let mut done = 0;
    loop {
        let (earlier, rest) = plan.steps.split_at_mut(done);
        let is_same = |one: &Step, next: &Step| one.target.layer == next.target.layer;
        let Some(layer) = rest.chunk_by_mut(is_same).next() else {
            return Ok(());
        };
        done += layer.len();
        if rules.rolls {
            mark_again(earlier, layer);
        }
        let needed = layer.iter_mut().filter(|step| step.action != Action::Keep);
        let failures: Vec<WriteFailure> = stream::iter(needed)
            .map(|step| carry_out(context, rules, step))
            .buffer_unordered(CONCURRENCY)
            .filter_map(|result| std::future::ready(result.err()))
            .collect()
            .await;
        if !failures.is_empty() {
            return Err(OpsError::Writes(failures));
        }
        wait_for_definitions(context, layer).await?;
    }
}

async fn carry_out(
    context: &Context,
    rules: Rules<'_>,
    step: &mut Step,
) -> Result<(), WriteFailure> {
    let write = Write::start(context, &step.target.reference, step.action);
    let reverts = !step.settlement.reverted.is_empty();
    let moves = !step.migration.is_empty();
    let stored = match step.action {
        Action::Replace => replace::replace(context, rules, step).await,
        Action::Create if step.adoption.is_some() => {
            replace::create_over_pods(context, rules, step).await
        }
        _ => change(context, rules, step).await,
    };
    write.finish(stored.as_ref().err());
    let has_removed = reverts && step.settlement.reverted.is_empty();
    if stored.is_err() && has_removed {
        let object = &step.target.reference;
        context.warn(format!(
            "the undeclared fields of `{object}` were removed before its apply failed"
        ));
    }
    let has_moved = moves && step.migration.is_empty();
    let is_known = |error: &ClusterError| !error.outcome_is_unknown();
    if has_moved && stored.as_ref().is_err_and(is_known) {
        let object = &step.target.reference;
        context.warn(format!(
            "the fields of `{object}` are yours now, but their values are as before: its apply failed"
        ));
    }
    match stored {
        Ok(stored) => {
            step.live = Some(stored);
            Ok(())
        }
        Err(source) => Err(WriteFailure {
            object: step.target.reference.clone(),
            source,
        }),
    }
}

/// Writes an object; one that is bound to a version is planned again if another client was faster.
async fn change(
    context: &Context,
    rules: Rules<'_>,
    step: &mut Step,
) -> Result<Value, ClusterError> {
    let mut stored = store(context, rules, step).await;
    for attempt in 1..=ATTEMPTS {
        let is_late = matches!(stored, Err(ClusterError::Conflict { .. }));
        if !is_late || !is_bound(step, rules) {
            break;
        }
        context.cluster.let_others_write(attempt).await;
        // Most of the time only its status has changed.
        let Some(again) = dry_run::repeat(context, step, rules).await else {
            break;
        };
        *step = again;
        stored = store(context, rules, step).await;
    }
    stored
}

/// Moves fields from former managers, takes away what is to be reverted, and applies the manifest.
async fn store(
    context: &Context,
    rules: Rules<'_>,
    step: &mut Step,
) -> Result<Value, ClusterError> {
    let reverted = &step.settlement.reverted;
    let is_patched = !reverted.is_empty() || !step.migration.is_empty();
    if let Some(live) = step.live.as_ref().filter(|_| is_patched) {
        let (target, moves) = (&step.target, &step.migration);
        let patched =
            undeclared::remove(context, target, live, reverted, moves, Removal::Store).await?;
        step.live = Some(patched);
        step.settlement.reverted.clear();
    }
    if !step.migration.is_empty() {
        step.forget_move();
        // Before any value changes: does the API server do to the fields that are ours now what was shown?
        let again = dry_run::repeat(context, step, rules).await;
        let again = again.ok_or_else(|| ClusterError::Conflict {
            message: "the apply would do something else now than what was shown".to_owned(),
        })?;
        *step = Step {
            action: step.action,
            ..again
        };
    }
    let (target, mode) = request(step, rules);
    match rules.inventory {
        Some(inventory)
            if target.reference == inventory.reference() && mode == ApplyMode::Store =>
        {
            inventory::grow(context, inventory, &target).await
        }
        _ => context.apply(&target, mode).await,
    }
}

/// Whether a step is sent only for the version of its object that it was planned with.
fn is_bound(step: &Step, rules: Rules<'_>) -> bool {
    step.is_bound_to_version() || rules.holds_version && step.live.is_some()
}

/// What is sent for a step.
fn request(step: &Step, rules: Rules<'_>) -> (Target, ApplyMode) {
    let mut target = step.applied();
    if !is_bound(step, rules) {
        return (target, ApplyMode::Store);
    }
    let metadata = step.live.as_ref().map(|live| &live["metadata"]);
    let version = metadata.map(|metadata| metadata["resourceVersion"].clone());
    target.body["metadata"]["resourceVersion"] = version.unwrap_or_default();
    let is_forced = step.takes();
    (target, ApplyMode::StoreVersion { is_forced })
}

/// Objects of a new kind can be applied only once the kind is served.
async fn wait_for_definitions(context: &Context, layer: &[Step]) -> Result<(), OpsError> {
    let created = layer
        .iter()
        .filter(|step| step.action == Action::Create)
        .map(|step| &step.target)
        .filter(|target| {
            target
                .reference
                .is("apiextensions.k8s.io", "CustomResourceDefinition")
        });
    for definition in created {
        wait::object(context, definition, &Verdict::default()).await?;
    }
    Ok(())
}
