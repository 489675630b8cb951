//! `logs`

use std::path::Path;

use super::Session;
use crate::cli::LogsArgs;
use crate::cluster::{LogOptions, LogStart};
use crate::error::CommandError;
use crate::ops::{self, LogsOptions, OpsError, Workload};
use crate::report::Report;
use crate::values;

pub(super) async fn run(
    session: &Session<'_>,
    arguments: &LogsArgs,
) -> Result<Report, CommandError> {
    refuse_followed(arguments)?;
    let set = session.set(&arguments.workload.set).await?;
    let (context, workload) = session.workload("logs", &set, &arguments.workload).await?;
    let mut options = LogsOptions {
        container: arguments.container.clone(),
        pod: None,
        part: LogOptions {
            previous: arguments.previous,
            follow: arguments.follow,
            // kubectl's -1: all of them.
            tail: arguments.tail.filter(|lines| *lines >= 0),
            since: arguments.since.map(|since| {
                // Round up to whole seconds: one line too many is better than one too few.
                let seconds = since.as_secs() + u64::from(since.subsec_nanos() > 0);
                LogStart::Seconds(i64::try_from(seconds).unwrap_or(i64::MAX))
            }),
            timestamps: arguments.timestamps,
        },
    };
    if let Some(pod) = workload.name.strip_prefix(values::POD) {
        let named = Workload {
            namespace: workload.namespace.clone(),
            name: pod.to_owned(),
            selector: None,
        };
        let Some(owner) = owner_of(&named) else {
            return Err(CommandError::usage(
                format!(
                    "`{pod}` cannot be a pod of a StatefulSet: its name does not end in an ordinal, as `web-0` does"
                ),
                format!(
                    "read any other pod with `kubectl logs {pod} -n {}`",
                    named.namespace
                ),
            ));
        };
        options.pod = Some(named.name);
        return Ok(ops::logs(&context, &owner, &options).await?);
    }
    match ops::logs(&context, &workload, &options).await {
        // No StatefulSet has this name, but a pod of one may: `kubectl logs` takes the name of a
        // pod.
        Err(OpsError::NoSuchWorkload { object, nearby }) => match owner_of(&workload) {
            Some(owner) => {
                options.pod = Some(object.name);
                Ok(ops::logs(&context, &owner, &options).await?)
            }
            None => Err(OpsError::NoSuchWorkload { object, nearby }.into()),
        },
        read => Ok(read?),
    }
}

/// The StatefulSet that a pod of this name belongs to.
fn owner_of(pod: &Workload) -> Option<Workload> {
    let (owner, ordinal) = pod.name.rsplit_once('-')?;
    let is_ordinal = !ordinal.is_empty() && ordinal.bytes().all(|byte| byte.is_ascii_digit());
    is_ordinal.then(|| Workload {
        namespace: pod.namespace.clone(),
        name: owner.to_owned(),
        selector: None,
    })
}

/// `-f` names a file here, as in every other command; in `kubectl logs` it means to follow.
fn refuse_followed(arguments: &LogsArgs) -> Result<(), CommandError> {
    let files = &arguments.workload.set.filename;
    let is_missing =
        |path: &&std::path::PathBuf| path.as_path() != Path::new("-") && !path.exists();
    match files.iter().find(is_missing) {
        None => Ok(()),
        Some(path) => {
            let path = path.display();
            Err(CommandError::usage(
                format!("`-f` names a file with manifests here, but `{path}` does not exist"),
                format!("to follow the logs, use `cryptoctl logs --follow {path}`"),
            ))
        }
    }
}
