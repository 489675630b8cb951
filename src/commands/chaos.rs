//! `chaos`

use super::{Session, confirm, random, report};
use crate::cli::ChaosArgs;
use crate::error::CommandError;
use crate::ops;
use crate::report::{ChaosPlanReport, Report};
use crate::settings;

pub(super) async fn run(
    session: &Session<'_>,
    arguments: &ChaosArgs,
) -> Result<Report, CommandError> {
    report::possible(&arguments.files.report, true)?;
    let set = session.set(&arguments.workload.set).await?;
    if arguments.restore {
        confirm::possible(session)?;
        let (context, workload) = session.workload("chaos", &set, &arguments.workload).await?;
        let what = format!(
            "undo what an experiment on `{}` in namespace `{}` has left behind",
            workload.reference(),
            workload.namespace
        );
        let context = confirm::ask(session, context, &what, &[]).await?;
        return Ok(Report::Restore(ops::restore(&context, &workload).await?));
    }
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
    let breaks = request.fault.is_some();
    let needs_consent = breaks && !arguments.dry_run;
    if needs_consent {
        confirm::possible(session)?;
    }
    let (context, workload) = session.workload("chaos", &set, &arguments.workload).await?;
    if breaks {
        settings::refuse_protected(&session.config, context.cluster.context())?;
    }
    let plan = ops::plan_chaos(&context, &workload, request).await?;
    if arguments.dry_run {
        return Ok(Report::ChaosPlan(ChaosPlanReport {
            object: workload.reference(),
            experiment: plan.experiment,
            what: plan.what,
            reach: plan.reach,
        }));
    }
    let context = if needs_consent {
        confirm::ask(session, context, &plan.what, &plan.reach).await?
    } else {
        context
    };
    Ok(Report::Chaos(Box::new(ops::chaos(&context, &plan).await?)))
}
