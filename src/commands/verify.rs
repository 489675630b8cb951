//! `verify`

use super::{Session, report};
use crate::cli::VerifyArgs;
use crate::error::CommandError;
use crate::ops;
use crate::report::Report;
use crate::settings;

pub(super) async fn run(
    session: &Session<'_>,
    arguments: &VerifyArgs,
) -> Result<Report, CommandError> {
    report::possible(&arguments.files.report, false)?;
    refuse_unbuilt(arguments)?;
    report::possible(&arguments.files.report, false)?;
    let set = session.set(&arguments.workload.set).await?;
    let verification = settings::verification(
        &arguments.question,
        &arguments.workload,
        &session.config,
        &set,
    )?;
    let (context, workload) = session
        .workload("verify", &set, &arguments.workload)
        .await?;
    Ok(Report::Verify(
        ops::verify(&context, &workload, &verification).await?,
    ))
}

/// Refuses what cannot be done yet: better nothing than something else than was asked for.
fn refuse_unbuilt(arguments: &VerifyArgs) -> Result<(), CommandError> {
    let is_built = arguments.baseline.is_none()
        && arguments.save_baseline.is_none()
        && !arguments.show_content
        && !arguments.watch;
    if is_built {
        return Ok(());
    }
    Err(CommandError::usage(
        "only one comparison of the replicas with each other is possible so far",
        "leave out what asks for more",
    ))
}
