//! `chaos`

use super::{Session, confirm};
use crate::cli::ChaosArgs;
use crate::error::CommandError;
use crate::ops::{self, ChaosPlan};
use crate::report::Report;
use crate::settings;

pub(super) async fn run(
    session: &Session<'_>,
    arguments: &ChaosArgs,
) -> Result<Report, CommandError> {
    let set = session.set(&arguments.workload.set)?;
    let expectation = settings::expectation(&arguments.question, &set)?;
    confirm::possible(session)?;
    let named = arguments.workload.workload.as_deref();
    let (context, workload) = session.workload("chaos", &set, named).await?;
    let what = format!(
        "delete the first pod of `{}` in namespace `{}`",
        workload.reference(),
        workload.namespace
    );
    confirm::ask(session, &context, &what, &[]).await?;
    let plan = ChaosPlan {
        workload,
        expectation,
    };
    Ok(Report::Chaos(Box::new(ops::chaos(&context, &plan).await?)))
}
