//! Carries out a plan, layer by layer.

use futures::stream::{self, StreamExt};

use crate::action::Action;
use crate::cluster::{ApplyMode, ClusterError};
use crate::ops::error::{OpsError, WriteFailure};
use crate::ops::first_failure::Verdict;
use crate::ops::write::Write;
use crate::ops::{CONCURRENCY, Context, wait};
use crate::plan::{Plan, Step, Target};

/// Applies every step that changes something; the stored object becomes its live one.
///
/// The steps of a layer run together; a layer starts only when the one before it has succeeded.
pub(crate) async fn apply(context: &Context, plan: &mut Plan) -> Result<(), OpsError> {
    let layers = plan
        .steps
        .chunk_by_mut(|one, next| one.target.layer == next.target.layer);
    for layer in layers {
        let needed = layer.iter_mut().filter(|step| step.action != Action::Keep);
        let failures: Vec<WriteFailure> = stream::iter(needed)
            .map(|step| carry_out(context, step))
            .buffer_unordered(CONCURRENCY)
            .filter_map(async |result| result.err())
            .collect()
            .await;
        if !failures.is_empty() {
            return Err(OpsError::Writes(failures));
        }
        wait_for_definitions(context, layer).await?;
    }
    Ok(())
}

async fn carry_out(context: &Context, step: &mut Step) -> Result<(), WriteFailure> {
    let object = &step.target.reference;
    let write = Write::start(context, object, step.action);
    let (target, mode) = request(step);
    let applied = context.apply(&target, mode).await;
    write.finish(applied.as_ref().err());
    let stored = applied.map_err(|source: ClusterError| WriteFailure {
        object: object.clone(),
        source,
    })?;
    step.live = Some(stored);
    Ok(())
}

/// What is sent for a step.
fn request(step: &Step) -> (Target, ApplyMode) {
    let mut target = step.target.clone();
    if let Some(body) = &step.sent {
        target.body = body.clone();
    }
    if !step.is_bound_to_version() {
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
