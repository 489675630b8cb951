//! Errors of the benchmarks.

use std::env::VarError;
use std::error::Error;
use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitStatus;

use crate::measure::MeasureError;
use crate::work::Tool;

/// The benchmarks failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BenchError {
    /// Too few runs for the documents.
    #[error("{given} runs are too few for the documents: at least {least} are needed")]
    TooFewRuns { given: u32, least: u32 },
    /// The sandbox did not set a variable.
    #[error("cannot read the variable `{name}`")]
    Variable {
        name: &'static str,
        source: VarError,
    },
    /// The variable with the versions is invalid.
    #[error("cannot read the versions of the programs that the sandbox has built")]
    Versions(#[source] serde_json::Error),
    /// A file operation failed.
    #[error("cannot {action} `{}`", path.display())]
    File {
        action: &'static str,
        path: PathBuf,
        source: io::Error,
    },
    /// A program could not be started.
    #[error("cannot run `{}`", program.display())]
    Start { program: PathBuf, source: io::Error },
    /// A command that prepares the cluster failed.
    #[error("`{command}` failed ({status})")]
    Preparation { command: String, status: ExitStatus },
    /// The replicas did not start to serve their data.
    #[error("the replicas of `{0}` do not serve the same data")]
    NotServing(&'static str),
    /// The measuring process failed.
    #[error(transparent)]
    Measure(#[from] MeasureError),
    /// A measured command failed; the measuring process has printed why.
    #[error("`{command}` could not be measured")]
    NotMeasured { command: String },
    /// The measuring process wrote no figures.
    #[error("the figures of `{command}` are damaged")]
    Damaged {
        command: String,
        source: serde_json::Error,
    },
    /// A client has no requests in the audit log.
    #[error("the audit log shows no request of {}", .0.name())]
    NotCounted(Tool),
    /// The workload did not survive the loss of a pod.
    #[error("a recovery of {0} cannot be timed: {1}")]
    NotRecovered(&'static str, String),
    /// The results cannot be written as JSON.
    #[error("the results cannot be written as JSON")]
    Json(#[source] serde_json::Error),
}

impl BenchError {
    /// Adds the action and the path to an error, for `map_err`.
    pub(crate) fn file(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::File {
            action,
            path: path.to_owned(),
            source,
        }
    }

    /// The next step, if there is one.
    fn hint(&self) -> Option<&'static str> {
        match self {
            Self::TooFewRuns { .. } => {
                Some("add `--only NAME` to see some figures without writing the documents")
            }
            Self::Variable { .. } => Some("`cargo sandbox bench` sets it and runs this program"),
            _ => None,
        }
    }

    /// The error, its causes and the next step, as text.
    pub(crate) fn render(&self) -> String {
        let causes = std::iter::successors(self.source(), |error| (*error).source())
            .map(|cause| format!("\n  caused by: {cause}"));
        let hint = self.hint().map(|hint| format!("\n\nhint: {hint}"));
        std::iter::once(format!("error: {self}"))
            .chain(causes)
            .chain(hint)
            .collect()
    }
}
