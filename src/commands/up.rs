//! `up`

use super::confirm::Protected;
use super::{Session, confirm};
use crate::cli::UpArgs;
use crate::error::CommandError;
use crate::ops::{self, UpOptions};
use crate::report::Report;
use crate::settings;

pub(super) async fn run(session: &Session<'_>, arguments: &UpArgs) -> Result<Report, CommandError> {
    let mut set = settings::set(session.cli, &arguments.set, Some(&arguments.edits)).await?;
    set.choices = settings::field_choices(&arguments.fields, &session.config);
    let mut context = session.connect("up", &set, None).await?;
    if !arguments.dry_run
        && let Some(protected) = Protected::find(session, &context)?
    {
        let manifests = set.manifests.manifests();
        let lines: Vec<String> = manifests
            .iter()
            .map(|manifest| format!("apply {}", manifest.reference))
            .collect();
        context = confirm::ask(session, context, Some(protected), "apply the set", &lines).await?;
    }
    let options = UpOptions {
        dry_run: arguments.dry_run,
        wait: !arguments.no_wait,
        delete_data: arguments.delete_data,
        accepted: arguments.allow.clone(),
    };
    Ok(Report::Up(ops::up(&context, &set, options).await?))
}
