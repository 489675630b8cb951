//! Reads what can be deleted, and decides what is deleted and what is kept.

use std::collections::{BTreeMap, BTreeSet};

use futures::stream::{self, StreamExt, TryStreamExt};
use serde_json::Value;

use super::{
    Doomed, DownOptions, DownPlan, claims, custom_resources, kept, namespace, permissions,
};
use crate::cluster::ClusterError;
use crate::object::ObjectRef;
use crate::ops::error::{OpsError, Problem};
use crate::ops::nearby::Nearby;
use crate::ops::{CONCURRENCY, Context, Set, Workload, cordoned_nodes, preflight, read_ahead};
use crate::plan::Target;
use crate::status::is_being_deleted;

/// Reads what can be deleted; deletes nothing yet.
///
/// # Errors
/// [`OpsError::WouldDeleteData`] when a StatefulSet's retention policy would delete claims without
/// `--delete-data`, [`OpsError::Preflight`] when permissions are missing, or a failed request.
pub async fn plan_down(
    context: &Context,
    set: &Set,
    options: DownOptions,
) -> Result<DownPlan, OpsError> {
    context.by_deadline(read(context, set, options)).await
}

async fn read(context: &Context, set: &Set, options: DownOptions) -> Result<DownPlan, OpsError> {
    let (targets, problems) = preflight::resolve(context, set).await?;
    let mut plan = DownPlan::default();
    // A kind that the API server does not serve has no objects.
    plan.report.absent = not_served(problems);
    let of_set: BTreeSet<ObjectRef> = targets
        .iter()
        .map(|target| target.reference.clone())
        .collect();
    let mut namespaces: BTreeSet<String> = of_set
        .iter()
        .filter_map(|reference| reference.namespace.clone())
        .collect();
    let workloads: Vec<Workload> = of_set
        .iter()
        .filter(|reference| reference.is("apps", "StatefulSet"))
        .map(Workload::from_reference)
        .collect();
    for layer in in_layers(targets).into_iter().rev() {
        let mut doomed = Vec::new();
        let mut of_templates = Vec::new();
        for (target, live) in read_live(context, layer).await?.into_iter().rev() {
            let reference = target.reference.clone();
            if reference.is("", "Namespace") {
                namespaces.insert(reference.name);
                continue;
            }
            let Some(live) = live else {
                plan.report.absent.push(reference);
                continue;
            };
            let goes = options.delete_data || is_being_deleted(&live);
            if reference.is("apiextensions.k8s.io", "CustomResourceDefinition") {
                let others = custom_resources::others(context, &reference, &live, &of_set).await?;
                if !goes {
                    plan.report.kept.push(kept(reference, others.reason()));
                    continue;
                }
                plan.along.extend(others.go_with(&reference)?);
            }
            if is_data(&reference) && !goes {
                plan.report.kept.push(kept(reference, claims::HOLDS_DATA));
                continue;
            }
            doomed.push(Doomed::of(target.reference, target.kind, &live));
            if reference.is("apps", "StatefulSet") {
                let claims = claims::of_templates(context, &reference, live, options, &mut plan);
                of_templates.extend(claims.await?);
            }
        }
        plan.layers.extend([doomed, of_templates]);
    }
    for name in &namespaces {
        namespace::plan(context, name, options, &mut plan).await?;
    }
    cordoned_nodes::tell_of_cordoned(context, &workloads).await;
    if let (Some(named), true) = (&context.namespace, has_nothing(&plan)) {
        let nearby = Nearby::look(context, named).await;
        context.warn(nearby.instead_of_the_set());
    }
    let missing = permissions::missing(context, &plan).await?;
    if missing.is_empty() {
        Ok(plan)
    } else {
        Err(OpsError::Preflight(missing))
    }
}

/// Whether no object of the set exists.
fn has_nothing(plan: &DownPlan) -> bool {
    let is_namespace = |object: &ObjectRef| object.is("", "Namespace");
    plan.is_empty()
        && plan
            .report
            .kept
            .iter()
            .all(|kept| is_namespace(&kept.object))
}

fn not_served(problems: Vec<Problem>) -> Vec<ObjectRef> {
    problems
        .into_iter()
        .filter_map(|problem| match problem {
            Problem::KindNotServed { object, .. } => Some(object),
            _ => None,
        })
        .collect()
}

fn in_layers(targets: Vec<Target>) -> Vec<Vec<Target>> {
    let mut layers: BTreeMap<usize, Vec<Target>> = BTreeMap::new();
    for target in targets {
        layers.entry(target.layer).or_default().push(target);
    }
    layers.into_values().collect()
}

/// The live state of each target.
async fn read_live(
    context: &Context,
    targets: Vec<Target>,
) -> Result<Vec<(Target, Option<Value>)>, OpsError> {
    let mut ahead = read_ahead::read(context, targets.iter(), false).await;
    let reads = targets.into_iter().map(|target| {
        let known = ahead.remove(&target.reference);
        async move {
            let object = &target.reference;
            let live = match known {
                Some(live) => live,
                // Its definition is in the set too, but does not exist.
                None if !target.is_served => None,
                None => read_one(context, &target)
                    .await
                    .map_err(OpsError::while_doing(format!("read `{object}`")))?,
            };
            Ok((target, live))
        }
    });
    stream::iter(reads)
        .buffered(CONCURRENCY)
        .try_collect()
        .await
}

/// The live state of a target; `None` if its definition was deleted since the kind was looked up.
async fn read_one(context: &Context, target: &Target) -> Result<Option<Value>, ClusterError> {
    let Target {
        reference, kind, ..
    } = target;
    let read = context
        .cluster
        .get(kind, reference.namespace.as_deref(), &reference.name)
        .await;
    match read {
        Err(error) if context.cluster.has_dropped(kind, &error).await => Ok(None),
        read => read,
    }
}

fn is_data(reference: &ObjectRef) -> bool {
    reference.group.is_empty()
        && matches!(
            reference.kind.as_str(),
            "PersistentVolumeClaim" | "PersistentVolume"
        )
}
