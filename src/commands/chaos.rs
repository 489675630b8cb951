//! `chaos`

use super::confirm::Protected;
use super::{Session, confirm, random, report};
use crate::chaos;
use crate::cli::ChaosArgs;
use crate::error::CommandError;
use crate::ops;
use crate::report::Report;
use crate::settings;

pub(super) async fn run(
    session: &Session<'_>,
    arguments: &ChaosArgs,
) -> Result<Report, CommandError> {
    report::possible(&arguments.files.report, true)?;
    let set = session.set(&arguments.workload.set).await?;
    if arguments.restore {
        return restore(session, arguments, &set).await;
    }
    let named = arguments.workload.workload.as_deref();
    let named = settings::workload(named, &session.config, &set);
    let (verification, note) =
        settings::verification(&arguments.question, named, &session.config, &set)?;
    let older = settings::older_run(&arguments.compare, session.cli.global.timeout).await?;
    let request = settings::experiment(
        arguments,
        &session.config,
        verification,
        older,
        settings::identity(random::seed()),
        random::seed,
    )?;
    let breaks = request.settings.fault.is_some() && !arguments.dry_run;
    if breaks {
        confirm::possible(session)?;
    }
    let (mut context, workload) = session.workload("chaos", &set, &arguments.workload).await?;
    session.warn(note);
    let protected = if breaks {
        Protected::find(session, &context)?
    } else {
        None
    };
    let plan = chaos::plan(&context, &workload, request).await?;
    if breaks {
        context = confirm::ask(session, context, protected, &plan.what, &plan.blast_radius).await?;
    }
    // A large future: not on the stack.
    let report = Box::pin(chaos::run(&context, &plan)).await?;
    Ok(Report::Chaos(Box::new(report)))
}

/// Undoes what an experiment has left behind. It only restores earlier values, so it needs no
/// consent, not even in a protected context.
async fn restore(
    session: &Session<'_>,
    arguments: &ChaosArgs,
    set: &ops::Set,
) -> Result<Report, CommandError> {
    let (context, workload) = session.workload("chaos", set, &arguments.workload).await?;
    Ok(Report::Restore(chaos::restore(&context, &workload).await?))
}
