//! `chaos`

use std::time::Duration;

use super::{Session, confirm, report};
use crate::cli::ChaosArgs;
use crate::error::CommandError;
use crate::ops::{self, ChaosRequest};
use crate::report::{Fault, Report, Selection};
use crate::settings;

pub(super) async fn run(
    session: &Session<'_>,
    arguments: &ChaosArgs,
) -> Result<Report, CommandError> {
    report::possible(&arguments.files.report, true)?;
    let set = session.set(&arguments.workload.set).await?;
    let named = arguments.workload.workload.as_deref();
    let verification = settings::verification(&arguments.question, &set, named)?;
    let request = ChaosRequest {
        verification,
        fault: Some(Fault::Delete),
        selection: Selection::First,
        kills: None,
        pause: Duration::from_secs(5),
        control: Duration::from_secs(10),
        probe_interval: Duration::from_millis(100),
        max_outage: None,
        max_recovery: None,
        allows_disruption: false,
        older: None,
    };
    confirm::possible(session)?;
    let (context, workload) = session.workload("chaos", &set, named).await?;
    let plan = ops::plan_chaos(&context, &workload, request).await?;
    let context = confirm::ask(session, context, &plan.what, &plan.reach).await?;
    Ok(Report::Chaos(Box::new(ops::chaos(&context, &plan).await?)))
}
