//! `rollout status`

use super::Session;
use crate::cli::{RolloutArgs, RolloutCommand};
use crate::error::CommandError;
use crate::ops;
use crate::report::Report;

pub(super) async fn run(
    session: &Session<'_>,
    arguments: &RolloutArgs,
) -> Result<Report, CommandError> {
    match &arguments.command {
        RolloutCommand::Status(arguments) => {
            let set = session.set(&arguments.workload.set).await?;
            let (context, workload) = session
                .workload("rollout status", &set, &arguments.workload)
                .await?;
            Ok(Report::Rollout(
                ops::rollout_status(&context, &workload).await?,
            ))
        }
    }
}
