//! `up`

use std::path::Path;

use super::confirm::Protected;
use super::{Session, confirm, random, report};
use crate::cli::{PruneArgs, UpArgs};
use crate::error::CommandError;
use crate::event::EventKind;
use crate::exit::Outcome;
use crate::ops::{self, Context, DownOptions, DownPlan, Set, UpOptions};
use crate::plan::{Plan, SavedPlan};
use crate::report::{Applied, Report, SavedTo, UpReport};
use crate::{action::Action, saved_file, settings, shell};

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
    let PruneArgs { inventory, prune } = &arguments.pruning;
    set.inventory = settings::inventory(inventory, *prune, &session.config)?;
    let mut context = session.connect("up", &set, None).await?;
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
    let mut plan = ops::plan_up(&context, &set, &options).await?;
    let prune = if set.prunes() {
        let delete_data = arguments.delete_data;
        ops::plan_prune(&context, &set, &plan, DownOptions { delete_data }).await?
    } else {
        DownPlan::default()
    };
    let mut lines = destructive(&prune);
    if protected.is_some() {
        let applied = plan.steps.iter().map(|step| &step.target.reference);
        lines.splice(0..0, applied.map(|object| format!("apply {object}")));
    }
    if !is_dry_run && !lines.is_empty() {
        context = confirm::ask(session, context, protected, "apply the set", &lines).await?;
    }
    let saved = match &arguments.plan_out {
        Some(path) => Some(save(&context, &set, &plan, path)?),
        None => None,
    };
    let mut report = ops::up(&context, &set, options, &mut plan).await?;
    report.saved = saved;
    finish(&context, &set, &plan, prune, &mut report).await?;
    Ok(Report::Up(report))
}

/// What cannot be undone, a line each.
fn destructive(prune: &DownPlan) -> Vec<String> {
    let deleted = prune.deletions().map(|object| format!("delete {object}"));
    deleted.chain(prune.taken_along()).collect()
}

/// Deletes what is no longer in the manifests, once everything else is well: until then, pods may still
/// need it.
async fn finish(
    context: &Context,
    set: &Set,
    plan: &Plan,
    prune: DownPlan,
    report: &mut UpReport,
) -> Result<(), CommandError> {
    if prune.steps().is_empty() {
        return Ok(());
    }
    if report.dry_run {
        let deleted = prune.deletions().cloned();
        report.objects.extend(deleted.map(|object| Applied {
            object,
            action: Action::Delete,
        }));
    } else if let Some(reason) = too_early(report) {
        let message = format!("nothing was pruned: {reason}");
        context.emitter.send(EventKind::Warning { message });
    } else {
        context.emitter.send(EventKind::Planned {
            steps: prune.steps(),
        });
        report.pruned = Some(ops::prune(context, set, plan, prune).await?);
    }
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

fn save(context: &Context, set: &Set, plan: &Plan, path: &Path) -> Result<SavedTo, CommandError> {
    let salt = format!("{:x}{:x}", random::seed(), random::seed());
    let saved = SavedPlan::new(
        plan,
        &set.choices,
        set.prunes(),
        context.cluster.server(),
        salt,
    );
    saved_file::write(&saved, path)?;
    let file = shell::word(&path.display().to_string());
    Ok(SavedTo {
        file: path.to_owned(),
        next: format!("do exactly that with `cryptoctl up --plan {file}`"),
    })
}
