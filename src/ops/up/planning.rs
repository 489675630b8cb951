//! Compares every object with the cluster: its live state with the result of a dry run.

use std::collections::{BTreeMap, BTreeSet};

use futures::stream::{self, StreamExt, TryStreamExt};
use serde_json::Value;

use super::dry_run::{DryRun, Rules, dry_run, dry_run_creation, dry_run_known};
use super::former;
use super::missing_references;
use super::namespaces::{self, Namespaces};
use super::own_objects::Brought;
use super::risks;
use super::roll;
use super::strangers::{self, Strangers};
use crate::action::Action;
use crate::fields::{Choice, FieldChoices};
use crate::manifest::ManifestSet;
use crate::object::{ObjectName, ObjectRef};
use crate::ops::error::{OpsError, Problem};
use crate::ops::finalizers::holders;
use crate::ops::read_ahead::Ahead;
use crate::ops::{CONCURRENCY, Context, Set, inventory, preflight, read_ahead};
use crate::plan::{Plan, Step, Target};
use crate::risk::RiskKind;
use crate::status::is_being_deleted;

/// What a plan is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// To show it.
    Read {
        /// Whether every live object is shown as a whole, with its owners.
        blames: bool,
    },
    /// To apply it.
    Write {
        /// Whether the command waits for what it writes.
        waits: bool,
    },
}

impl Purpose {
    /// Whether the plan is to be carried out.
    pub(crate) fn writes(self) -> bool {
        matches!(self, Self::Write { .. })
    }
}

/// Plans every change; every object whose namespace and kind exist gets a dry run.
///
/// # Errors
/// All problems that would make the apply fail, or a failed request.
pub(crate) async fn plan(
    context: &Context,
    set: &Set,
    purpose: Purpose,
    accepted: &[RiskKind],
) -> Result<Plan, OpsError> {
    let inventory = inventory::of(context, set);
    let joined = inventory.as_ref().map(|it| inventory::join(it, set));
    let set = joined.as_ref().unwrap_or(set);
    let (mut targets, mut problems) = preflight::resolve(context, set).await?;
    let dropped = match &inventory {
        Some(inventory) => inventory::list_set(context, inventory, &mut targets).await?,
        None => ManifestSet::default(),
    };
    if set.rolls {
        roll::mark_templates(context, &set.choices, &mut targets).await?;
    }
    let Namespaces {
        absent,
        of_set,
        leaving,
    } = namespaces::find(context, &targets).await?;
    if purpose.writes() && !leaving.is_empty() {
        // No dry run is possible in such a namespace: the API server refuses every new object.
        problems.extend(leaving);
        return Err(OpsError::Preflight(problems));
    }
    for problem in &leaving {
        warn_of(context, problem);
    }
    let brought = Brought::of(&targets);
    let rules = Rules {
        purpose,
        brought: &brought,
        choices: &set.choices,
        replaced: &set.replaced,
        inventory: None,
        rolls: set.rolls,
        holds_version: false,
    };
    let (steps, refused) = steps(context, rules, targets, &absent, of_set, BTreeSet::new()).await?;
    problems.extend(refused);
    problems.extend(unfit_choices(context, &set.choices, &brought, &steps));
    if problems.is_empty() {
        former::warn_of_strangers(context, &set.choices, &steps);
        former::warn_of_releases(context, &steps);
    }
    let mut plan = Plan {
        absent_namespaces: absent,
        steps,
        dropped,
        removed: ManifestSet::default(),
    };
    let looks_for_strangers = plan.writes() || !set.replaced.is_empty();
    let strangers = if looks_for_strangers {
        strangers::look(context, &plan, &set.replaced).await
    } else {
        Strangers::default()
    };
    let removed = strangers.replaced.manifests().iter();
    let removed = removed.map(|it| it.reference.clone()).collect();
    plan.dropped = plan.dropped.without(&removed);
    plan.removed = strangers.replaced;
    if plan.writes() {
        let mut lacking = preflight::storage_classes(context, &plan).await?;
        lacking.extend(missing_references::check(context, &plan).await);
        lacking.extend(risks::check(context, &plan, strangers.risks, accepted).await);
        match purpose {
            Purpose::Read { .. } => lacking.iter().for_each(|problem| warn_of(context, problem)),
            Purpose::Write { waits } => {
                problems.extend(lacking);
                problems.extend(preflight::permissions(context, &plan, waits).await?);
            }
        }
    }
    if problems.is_empty() {
        warn_of_unfit_replacements(context, &set.replaced, &plan);
        Ok(plan)
    } else {
        Err(OpsError::Preflight(problems))
    }
}

/// Repeats the dry runs of the objects in the plan's namespaces once those exist; returns the problems
/// found. The other steps stay as they were shown.
///
/// # Errors
/// A failed request.
pub(crate) async fn dry_run_created(
    context: &Context,
    set: &Set,
    plan: &mut Plan,
) -> Result<Vec<Problem>, OpsError> {
    let targets: Vec<Target> = plan.steps.iter().map(|step| step.target.clone()).collect();
    let brought = Brought::of(&targets);
    let is_created = |reference: &ObjectRef| {
        let namespace = reference.namespace.as_ref();
        namespace.is_some_and(|name| plan.absent_namespaces.contains(name))
    };
    let created = targets
        .into_iter()
        .filter(|target| is_created(&target.reference))
        .collect();
    let moved = plan
        .steps
        .iter()
        .filter(|step| step.action != Action::Keep)
        .map(|step| step.target.reference.clone())
        .collect();
    // What somebody has added meanwhile was never shown.
    let choices = FieldChoices {
        reverted: Vec::new(),
        ..set.choices.clone()
    };
    let rules = Rules {
        purpose: Purpose::Write { waits: false },
        brought: &brought,
        choices: &choices,
        replaced: &[],
        inventory: None,
        rolls: set.rolls,
        holds_version: false,
    };
    let (steps, mut problems) = steps(context, rules, created, &[], Ahead::new(), moved).await?;
    let mut again: BTreeMap<ObjectRef, Step> = steps
        .into_iter()
        .map(|step| (step.target.reference.clone(), step))
        .collect();
    for step in &mut plan.steps {
        let Some(mut new) = again.remove(&step.target.reference) else {
            continue;
        };
        new.forget_move();
        // Somebody else was faster: what would be taken from them was never shown.
        if new.takes() {
            problems.push(Problem::OwnedByOthers {
                object: new.target.reference.clone(),
                conflicts: new.settlement.taken.clone(),
            });
        }
        *step = new;
    }
    Ok(problems)
}

/// The problems of choices that were named for this run and that no object of the set bears out. What
/// would only change nothing is a warning.
fn unfit_choices(
    context: &Context,
    choices: &FieldChoices,
    brought: &Brought,
    steps: &[Step],
) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (choice, pattern) in choices.named() {
        let of_set = brought.objects().filter(|object| pattern.is_of(object));
        let of_pattern = steps.iter();
        let of_pattern = of_pattern.filter(|step| pattern.is_of(&step.target.reference));
        let named: Vec<&Step> = of_pattern.collect();
        let refused = of_set.count().saturating_sub(named.len());
        if refused == 0 && named.is_empty() {
            problems.push(Problem::NoSuchField {
                choice,
                pattern: pattern.clone(),
            });
            continue;
        }
        let object = |step: &Step| step.target.reference.clone();
        let lack = match choice {
            Choice::Take => continue,
            Choice::Yield => {
                let yields = |step: &&Step| step.settlement.yields(&object(step), pattern);
                if named.iter().any(yields) {
                    continue;
                }
                let before = problems.len();
                problems.extend(named.iter().flat_map(|step| {
                    let rows = step.settlement.alone.iter();
                    let rows = rows.filter(|row| row.pattern == *pattern);
                    rows.map(|row| Problem::OwnedAlone {
                        object: object(step),
                        alone: row.clone(),
                    })
                }));
                if problems.len() > before {
                    continue;
                }
                "no other manager owns a field of the manifests that it names"
            }
            Choice::RevertUndeclared => {
                let reverts = |step: &&Step| {
                    let mut rows = step.settlement.reverted.iter();
                    rows.any(|row| row.is_meant_by(&object(step), pattern))
                };
                if named.iter().any(reverts) {
                    continue;
                }
                "it names no undeclared field"
            }
        };
        // What is refused has no step that could show an effect.
        let is_new = named.iter().all(|step| step.live.is_none());
        if refused == 0 && !is_new {
            context.warn(format!("`{choice} {pattern}` changes nothing: {lack}"));
        }
    }
    problems
}

/// Warns of names that were given for a replacement and that nothing comes of.
fn warn_of_unfit_replacements(context: &Context, replaced: &[ObjectName], plan: &Plan) {
    let steps = plan.steps.iter();
    let steps = steps.filter(|step| step.action == Action::Replace);
    let removed = plan.removed.manifests().iter().map(|it| &it.reference);
    let done: Vec<&ObjectRef> = steps
        .map(|step| &step.target.reference)
        .chain(removed)
        .collect();
    for name in replaced {
        if done.iter().any(|object| name.means(object)) {
            continue;
        }
        let mut steps = plan.steps.iter();
        let reason = if steps.any(|step| name.means(&step.target.reference)) {
            "nothing about the object needs a new one"
        } else {
            "it names no object of the set, and no workload whose pods the set would select"
        };
        context.warn(format!("`--replace {name}` changes nothing: {reason}"));
    }
}

async fn steps(
    context: &Context,
    rules: Rules<'_>,
    targets: Vec<Target>,
    absent_namespaces: &[String],
    mut ahead: Ahead,
    mut moved: BTreeSet<ObjectRef>,
) -> Result<(Vec<Step>, Vec<Problem>), OpsError> {
    let is_absent = |target: &Target| {
        let namespace = target.reference.namespace.as_ref();
        namespace.is_some_and(|name| absent_namespaces.contains(name))
    };
    let present = targets.iter().filter(|target| !is_absent(target));
    let keeps_managers = rules.choices.are_made() || !rules.purpose.writes();
    ahead.extend(read_ahead::read(context, present, keeps_managers).await);
    let dry_runs: Vec<DryRun> = stream::iter(targets)
        .map(|target| {
            let known = ahead.remove(&target.reference);
            let in_absent_namespace = is_absent(&target);
            async move {
                match known {
                    _ if in_absent_namespace => dry_run_creation(context, target, rules).await,
                    Some(live) => dry_run_known(context, target, live, rules).await,
                    None => dry_run(context, target, rules).await,
                }
            }
        })
        .buffered(CONCURRENCY)
        .try_collect()
        .await?;
    moved.extend(dry_runs.iter().filter_map(|dry_run| match dry_run {
        DryRun::Step(step) if step.action != Action::Keep => Some(step.target.reference.clone()),
        _ => None,
    }));
    let mut steps = Vec::new();
    let mut problems = Vec::new();
    for dry_run in dry_runs {
        match dry_run {
            DryRun::Step(step) => {
                if let Some(problem) = leaves(context, &step).await {
                    match rules.purpose {
                        Purpose::Read { .. } => warn_of(context, &problem),
                        Purpose::Write { .. } => problems.push(problem),
                    }
                }
                steps.push(*step);
            }
            DryRun::Early { step, on, .. } if on.iter().any(|object| moved.contains(object)) => {
                steps.push(*step);
            }
            DryRun::Early { problem, .. } | DryRun::Problem(problem) => {
                problems.push(problem);
            }
        }
    }
    Ok((steps, problems))
}

/// The problem that an object is being deleted. A namespace was already checked.
async fn leaves(context: &Context, step: &Step) -> Option<Problem> {
    let reference = &step.target.reference;
    let live = step.live.as_ref()?;
    if reference.is("", "Namespace") {
        return None;
    }
    being_deleted(context, reference, live).await
}

/// The problem that an object is being deleted, with what holds it.
pub(crate) async fn being_deleted(
    context: &Context,
    object: &ObjectRef,
    live: &Value,
) -> Option<Problem> {
    if !is_being_deleted(live) {
        return None;
    }
    Some(Problem::BeingDeleted {
        object: object.clone(),
        held_by: holders(context, object, live).await,
    })
}

/// Warns about a problem that would make `up` refuse.
pub(crate) fn warn_of(context: &Context, problem: &Problem) {
    let flag = match problem {
        Problem::Risk(risk) => format!(" without `--allow {}`", risk.kind),
        Problem::MustBeReplaced { object, .. } => {
            format!(" without `--replace {}`", ObjectName::of(object))
        }
        _ => String::new(),
    };
    context.warn(format!("`up` would refuse this{flag}: {problem}"));
}
