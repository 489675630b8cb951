//! Compares every object with the cluster: its live state against a rehearsed apply.

use std::collections::BTreeSet;

use futures::stream::{self, StreamExt, TryStreamExt};
use serde_json::Value;

use super::ahead::Ahead;
use super::error::{OpsError, OwnedField, Problem};
use super::{CONCURRENCY, Context, Set, ahead, preflight};
use crate::cluster::{ApplyMode, ClusterError, ResourceKind};
use crate::plan::{Plan, Step, Target, namespace_reference};

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
    let Namespaces { absent, of_set } = namespaces(context, &targets).await?;
    let (steps, refused) = steps(context, targets, &absent, of_set, purpose).await?;
    problems.extend(refused);
    let plan = Plan {
        absent_namespaces: absent,
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
    let purpose = Purpose::Write { waits: false };
    let (steps, problems) = steps(context, targets, &[], Ahead::new(), purpose).await?;
    if !problems.is_empty() {
        return Err(OpsError::Rehearsal {
            created: created.to_owned(),
            problems,
        });
    }
    plan.steps = steps;
    Ok(())
}

/// What was found of the namespaces that a set is in or has.
struct Namespaces {
    /// Those that do not exist.
    absent: Vec<String>,
    /// Those that the set has as objects, as they are.
    of_set: Ahead,
}

async fn namespaces(context: &Context, targets: &[Target]) -> Result<Namespaces, OpsError> {
    // A namespace of the set is created like any other, so that it is marked as ours.
    let of_set: BTreeSet<&str> = targets
        .iter()
        .filter(|target| target.reference.is("", "Namespace"))
        .map(|target| target.reference.name.as_str())
        .collect();
    let named: BTreeSet<&str> = targets
        .iter()
        .filter_map(|target| target.reference.namespace.as_deref())
        .chain(of_set.iter().copied())
        .collect();
    let mut reads = stream::iter(named)
        .map(async |name| (name, read_namespace(context, name).await))
        .buffered(CONCURRENCY);
    let mut found = Namespaces {
        absent: Vec::new(),
        of_set: Ahead::new(),
    };
    while let Some((name, live)) = reads.next().await {
        let live = match live {
            Ok(live) => live,
            // Whoever may not read namespaces can only use those that exist.
            Err(ClusterError::Forbidden { .. }) => continue,
            Err(error) => {
                let doing = format!("read the namespace `{name}`");
                return Err(OpsError::while_doing(doing)(error));
            }
        };
        if live.is_none() {
            found.absent.push(name.to_owned());
        }
        if of_set.contains(name) {
            found.of_set.insert(namespace_reference(name), live);
        }
    }
    Ok(found)
}

async fn read_namespace(context: &Context, name: &str) -> Result<Option<Value>, ClusterError> {
    let kind = ResourceKind::namespace();
    context.cluster.get(&kind, None, name).await
}

async fn steps(
    context: &Context,
    targets: Vec<Target>,
    absent_namespaces: &[String],
    mut ahead: Ahead,
    purpose: Purpose,
) -> Result<(Vec<Step>, Vec<Problem>), OpsError> {
    let is_absent = |target: &Target| {
        let namespace = target.reference.namespace.as_ref();
        namespace.is_some_and(|name| absent_namespaces.contains(name))
    };
    ahead.extend(ahead::read(context, targets.iter().filter(|target| !is_absent(target))).await);
    let rehearsals: Vec<Rehearsal> = stream::iter(targets)
        .map(|target| {
            let known = ahead.remove(&target.reference);
            let in_absent_namespace = is_absent(&target);
            async move {
                match known {
                    _ if in_absent_namespace => rehearse_creation(context, target).await,
                    Some(live) => rehearse_known(context, target, live, purpose).await,
                    None => rehearse(context, target, purpose).await,
                }
            }
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

/// Rehearses what goes into a namespace that does not exist yet.
async fn rehearse_creation(context: &Context, target: Target) -> Result<Rehearsal, OpsError> {
    let rehearsed = context
        .cluster
        .rehearse_create(&target.kind, &target.body)
        .await;
    Ok(match rehearsed {
        Err(error) if error.is_about_fields() => Rehearsal::Problem(Problem::Refused {
            object: target.reference,
            source: error,
        }),
        // Anything else speaks of the namespace and the name of the rehearsal.
        _ => Rehearsal::Step(Box::new(Step::new(target, None, None))),
    })
}

/// Rehearses an object that was read before; what was read counts only if the rehearsal began with
/// it.
async fn rehearse_known(
    context: &Context,
    target: Target,
    live: Option<Value>,
    purpose: Purpose,
) -> Result<Rehearsal, OpsError> {
    let applied = context.apply(&target, ApplyMode::DryRun).await;
    match applied {
        Ok(planned) if ahead::is_same_version(live.as_ref(), &planned) => Ok(Rehearsal::Step(
            Box::new(Step::new(target, live, Some(planned))),
        )),
        // It changed since, or cannot be applied: look at this one object anew.
        _ => rehearse(context, target, purpose).await,
    }
}

async fn rehearse(
    context: &Context,
    target: Target,
    purpose: Purpose,
) -> Result<Rehearsal, OpsError> {
    let object = target.reference.clone();
    let namespace = object.namespace.as_deref();
    let cluster = &context.cluster;
    let read = async || {
        cluster
            .get::<Value>(&target.kind, namespace, &object.name)
            .await
    };
    // Of a kind that is not served yet there is nothing.
    let first = if target.is_served {
        read().await
    } else {
        Ok(None)
    };
    let mut live = match first {
        Ok(live) => live,
        Err(error @ ClusterError::Forbidden { .. }) => {
            return Ok(Rehearsal::Problem(Problem::Refused {
                object,
                source: error,
            }));
        }
        Err(error) => return Err(OpsError::while_doing(format!("read `{object}`"))(error)),
    };
    let mut applied = context.apply(&target, ApplyMode::DryRun).await;
    // Somebody wrote in between: their change would look like ours.
    for _ in 0..READS_AGAIN {
        let is_same = |planned: &Value| ahead::is_same_version(live.as_ref(), planned);
        if applied.as_ref().is_ok_and(is_same) || applied.is_err() {
            break;
        }
        live = read()
            .await
            .map_err(OpsError::while_doing(format!("read `{object}`")))?;
        applied = context.apply(&target, ApplyMode::DryRun).await;
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
        applied = context.apply(&target, ApplyMode::ForcedDryRun).await;
    }
    Ok(match applied {
        Ok(planned) => Rehearsal::Step(Box::new(Step::new(target, live, Some(planned)))),
        Err(ClusterError::NotFound { .. } | ClusterError::Refused { code: 404, .. })
            if !target.is_served =>
        {
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
