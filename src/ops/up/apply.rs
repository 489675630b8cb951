//! Writes a plan, layer by layer.

use std::borrow::Cow;

use futures::stream::{self, StreamExt};
use serde_json::Value;

use crate::action::Action;
use crate::cluster::{ApplyMode, ClusterError};
use crate::ops::error::{OpsError, WriteFailure};
use crate::ops::first_failure::Verdict;
use crate::ops::write::Write;
use crate::ops::{CONCURRENCY, Context, wait};
use crate::plan::{Plan, Step};

/// Applies every step that changes something, and returns the stored objects in the order of the
/// steps.
///
/// The steps of a layer run together; a layer starts only when the one before it has succeeded.
pub(crate) async fn apply<'a>(
    context: &Context,
    plan: &'a Plan,
) -> Result<Vec<Cow<'a, Value>>, OpsError> {
    let mut stored: Vec<Cow<Value>> = plan
        .steps
        .iter()
        .map(|step| match &step.live {
            Some(live) => Cow::Borrowed(live),
            None => Cow::Owned(Value::Null),
        })
        .collect();
    for layer in &plan.layers {
        let written: Vec<(usize, Result<Value, ClusterError>)> = stream::iter(layer)
            .filter(|index| {
                let needed = plan
                    .steps
                    .get(**index)
                    .is_some_and(|step| step.action != Action::Keep);
                std::future::ready(needed)
            })
            .map(|index| async move { (*index, apply_step(context, &plan.steps[*index]).await) })
            .buffer_unordered(CONCURRENCY)
            .collect()
            .await;
        let mut failures = Vec::new();
        for (index, result) in written {
            match result {
                Ok(object) => stored[index] = Cow::Owned(object),
                Err(source) => {
                    let object = plan.steps[index].target.reference.clone();
                    failures.push(WriteFailure { object, source });
                }
            }
        }
        if !failures.is_empty() {
            return Err(OpsError::Writes(failures));
        }
        wait_for_definitions(context, plan, layer).await?;
    }
    Ok(stored)
}

async fn apply_step(context: &Context, step: &Step) -> Result<Value, ClusterError> {
    let write = Write::start(context, &step.target.reference, step.action);
    let applied = context.apply(&step.target, ApplyMode::Store).await;
    write.finish(applied.as_ref().err());
    applied
}

/// Objects of a new kind can be applied only once the kind is served.
async fn wait_for_definitions(
    context: &Context,
    plan: &Plan,
    layer: &[usize],
) -> Result<(), OpsError> {
    let created = layer
        .iter()
        .filter_map(|index| plan.steps.get(*index))
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
