//! `diff`

use super::Session;
use crate::cli::{DiffArgs, PruneArgs};
use crate::error::{CommandError, field_hints};
use crate::ops::{self, DiffOptions};
use crate::report::{DiffView, Report};
use crate::settings;

pub(super) async fn run(
    session: &Session<'_>,
    arguments: &DiffArgs,
) -> Result<Report, CommandError> {
    let mut set = settings::set(session.cli, &arguments.set, Some(&arguments.edits)).await?;
    set.choices = settings::field_choices(&arguments.fields, &session.config);
    set.replaced.clone_from(&arguments.replace);
    set.rolls = settings::rolls(&arguments.edits, &session.config);
    let PruneArgs { inventory, prune } = &arguments.pruning;
    set.inventory = settings::inventory(inventory, *prune, &session.config)?;
    let context = session.connect("diff", &set, None).await?;
    let options = DiffOptions {
        view: match (arguments.brief, arguments.blame) {
            (true, _) => DiffView::Brief,
            (_, true) => DiffView::Blame,
            _ => DiffView::Patch,
        },
        counts_undeclared: arguments.fail_on_undeclared,
        accepted: arguments.allow.clone(),
    };
    let mut report = ops::diff(&context, &set, options).await?;
    report.hints = field_hints(&report);
    Ok(Report::Diff(report))
}
