//! `diff`

use super::Session;
use crate::cli::DiffArgs;
use crate::error::CommandError;
use crate::ops;
use crate::report::Report;
use crate::settings;

pub(super) async fn run(
    session: &Session<'_>,
    arguments: &DiffArgs,
) -> Result<Report, CommandError> {
    let mut set = settings::set(session.cli, &arguments.set, Some(&arguments.edits)).await?;
    set.choices = settings::field_choices(&arguments.fields, &session.config);
    let context = session.connect("diff", &set, None).await?;
    Ok(Report::Diff(ops::diff(&context, &set).await?))
}
