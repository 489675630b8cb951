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
    let set = session.set(&arguments.workload.set).await?;
    let named = arguments.workload.workload.as_deref();
    let verification = settings::verification(&arguments.question, &set, named)?;
    let (context, workload) = session.workload("verify", &set, named).await?;
    Ok(Report::Verify(
        ops::verify(&context, &workload, &verification).await?,
    ))
}
