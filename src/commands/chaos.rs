//! `chaos`

use super::{Session, confirm, random};
use crate::cli::ChaosArgs;
use crate::error::CommandError;
use crate::ops::{self, ChaosPlan, ChaosRequest};
use crate::report::{Fault, Report, Selection};
use crate::settings;

pub(super) async fn run(
    session: &Session<'_>,
    arguments: &ChaosArgs,
) -> Result<Report, CommandError> {
    let set = session.set(&arguments.workload.set).await?;
    let verification = settings::verification(
        &arguments.question,
        &arguments.workload,
        &session.config,
        &set,
    )?;
    let older = settings::older_run(&arguments.measures).await?;
    let request = settings::experiment(
        arguments,
        &session.config,
        verification,
        older,
        random::seed,
    )?;
    refuse_unbuilt(arguments, &request)?;
    confirm::possible(session)?;
    let (context, workload) = session.workload("chaos", &set, &arguments.workload).await?;
    if !arguments.restore && request.fault.is_some() {
        settings::refuse_protected(&session.config, context.cluster.context())?;
    }
    let pod = ops::target(&context, &workload).await?;
    let what = format!("delete `pod/{pod}` in namespace `{}`", workload.namespace);
    let context = confirm::ask(session, context, &what, &[]).await?;
    let plan = ChaosPlan {
        workload,
        verification: request.verification,
        pod,
    };
    Ok(Report::Chaos(Box::new(ops::chaos(&context, &plan).await?)))
}

/// Refuses what cannot be done yet: better nothing than something else than was asked for.
fn refuse_unbuilt(arguments: &ChaosArgs, request: &ChaosRequest) -> Result<(), CommandError> {
    let is_built = !arguments.dry_run
        && !arguments.restore
        && request.fault == Some(Fault::Delete)
        && request.selection == Selection::First
        && request.kills == 1
        && request.max_outage.is_none()
        && request.max_recovery.is_none()
        && request.older.is_none();
    if is_built {
        return Ok(());
    }
    Err(CommandError::usage(
        "only one deletion of the first pod is possible so far",
        "leave out what asks for more",
    ))
}
