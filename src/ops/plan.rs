//! Compares every object with the cluster: its live state against a rehearsed apply.

use std::collections::BTreeSet;

use futures::stream::{self, StreamExt, TryStreamExt};
use serde_json::Value;

use super::error::{OpsError, OwnedField, Problem};
use super::{CONCURRENCY, Context, Set, preflight};
use crate::cluster::{ApplyMode, ClusterError, ResourceKind};
use crate::plan::{Plan, Step, Target};

/// What a plan is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// To be looked at.
    Read,
    /// To be carried out, and perhaps waited for.
    Write {
        /// Whether what is written is waited for.
        waits: bool,
    },
}

/// How often an object that somebody else is writing is compared anew.
const READS_AGAIN: usize = 3;

/// Plans what has to happen; the API server rehearses every object that it can.
///
/// # Errors
/// Everything that would make the apply fail, all of it at once, or a failed exchange.
pub(super) async fn plan(context: &Context, set: &Set, purpose: Purpose) -> Result<Plan, OpsError> {
    let (targets, mut problems) = preflight::resolve(context, set).await?;
    let absent_namespaces = absent_namespaces(context, &targets).await?;
    let (steps, refused) = steps(context, targets, &absent_namespaces, purpose).await?;
    problems.extend(refused);
    let plan = Plan {
        absent_namespaces,
        steps,
        layers: set.manifests.layers(),
    };
    if let Purpose::Write { waits } = purpose
        && plan.writes()
    {
        problems.extend(preflight::storage_classes(context, &plan).await?);
        problems.extend(preflight::permissions(context, &plan, waits).await?);
    }
    if problems.is_empty() {
        Ok(plan)
    } else {
        Err(OpsError::Preflight(problems))
    }
}

/// Rehearses again the objects whose namespace did not exist when the plan was made.
///
/// # Errors
/// As [`plan`], naming what has been created by now.
pub(super) async fn rehearse_created(
    context: &Context,
    plan: &mut Plan,
    created: &str,
) -> Result<(), OpsError> {
    let targets: Vec<Target> = plan.steps.iter().map(|step| step.target.clone()).collect();
    let (steps, problems) = steps(context, targets, &[], Purpose::Write { waits: false }).await?;
    if !problems.is_empty() {
        return Err(OpsError::Rehearsal {
            created: created.to_owned(),
            problems,
        });
    }
    plan.steps = steps;
    Ok(())
}

async fn absent_namespaces(context: &Context, targets: &[Target]) -> Result<Vec<String>, OpsError> {
    // A namespace of the set is created like any other, so that it is marked as ours.
    let of_set = targets
        .iter()
        .filter(|target| target.reference.is("", "Namespace"))
        .map(|target| target.reference.name.clone());
    let named: BTreeSet<String> = targets
        .iter()
        .filter_map(|target| target.reference.namespace.clone())
        .chain(of_set)
        .collect();
    let mut absent = Vec::new();
    for name in named {
        let live = context
            .cluster
            .get::<Value>(&ResourceKind::namespace(), None, &name)
            .await;
        match live {
            Ok(None) => absent.push(name),
            // Whoever may not read namespaces can only use those that exist.
            Ok(Some(_)) | Err(ClusterError::Forbidden { .. }) => {}
            Err(error) => {
                return Err(OpsError::while_doing(format!(
                    "read the namespace `{name}`"
                ))(error));
            }
        }
    }
    Ok(absent)
}

async fn steps(
    context: &Context,
    targets: Vec<Target>,
    absent_namespaces: &[String],
    purpose: Purpose,
) -> Result<(Vec<Step>, Vec<Problem>), OpsError> {
    let rehearsals: Vec<Rehearsal> = stream::iter(targets)
        .map(|target| {
            let in_absent_namespace = target
                .reference
                .namespace
                .as_ref()
                .is_some_and(|name| absent_namespaces.contains(name));
            rehearse(context, target, in_absent_namespace, purpose)
        })
        .buffered(CONCURRENCY)
        .try_collect()
        .await?;
    let mut steps = Vec::new();
    let mut problems = Vec::new();
    for rehearsal in rehearsals {
        match rehearsal {
            Rehearsal::Step(step) => steps.push(*step),
            Rehearsal::Problem(problem) => problems.push(problem),
        }
    }
    Ok((steps, problems))
}

enum Rehearsal {
    Step(Box<Step>),
    Problem(Problem),
}

async fn rehearse(
    context: &Context,
    target: Target,
    in_absent_namespace: bool,
    purpose: Purpose,
) -> Result<Rehearsal, OpsError> {
    let object = target.reference.clone();
    let namespace = object.namespace.as_deref();
    let cluster = &context.cluster;
    if in_absent_namespace {
        return Ok(
            match cluster.rehearse_create(&target.kind, &target.body).await {
                Err(error) if error.is_about_fields() => Rehearsal::Problem(Problem::Refused {
                    object,
                    source: error,
                }),
                // Anything else speaks of the namespace and the name of the rehearsal.
                _ => Rehearsal::Step(Box::new(Step::new(target, None, None))),
            },
        );
    }
    let read = async || {
        cluster
            .get::<Value>(&target.kind, namespace, &object.name)
            .await
    };
    let mut live = match read().await {
        Ok(live) => live,
        Err(error @ ClusterError::Forbidden { .. }) => {
            return Ok(Rehearsal::Problem(Problem::Refused {
                object,
                source: error,
            }));
        }
        Err(error) => return Err(OpsError::while_doing(format!("read `{object}`"))(error)),
    };
    let apply = async |mode| {
        cluster
            .apply(&target.kind, namespace, &object.name, &target.body, mode)
            .await
    };
    let mut applied = apply(ApplyMode::DryRun).await;
    // Somebody wrote in between: their change would look like ours. A rehearsal shows the version that it began from.
    for _ in 0..READS_AGAIN {
        let is_same = applied.as_ref().map_or(true, |planned| {
            live.as_ref()
                .is_some_and(|live| version(live) == version(planned))
        });
        if is_same || live.is_none() {
            break;
        }
        live = read()
            .await
            .map_err(OpsError::while_doing(format!("read `{object}`")))?;
        applied = apply(ApplyMode::DryRun).await;
    }
    if let Err(ClusterError::OwnedByOthers { conflicts }) = applied {
        let fields = conflicts
            .into_iter()
            .map(|conflict| OwnedField::new(conflict, live.as_ref(), &target.body))
            .collect();
        let problem = Problem::OwnedByOthers {
            object: object.clone(),
            conflicts: fields,
        };
        if purpose != Purpose::Read {
            return Ok(Rehearsal::Problem(problem));
        }
        context.warn(format!("`up` would refuse this: {problem}"));
        applied = apply(ApplyMode::ForcedDryRun).await;
    }
    Ok(match applied {
        Ok(planned) => Rehearsal::Step(Box::new(Step::new(target, live, Some(planned)))),
        Err(ClusterError::NotFound { .. }) if !target.is_served => {
            Rehearsal::Step(Box::new(Step::new(target, live, None)))
        }
        Err(error) if error.is_transient() && !matches!(error, ClusterError::Refused { .. }) => {
            return Err(OpsError::while_doing(format!("rehearse `{object}`"))(error));
        }
        Err(error) => Rehearsal::Problem(Problem::Refused {
            object,
            source: error,
        }),
    })
}

fn version(object: &Value) -> &Value {
    &object["metadata"]["resourceVersion"]
}
