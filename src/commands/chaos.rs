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
    let set = session.set(&arguments.workload.set).await?;
    let named = arguments.workload.workload.as_deref();
    let verification = settings::verification(&arguments.question, &set, named)?;
    confirm::possible(session)?;
    let (context, workload) = session.workload("chaos", &set, named).await?;
    let pod = ops::target(&context, &workload).await?;
    let what = format!("delete `pod/{pod}` in namespace `{}`", workload.namespace);
    let context = confirm::ask(session, context, &what, &[]).await?;
    let plan = ChaosPlan {
        workload,
        verification,
        pod,
    };
    Ok(Report::Chaos(Box::new(ops::chaos(&context, &plan).await?)))
}
