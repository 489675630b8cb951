//! The dry runs that a plan is made of: each one applies one object.

use serde_json::Value;

use super::conflicts::Attempt;
use super::own_objects::Brought;
use super::planning::{Purpose, warn_of};
use super::service_account;
use crate::cluster::{ApplyMode, ClusterError};
use crate::fields::{FieldChoices, Settlement};
use crate::object::ObjectRef;
use crate::ops::error::{OpsError, Problem};
use crate::ops::{Context, ServerField, read_ahead};
use crate::plan::{Step, Target};

/// How often an object that another client is writing is compared again.
const READS_AGAIN: usize = 3;

/// Objects for a namespace that does not exist yet are validated in this one: every cluster has it,
/// and nobody can delete it.
const ELSEWHERE: &str = "default";

/// What the dry runs of a plan have in common.
#[derive(Clone, Copy)]
pub(crate) struct Rules<'a> {
    /// What the plan is for.
    pub(crate) purpose: Purpose,
    /// The objects of the set.
    pub(crate) brought: &'a Brought,
    /// What to do about fields that other managers own.
    pub(crate) choices: &'a FieldChoices,
}

/// The result of a dry run.
pub(crate) enum DryRun {
    /// The object can be applied.
    Step(Box<Step>),
    /// It cannot.
    Problem(Problem),
    /// It cannot, unless one of these objects of the set is written first.
    Early {
        step: Box<Step>,
        problem: Problem,
        on: Vec<ObjectRef>,
    },
}

impl DryRun {
    fn step(target: Target, live: Option<Value>, planned: Option<Value>) -> Self {
        Self::Step(Box::new(Step::new(target, live, planned)))
    }

    /// The step of an attempt that the API server accepts.
    fn settled(
        target: Target,
        live: Option<Value>,
        planned: Value,
        sent: Target,
        settlement: Settlement,
    ) -> Self {
        let sent = Some(sent.body).filter(|body| *body != target.body);
        let step = Step::new(target, live, Some(planned));
        Self::Step(Box::new(Step {
            sent,
            settlement,
            ..step
        }))
    }

    fn refused(target: Target, live: Option<&Value>, source: ClusterError) -> Self {
        let object = target.reference;
        Self::Problem(match ServerField::in_the_way(&target.body, live, &source) {
            Some(field) => Problem::ServerField { object, field },
            None => Problem::Refused { object, source },
        })
    }

    /// The same, for a refusal that an object of the set may resolve.
    fn refused_so_far(
        target: Target,
        live: Option<Value>,
        source: ClusterError,
        on: Vec<ObjectRef>,
    ) -> Self {
        match Self::refused(target.clone(), live.as_ref(), source) {
            Self::Problem(problem) => Self::Early {
                step: Box::new(Step::new(target, live, None)),
                problem,
                on,
            },
            decided => decided,
        }
    }
}

/// Does a dry run of an object whose namespace does not exist yet.
///
/// The API server first merges an apply into the existing object, by the rules of applies alone,
/// and only then looks for the namespace (`k8s.io/apiserver` `pkg/endpoints/handlers/patch.go`; the
/// admission plugin `NamespaceLifecycle` runs before all others that refuse). So "namespace not
/// found" means that the merge succeeded. Defaulting and validation come later, and are checked in
/// another namespace.
///
/// # Errors
/// A failed request.
pub(crate) async fn dry_run_creation(
    context: &Context,
    target: Target,
    rules: Rules<'_>,
) -> Result<DryRun, OpsError> {
    match context.apply(&target, ApplyMode::DryRun).await {
        // The namespace exists by now, or is created automatically with its first object.
        Ok(planned) if read_ahead::is_same_version(None, &planned) => {
            Ok(DryRun::step(target, None, Some(planned)))
        }
        Ok(_) => dry_run(context, target, rules).await,
        // Permissions are checked separately, all at once.
        Err(ClusterError::Forbidden { .. }) => Ok(DryRun::step(target, None, None)),
        // Only the API server's own answer counts: a 404 without a reason comes from something in
        // between.
        Err(ClusterError::NotFound { .. }) if target.is_served => {
            let verdict = validate_elsewhere(context, &target).await;
            Ok(match verdict {
                Some(source) => DryRun::refused(target, None, source),
                None => DryRun::step(target, None, None),
            })
        }
        Err(error) if is_absent(&error) && !target.is_served => {
            Ok(DryRun::step(target, None, None))
        }
        Err(error) => failed(target, None, error),
    }
}

/// Validates an object in another namespace, under its own name if that is free there. Any other
/// refusal there says nothing about the object: permissions, quotas and policies are those of that
/// namespace.
async fn validate_elsewhere(context: &Context, target: &Target) -> Option<ClusterError> {
    for name in names(&target.reference.name) {
        let moved = moved(target, &name);
        let refused = match context.apply(&moved, ApplyMode::DryRunElsewhere).await {
            Ok(planned) if read_ahead::is_same_version(None, &planned) => return None,
            Err(ClusterError::Forbidden { .. }) => return None,
            other => other.err(),
        };
        // For an object that already exists, the answer would be different.
        let found = context
            .cluster
            .get::<Value>(&target.kind, Some(ELSEWHERE), &name)
            .await;
        if matches!(found, Ok(None)) {
            let verdict = refused.filter(ClusterError::is_about_fields);
            return verdict.map(|verdict| verdict.renamed(&name, &target.reference.name));
        }
    }
    None
}

/// The name itself, then names of the same length in case it is taken.
fn names(name: &str) -> impl Iterator<Item = String> {
    let mut start = name.to_owned();
    start.pop();
    let others = ["z", "y", "x"].map(|end| format!("{start}{end}"));
    let existing = name.to_owned();
    let others = others.into_iter().filter(move |other| *other != existing);
    std::iter::once(name.to_owned()).chain(others)
}

fn moved(target: &Target, name: &str) -> Target {
    let mut moved = target.clone();
    moved.reference = ObjectRef {
        namespace: Some(ELSEWHERE.to_owned()),
        name: name.to_owned(),
        ..moved.reference
    };
    moved.body["metadata"]["namespace"] = ELSEWHERE.into();
    moved.body["metadata"]["name"] = name.into();
    moved
}

/// Whether a kind is not served: the API server does not know its group or its definition.
fn is_absent(error: &ClusterError) -> bool {
    matches!(
        error,
        ClusterError::NotFound { .. } | ClusterError::Refused { code: 404, .. }
    )
}

/// The result of a failed dry run: a problem of the object, unless the failure says nothing about
/// the object.
fn failed(target: Target, live: Option<&Value>, error: ClusterError) -> Result<DryRun, OpsError> {
    if error.is_transient() && !matches!(error, ClusterError::Refused { .. }) {
        let doing = format!("dry-run `{}`", target.reference);
        return Err(OpsError::while_doing(doing)(error));
    }
    Ok(DryRun::refused(target, live, error))
}

/// Does a dry run of an object that was already read. The earlier read counts only if the dry run
/// started from that version.
pub(crate) async fn dry_run_known(
    context: &Context,
    target: Target,
    live: Option<Value>,
    rules: Rules<'_>,
) -> Result<DryRun, OpsError> {
    let attempt = Attempt::new(context, &target, live.as_ref(), rules.choices).await;
    // It has changed since, or cannot be applied: read this one object again.
    if !attempt.is_of(live.as_ref()) || !attempt.settlement.conflicts.is_empty() {
        return dry_run(context, target, rules).await;
    }
    decide(context, target, live, attempt, rules)
}

/// Reads an object and does a dry run of its apply.
///
/// # Errors
/// A failed request.
pub(crate) async fn dry_run(
    context: &Context,
    target: Target,
    rules: Rules<'_>,
) -> Result<DryRun, OpsError> {
    let object = target.reference.clone();
    let namespace = object.namespace.as_deref();
    let cluster = &context.cluster;
    let read = async || {
        cluster
            .get::<Value>(&target.kind, namespace, &object.name)
            .await
    };
    // A kind that is not served yet has no objects.
    let first = if target.is_served {
        read().await
    } else {
        Ok(None)
    };
    let mut live = match first {
        Ok(live) => live,
        Err(error @ ClusterError::Forbidden { .. }) => {
            return Ok(DryRun::refused(target, None, error));
        }
        Err(error) => return Err(OpsError::while_doing(format!("read `{object}`"))(error)),
    };
    let mut attempt = Attempt::new(context, &target, live.as_ref(), rules.choices).await;
    if matches!(attempt.applied, Err(ClusterError::Forbidden { .. }))
        && service_account::arrives(context, &target).await?
    {
        attempt.repeat(context).await;
    }
    // Another client wrote in between: its change would look like ours.
    for _ in 0..READS_AGAIN {
        if attempt.applied.is_err() || attempt.is_of(live.as_ref()) {
            break;
        }
        live = read()
            .await
            .map_err(OpsError::while_doing(format!("read `{object}`")))?;
        attempt = Attempt::new(context, &target, live.as_ref(), rules.choices).await;
    }
    decide(context, target, live, attempt, rules)
}

/// What follows from a dry run.
fn decide(
    context: &Context,
    target: Target,
    live: Option<Value>,
    attempt: Attempt,
    rules: Rules<'_>,
) -> Result<DryRun, OpsError> {
    let Attempt {
        sent,
        applied,
        settlement,
    } = attempt;
    if !settlement.conflicts.is_empty() {
        let problem = Problem::OwnedByOthers {
            object: target.reference.clone(),
            conflicts: settlement.conflicts.clone(),
        };
        if rules.purpose != Purpose::Read {
            return Ok(DryRun::Problem(problem));
        }
        warn_of(context, &problem);
    }
    match applied {
        Ok(planned) => Ok(DryRun::settled(target, live, planned, sent, settlement)),
        Err(error) if is_absent(&error) && !target.is_served => {
            Ok(DryRun::step(target, live, None))
        }
        Err(error) => {
            let on = rules.brought.what_may_lift(&target, &error);
            if on.is_empty() {
                return failed(target, live.as_ref(), error);
            }
            Ok(DryRun::refused_so_far(target, live, error, on))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_is_taken_is_exchanged_for_others_of_its_length() {
        let all: Vec<String> = names("default").collect();
        assert_eq!(all, ["default", "defaulz", "defauly", "defaulx"]);
        let all: Vec<String> = names("z").collect();
        assert_eq!(all, ["z", "y", "x"]);
    }
}
