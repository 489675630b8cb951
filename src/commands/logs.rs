//! `logs`

use super::Session;
use crate::cli::LogsArgs;
use crate::cluster::LogOptions;
use crate::error::CommandError;
use crate::ops::{self, LogsOptions};
use crate::report::Report;

pub(super) async fn run(
    session: &Session<'_>,
    arguments: &LogsArgs,
) -> Result<Report, CommandError> {
    let set = session.set(&arguments.workload.set).await?;
    let (context, workload) = session.workload("logs", &set, &arguments.workload).await?;
    let options = LogsOptions {
        container: arguments.container.clone(),
        part: LogOptions {
            previous: arguments.previous,
            follow: arguments.follow,
            tail: arguments.tail,
            since: None,
        },
    };
    Ok(ops::logs(&context, &workload, &options).await?)
}
