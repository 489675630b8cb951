//! `up` and `diff`: apply the manifests to the cluster, or show what that would change.

mod apply;
mod conflicts;
mod dry_run;
mod elsewhere;
mod former;
mod missing_references;
pub(crate) mod namespaces;
mod own_objects;
mod planning;
mod prediction;
mod risks;
pub(crate) mod server_field;
mod service_account;
mod undeclared;

use std::ops::Range;

use serde_json::Value;

use self::dry_run::Rules;
use self::own_objects::Brought;
use self::planning::{Purpose, dry_run_created, plan};
use super::error::OpsError;
use super::{Context, DownOptions, Set, plan_prune, wait};
use crate::action::Action;
use crate::event::EventKind;
use crate::object::ObjectRef;
use crate::plan::{Plan, SavedPlan};
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
pub async fn plan_up(context: &Context, set: &Set, options: &UpOptions) -> Result<Plan, OpsError> {
    let purpose = options.purpose();
    let planned = plan(context, set, purpose, &options.accepted);
    let planned = context.by_deadline(planned).await?;
    if !options.delete_data {
        refuse_to_delete_claims(&planned)?;
    }
    if let Some(saved) = &options.saved {
        let server = context.cluster.server();
        let moved = saved.moved(&planned, &set.choices, set.prunes(), server);
        if !moved.is_empty() {
            return Err(OpsError::Outdated(moved));
        }
    }
    context.emit(EventKind::Planned {
        steps: planned.summary(),
    });
    Ok(planned)
}

/// Carries out a plan, and waits for the set.
///
/// # Errors
/// [`OpsError`]; the events tell what was already written.
pub async fn up(
    context: &Context,
    set: &Set,
    options: UpOptions,
    planned: &mut Plan,
) -> Result<UpReport, OpsError> {
    let objects = objects(planned);
    if options.dry_run {
        return Ok(UpReport {
            objects,
            dry_run: true,
            ..UpReport::default()
        });
    }
    let since = context.cluster.now();
    context
        .by_deadline(create_namespaces(context, set, planned))
        .await?;
    let brought = Brought::of(planned.steps.iter().map(|step| &step.target));
    let rules = Rules {
        purpose: options.purpose(),
        brought: &brought,
        choices: &set.choices,
        holds_version: options.saved.is_some(),
    };
    context
        .by_deadline(apply::apply(context, rules, planned))
        .await?;
    if !options.wait {
        return Ok(UpReport {
            objects,
            ..UpReport::default()
        });
    }
    let (rollouts, waited) = wait::everything(context, planned, since).await?;
    Ok(UpReport {
        objects,
        rollouts,
        waited,
        ..UpReport::default()
    })
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
    if set.prunes() {
        let keeping = DownOptions { delete_data: false };
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
        let Some(live) = &step.live else { continue };
        let reference = &step.target.reference;
        let spec = &step.planned["spec"];
        let deletes = spec["persistentVolumeClaimRetentionPolicy"]["whenScaled"] == "Delete";
        let has_claims = spec["volumeClaimTemplates"]
            .as_array()
            .is_some_and(|list| !list.is_empty());
        let (before, after) = (ordinals(live), ordinals(&step.planned));
        let loses_some = before.clone().any(|ordinal| !after.contains(&ordinal));
        if reference.is("apps", "StatefulSet") && deletes && has_claims && loses_some {
            return Err(OpsError::WouldDeleteData {
                reason: format!(
                    "changing the ordinals of `{reference}` from {before:?} to {after:?} would delete claims: its persistentVolumeClaimRetentionPolicy says `whenScaled: Delete`",
                ),
            });
        }
    }
    Ok(())
}

fn ordinals(stateful_set: &Value) -> Range<i64> {
    let spec = &stateful_set["spec"];
    let start = spec["ordinals"]["start"].as_i64().unwrap_or(0);
    start..start.saturating_add(spec["replicas"].as_i64().unwrap_or(1))
}

fn objects(plan: &Plan) -> Vec<Applied> {
    plan.summary()
        .into_iter()
        .map(|step| Applied {
            object: step.object,
            action: step.action,
        })
        .collect()
}
