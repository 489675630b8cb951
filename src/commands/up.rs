//! `up`

use std::path::Path;

use super::confirm::Protected;
use super::{Session, confirm, random, report, roll_back, unstick};
use crate::cli::{HealingArgs, PruneArgs, UpArgs};
use crate::error::CommandError;
use crate::exit::Outcome;
use crate::ops::{self, Context, Set, UpOptions, UpPlan, Workload};
use crate::report::{Report, SavedTo, UpReport};
use crate::{saved_file, settings, shell};

pub(super) async fn run(session: &Session<'_>, arguments: &UpArgs) -> Result<Report, CommandError> {
    // Files that cannot be read or written are reported before any request is sent.
    let saved = match &arguments.plan {
        Some(path) => {
            let path = path.clone();
            let read = move || saved_file::read(&path);
            Some(settings::in_time(session.cli.global.timeout, read).await??)
        }
        None => None,
    };
    if let Some(path) = &arguments.plan_out {
        report::has_folder("--plan-out", path)?;
    }
    let is_dry_run = arguments.dry_run || arguments.plan_out.is_some();
    let mut set = settings::set(session.cli, &arguments.set, Some(&arguments.edits)).await?;
    set.choices = settings::field_choices(&arguments.fields, &session.config);
    set.replaced.clone_from(&arguments.replace);
    set.rolls = settings::rolls(&arguments.edits, &session.config);
    let PruneArgs { inventory, prune } = &arguments.pruning;
    set.inventory = settings::inventory(inventory, *prune, &session.config)?;
    let context = session.connect("up", &set, None).await?;
    let protected = if is_dry_run {
        None
    } else {
        Protected::find(session, &context)?
    };
    let options = UpOptions {
        dry_run: is_dry_run,
        wait: !arguments.no_wait,
        delete_data: arguments.delete_data,
        accepted: arguments.allow.clone(),
        saved,
    };
    let plan = ops::plan_up(&context, &set, &options).await?;
    let saved = match &arguments.plan_out {
        Some(path) => Some(save(&context, &set, &plan, path)?),
        None => None,
    };
    let context = if is_dry_run {
        context
    } else {
        consent(session, context, protected, &plan).await?
    };
    let mut report = ops::up(&context, &set, options, plan).await?;
    report.saved = saved;
    heal(&context, &arguments.healing, &mut report).await?;
    Ok(Report::Up(report))
}

/// Asks before something is deleted. What is taken from other managers was named or is theirs to lose by the
/// rules of `kubectl apply`: that is asked only where there is a person.
async fn consent(
    session: &Session<'_>,
    context: Context,
    protected: Option<Protected>,
    plan: &UpPlan,
) -> Result<Context, CommandError> {
    let mut lines = plan.deletions_in_words();
    if session.ui.can_ask() {
        lines.extend(plan.takes_in_words());
    }
    if protected.is_some() {
        let applied = plan.plan.steps.iter().map(|step| &step.target.reference);
        lines.splice(0..0, applied.map(|object| format!("apply {object}")));
    }
    if lines.is_empty() {
        return Ok(context);
    }
    confirm::ask(session, context, protected, "apply the set", &lines).await
}

/// Deletes pods that block a rollout, and then undoes what has failed: each if that was asked for.
async fn heal(
    context: &Context,
    arguments: &HealingArgs,
    report: &mut UpReport,
) -> Result<(), CommandError> {
    let rollouts = report.rollouts.iter_mut();
    for rollout in rollouts.filter(|_| arguments.auto_unstick) {
        let workload = Workload::from_reference(&rollout.object);
        let healing = unstick::heal(context, &workload, &arguments.evidence, rollout.clone());
        let healed = healing.await?;
        *rollout = healed.rollout;
        report.unstuck.extend(healed.unstuck);
    }
    if !arguments.rollback_on_failure {
        return Ok(());
    }
    // What is only not complete yet may still become so.
    let rollouts = report.rollouts.iter();
    let failed = rollouts.filter(|rollout| rollout.outcome() == Outcome::Unhealthy);
    for rollout in failed {
        let workload = Workload::from_reference(&rollout.object);
        let context = context.clone().restarted();
        let undone = roll_back::run(&context, &workload, &arguments.evidence).await?;
        report.rolled_back.push(undone);
    }
    Ok(())
}

fn save(context: &Context, set: &Set, plan: &UpPlan, path: &Path) -> Result<SavedTo, CommandError> {
    let salt = format!("{:x}{:x}", random::seed(), random::seed());
    let saved = plan.saved(set, context.cluster.server(), salt);
    saved_file::write(&saved, path)?;
    let file = shell::word(&path.display().to_string());
    Ok(SavedTo {
        file: path.to_owned(),
        next: format!("do exactly that with `cryptoctl up --plan {file}`"),
    })
}
