//! `up`

use std::path::Path;

use super::confirm::Protected;
use super::{Session, confirm, random, report};
use crate::cli::UpArgs;
use crate::error::CommandError;
use crate::ops::{self, Context, Set, UpOptions};
use crate::plan::{Plan, SavedPlan};
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
    let mut context = session.connect("up", &set, None).await?;
    if !is_dry_run && let Some(protected) = Protected::find(session, &context)? {
        let manifests = set.manifests.manifests();
        let lines: Vec<String> = manifests
            .iter()
            .map(|manifest| format!("apply {}", manifest.reference))
            .collect();
        context = confirm::ask(session, context, Some(protected), "apply the set", &lines).await?;
    }
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
    let report = ops::up(&context, &set, options, plan).await?;
    Ok(Report::Up(UpReport { saved, ..report }))
}

fn save(context: &Context, set: &Set, plan: &Plan, path: &Path) -> Result<SavedTo, CommandError> {
    let salt = format!("{:x}{:x}", random::seed(), random::seed());
    let saved = SavedPlan::new(plan, &set.choices, context.cluster.server(), salt);
    saved_file::write(&saved, path)?;
    Ok(SavedTo {
        file: path.to_owned(),
        next: format!(
            "do exactly that with `cryptoctl up --plan {}`",
            shell::word(&path.display().to_string())
        ),
    })
}
