//! The dry runs that a plan is made of: each one applies one object.

use serde_json::Value;

use super::adoption;
use super::conflicts::Attempt;
use super::elsewhere;
use super::immutable::Immutable;
use super::own_objects::Brought;
use super::planning::{Purpose, warn_of};
use super::prediction::{Prediction, Subject};
use super::service_account;
use crate::action::Action;
use crate::cluster::{ApplyMode, ClusterError};
use crate::fields::{FieldChoices, Settlement, co_owners};
use crate::inventory::Inventory;
use crate::object::{ObjectName, ObjectRef};
use crate::ops::error::{OpsError, Problem};
use crate::ops::{Context, ServerField, read_ahead};
use crate::plan::{Step, Target, blame};

/// How often an object that another client is writing is compared again.
const READS_AGAIN: usize = 3;

/// What the dry runs of a plan have in common.
#[derive(Clone, Copy)]
pub(crate) struct Rules<'a> {
    /// What the plan is for.
    pub(crate) purpose: Purpose,
    /// The objects of the set.
    pub(crate) brought: &'a Brought,
    /// What to do about fields that other managers own.
    pub(crate) choices: &'a FieldChoices,
    /// The objects that may be deleted and created again.
    pub(crate) replaced: &'a [ObjectName],
    /// The inventory that the plan writes, if it is carried out.
    pub(crate) inventory: Option<&'a Inventory>,
    /// Whether pods are replaced when what they use changes.
    pub(crate) rolls: bool,
    /// Whether every step is right only for the state of its object that it was planned with.
    pub(crate) holds_version: bool,
}

impl Rules<'_> {
    /// Whether anybody asks for the fields that no manifest declares.
    pub(crate) fn looks_for_undeclared(&self) -> bool {
        !self.purpose.writes() || !self.choices.reverted.is_empty()
    }
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
        (sent, settlement): (Option<Value>, Settlement),
    ) -> Self {
        match Self::refused(target.clone(), live.as_ref(), source) {
            Self::Problem(problem) => Self::Early {
                step: Box::new(Step {
                    sent,
                    settlement,
                    ..Step::new(target, live, None)
                }),
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
            let verdict = elsewhere::validate(context, &target).await;
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
    decide(context, target, live, attempt, rules).await
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
    decide(context, target, live, attempt, rules).await
}

/// Repeats the dry run of a step whose object has changed since; `None` if the step would now do
/// something else than what was shown.
pub(crate) async fn repeat(context: &Context, step: &Step, rules: Rules<'_>) -> Option<Step> {
    match dry_run(context, step.target.clone(), rules).await {
        Ok(DryRun::Step(again)) if again.does_the_same_as(step) => Some(*again),
        _ => None,
    }
}

/// What follows from a dry run.
async fn decide(
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
        former,
    } = attempt;
    if !settlement.conflicts.is_empty() {
        let problem = Problem::OwnedByOthers {
            object: target.reference.clone(),
            conflicts: settlement.conflicts.clone(),
        };
        if rules.purpose.writes() {
            return Ok(DryRun::Problem(problem));
        }
        warn_of(context, &problem);
    }
    let prediction = match (applied, &live) {
        (Ok(planned), None) => {
            let mut step = Step::new(target, None, Some(planned));
            adoption::find(context, &mut step, rules).await;
            return Ok(DryRun::Step(Box::new(step)));
        }
        (Err(error), None) => Err(error),
        (applied, Some(live)) => {
            let subject = Subject {
                context,
                target: &target,
                live,
                rules,
            };
            match subject.predict(applied, former.as_ref()).await {
                Err(error) => match subject.immutable(&sent, former.as_ref(), &error).await {
                    Some(immutable) => {
                        return Ok(needs_a_new_object(context, immutable, settlement, rules));
                    }
                    None => Err(error),
                },
                predicted => predicted,
            }
        }
    };
    let sent = Some(sent.body).filter(|body| *body != target.body);
    match prediction {
        Ok(prediction) => {
            let mut step = predicted(target, live.unwrap_or_default(), prediction, rules);
            step.sent = sent;
            step.settlement = Settlement {
                reverted: step.settlement.reverted,
                moved: step.settlement.moved,
                ..settlement
            };
            Ok(DryRun::Step(Box::new(step)))
        }
        Err(error) if is_absent(&error) && !target.is_served => {
            Ok(DryRun::step(target, live, None))
        }
        Err(error) => {
            let on = rules.brought.what_may_lift(&target, &error);
            if on.is_empty() {
                return failed(target, live.as_ref(), error);
            }
            let choices = (sent, settlement);
            Ok(DryRun::refused_so_far(target, live, error, on, choices))
        }
    }
}

/// What follows for an object that cannot be changed as it is.
fn needs_a_new_object(
    context: &Context,
    immutable: Immutable,
    settlement: Settlement,
    rules: Rules<'_>,
) -> DryRun {
    let Immutable { mut step, problem } = immutable;
    if step.target.reference.is("apps", "StatefulSet") {
        step.settlement = Settlement {
            reverted: step.settlement.reverted,
            moved: step.settlement.moved,
            ..settlement
        };
    } else {
        // A new object of another kind has what the manifest says, and nothing of others.
        step.settlement.conflicts = settlement.conflicts;
    }
    match problem {
        Some(problem) if rules.purpose.writes() => return DryRun::Problem(problem),
        Some(problem) => warn_of(context, &problem),
        None => {}
    }
    DryRun::Step(Box::new(step))
}

/// The step to what was predicted of a live object.
fn predicted(target: Target, mut live: Value, prediction: Prediction, rules: Rules<'_>) -> Step {
    let Prediction {
        mut planned,
        migration,
        reverted,
        undeclared,
    } = prediction;
    let blame = match rules.purpose {
        Purpose::Read { blames: true } => blame(&live, &target.kind),
        _ => Vec::new(),
    };
    let mut co_owners = match rules.purpose {
        Purpose::Read { .. } => co_owners(&live, &target.body),
        Purpose::Write { .. } => Vec::new(),
    };
    co_owners.retain(|name| migration.moved.iter().all(|row| row.owner.manager != *name));
    migration.forget_last_applied(&mut live);
    migration.forget_last_applied(&mut planned);
    let mut step = Step::new(target, Some(live), Some(planned));
    let is_kept = matches!(step.action, Action::Keep | Action::Release);
    if is_kept && !migration.operations.is_empty() {
        step.action = Action::Own;
    }
    step.settlement.reverted = reverted;
    step.settlement.moved = migration.moved;
    Step {
        migration: migration.operations,
        undeclared,
        co_owners,
        blame,
        ..step
    }
}
