//! `up` and `diff`: apply the manifests to the cluster, or show what that would change.

mod adoption;
mod apply;
mod conflicts;
mod dry_run;
mod elsewhere;
mod former;
mod growth;
mod immutable;
mod missing_references;
pub(crate) mod namespaces;
mod own_objects;
mod planning;
mod prediction;
mod replace;
mod risks;
mod roll;
pub(crate) mod server_field;
mod service_account;
mod strangers;
mod undeclared;
mod up_plan;

pub use self::up_plan::UpPlan;

use self::dry_run::Rules;
use self::own_objects::Brought;
use self::planning::{Purpose, dry_run_created, plan};
use super::error::OpsError;
use super::{Context, DownOptions, DownPlan, Set, down, inventory, plan_down, plan_prune, wait};
use crate::action::Action;
use crate::event::EventKind;
use crate::exit::Outcome;
use crate::object::ObjectRef;
use crate::plan::{Plan, SavedPlan};
use crate::replacement::ordinals;
use crate::report::{Applied, DiffReport, DiffView, ObjectDiff, UpReport};
use crate::risk::RiskKind;

/// How much `up` does.
#[derive(Debug, Clone)]
pub struct UpOptions {
    /// Only do dry runs.
    pub dry_run: bool,
    /// Wait until everything is ready.
    pub wait: bool,
    /// Scaling down may delete claims, where the StatefulSet's retention policy says so.
    pub delete_data: bool,
    /// The risks that are accepted.
    pub accepted: Vec<RiskKind>,
    /// What was planned earlier: nothing else is done.
    pub saved: Option<SavedPlan>,
}

impl UpOptions {
    fn purpose(&self) -> Purpose {
        Purpose::Write {
            waits: self.wait && !self.dry_run,
        }
    }
}

/// What `up` would do.
///
/// # Errors
/// [`OpsError`], also if it is something else than in the saved plan; nothing is ever written.
pub async fn plan_up(
    context: &Context,
    set: &Set,
    options: &UpOptions,
) -> Result<UpPlan, OpsError> {
    let purpose = options.purpose();
    let plan = plan(context, set, purpose, &options.accepted);
    let plan = context.by_deadline(plan).await?;
    if !options.delete_data {
        refuse_to_delete_claims(&plan)?;
    }
    let delete_data = options.delete_data;
    let planned = UpPlan {
        removal: plan_removal(context, set, &plan, DownOptions { delete_data }).await?,
        prune: plan_prune(context, set, &plan, DownOptions { delete_data }).await?,
        plan,
    };
    if let Some(saved) = &options.saved {
        let server = context.cluster.server();
        let moved = saved.moved(&planned.plan, &planned.deleting(set), &set.choices, server);
        if !moved.is_empty() {
            return Err(OpsError::Outdated(moved));
        }
    }
    context.emit(EventKind::Planned {
        steps: planned.summary(),
    });
    Ok(planned)
}

/// What is deleted because the set takes its place. The data of a workload stays.
async fn plan_removal(
    context: &Context,
    set: &Set,
    plan: &Plan,
    options: DownOptions,
) -> Result<DownPlan, OpsError> {
    if plan.removed.manifests().is_empty() {
        return Ok(DownPlan::default());
    }
    let removed = Set {
        manifests: plan.removed.clone(),
        inventory: None,
        ..set.clone()
    };
    let mut removal = plan_down(context, &removed, options).await?;
    removal.forget_kept(|object| object.is("", "Namespace"));
    Ok(removal)
}

/// Carries out a plan, and waits for the set.
///
/// # Errors
/// [`OpsError`]; the events tell what was already written.
pub async fn up(
    context: &Context,
    set: &Set,
    options: UpOptions,
    planned: UpPlan,
) -> Result<UpReport, OpsError> {
    let gone: Vec<ObjectRef> = planned.removal.deletions().cloned().collect();
    let mut report = UpReport {
        objects: objects(&gone, &planned.plan),
        dry_run: options.dry_run,
        ..UpReport::default()
    };
    let UpPlan {
        mut plan,
        removal,
        prune,
    } = planned;
    if options.dry_run {
        let deleted = prune.deletions().cloned();
        report.objects.extend(deleted.map(|object| Applied {
            object,
            action: Action::Delete,
        }));
        return Ok(report);
    }
    let since = context.cluster.now();
    context
        .by_deadline(create_namespaces(context, set, &mut plan))
        .await?;
    if !removal.is_empty() {
        let removed = down(context, removal).await?;
        if !removed.is_complete() {
            // Its pods would still get what is meant for the replicas.
            report
                .objects
                .retain(|it| removed.deleted.contains(&it.object));
            report.removed = Some(removed);
            return Ok(report);
        }
    }
    let brought = Brought::of(plan.steps.iter().map(|step| &step.target));
    let inventory = inventory::of(context, set);
    let rules = Rules {
        purpose: options.purpose(),
        brought: &brought,
        choices: &set.choices,
        replaced: &set.replaced,
        inventory: inventory.as_ref(),
        rolls: set.rolls,
        holds_version: options.saved.is_some(),
    };
    let applying = async {
        apply::apply(context, rules, &mut plan).await?;
        match &inventory {
            Some(inventory) if plan.writes() => {
                inventory::list_again(context, inventory, &plan).await
            }
            _ => Ok(()),
        }
    };
    context.by_deadline(applying).await?;
    // What another run has created meanwhile is not counted as ours.
    report.objects = objects(&gone, &plan);
    if options.wait {
        (report.rollouts, report.waited) = wait::everything(context, &plan, since).await?;
    }
    finish(context, set, &plan, prune, &mut report).await?;
    Ok(report)
}

/// Deletes what is no longer in the manifests, once everything else is well: until then, pods may still
/// need it.
async fn finish(
    context: &Context,
    set: &Set,
    plan: &Plan,
    prune: DownPlan,
    report: &mut UpReport,
) -> Result<(), OpsError> {
    if prune.steps().is_empty() {
        return Ok(());
    }
    if let Some(reason) = too_early(report) {
        context.warn(format!("nothing was pruned: {reason}"));
        return Ok(());
    }
    context.emit(EventKind::Planned {
        steps: prune.steps(),
    });
    report.pruned = Some(super::prune(context, set, plan, prune).await?);
    Ok(())
}

/// Why pods may still need what left the manifests.
fn too_early(report: &UpReport) -> Option<&'static str> {
    let mut rollouts = report.rollouts.iter();
    if report.outcome() != Outcome::Success {
        Some("the set is not ready")
    } else if rollouts.any(|rollout| rollout.progress.kept.is_some()) {
        Some("some replicas keep the old template")
    } else {
        None
    }
}

/// Creates missing namespaces and does a dry run of the objects in them. If that fails, the
/// namespaces are deleted again.
async fn create_namespaces(context: &Context, set: &Set, plan: &mut Plan) -> Result<(), OpsError> {
    if plan.absent_namespaces.is_empty() {
        return Ok(());
    }
    let created = namespaces::create(context, plan).await?;
    let problems = dry_run_created(context, set, plan).await?;
    if problems.is_empty() {
        return Ok(());
    }
    Err(OpsError::DryRun {
        place: namespaces::take_back(context, &created).await,
        problems,
    })
}

/// What `diff` shows.
#[derive(Debug, Clone)]
pub struct DiffOptions {
    /// How the objects are shown.
    pub view: DiffView,
    /// Whether an undeclared field is a difference.
    pub counts_undeclared: bool,
    /// The risks that are accepted.
    pub accepted: Vec<RiskKind>,
}

/// Compares the set with the cluster.
///
/// # Errors
/// [`OpsError`]; nothing is ever written.
pub async fn diff(
    context: &Context,
    set: &Set,
    options: DiffOptions,
) -> Result<DiffReport, OpsError> {
    let blames = options.view == DiffView::Blame;
    let planned = plan(context, set, Purpose::Read { blames }, &options.accepted);
    let planned = context.by_deadline(planned).await?;
    if let Err(OpsError::WouldDeleteData { reason }) = refuse_to_delete_claims(&planned) {
        context.warn(format!(
            "`up` would refuse this without `--delete-data`: {reason}"
        ));
    }
    let mut report = DiffReport {
        view: options.view,
        counts_undeclared: options.counts_undeclared,
        prunes: set.prunes(),
        ..planned.diff()
    };
    let keeping = DownOptions { delete_data: false };
    let removal = plan_removal(context, set, &planned, keeping).await?;
    let removed = removal.deletions();
    let removed = removed.map(|object| ObjectDiff::new(object.clone(), Action::Delete));
    report.objects.extend(removed);
    if set.prunes() {
        let prune = plan_prune(context, set, &planned, keeping).await?;
        let deleted = prune.deletions();
        let deleted = deleted.map(|object| ObjectDiff::new(object.clone(), Action::Delete));
        report.objects.extend(deleted);
        let is_kept = |object: &ObjectRef| !prune.deletions().any(|deleted| deleted == object);
        report.dropped.retain(is_kept);
    }
    Ok(report)
}

/// Refuses a change that removes ordinals if the StatefulSet's retention policy deletes their
/// claims (KEP-1847): fewer replicas, or other ordinals.
fn refuse_to_delete_claims(plan: &Plan) -> Result<(), OpsError> {
    for step in &plan.steps {
        let reference = &step.target.reference;
        let spec = &step.planned["spec"];
        let deletes = spec["persistentVolumeClaimRetentionPolicy"]["whenScaled"] == "Delete";
        let has_claims = spec["volumeClaimTemplates"]
            .as_array()
            .is_some_and(|list| !list.is_empty());
        if !reference.is("apps", "StatefulSet") || !deletes || !has_claims {
            continue;
        }
        let Some(live) = &step.live else {
            let adoption = step.adoption.as_ref();
            if adoption.is_some_and(|adoption| adoption.removed > 0) {
                return Err(OpsError::WouldDeleteData {
                    reason: format!(
                        "`{reference}` would remove pods of an earlier one and delete their claims: its persistentVolumeClaimRetentionPolicy says `whenScaled: Delete`",
                    ),
                });
            }
            continue;
        };
        let (before, after) = (ordinals(live), ordinals(&step.planned));
        let loses_some = before.clone().any(|ordinal| !after.contains(&ordinal));
        if loses_some {
            return Err(OpsError::WouldDeleteData {
                reason: format!(
                    "changing the ordinals of `{reference}` from {before:?} to {after:?} would delete claims: its persistentVolumeClaimRetentionPolicy says `whenScaled: Delete`",
                ),
            });
        }
    }
    Ok(())
}

/// What was done: to what had to go first, and to the objects of the set.
fn objects(gone: &[ObjectRef], plan: &Plan) -> Vec<Applied> {
    let gone = gone.iter().map(|object| Applied {
        object: object.clone(),
        action: Action::Delete,
    });
    let steps = plan.summary().into_iter().map(|step| Applied {
        object: step.object,
        action: step.action,
    });
    gone.chain(steps).collect()
}
