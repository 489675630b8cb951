//! How the benchmarks fail.

use std::process::ExitStatus;

use super::work::Tool;

/// The benchmarks could not be run to their end.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BenchError {
    /// Too few runs to be written down.
    #[error("{given} runs are too few to be written down: at least {least}")]
    TooFewRuns { given: u32, least: u32 },
    /// A command that prepares the cluster failed.
    #[error("`{command}` failed ({status})")]
    Preparation { command: String, status: ExitStatus },
    /// The replicas did not come to serve their data.
    #[error("the replicas of `{0}` do not serve the same data")]
    NotServing(&'static str),
    /// A measured command failed; the measuring process has said why.
    #[error("`{command}` could not be measured")]
    NotMeasured { command: String },
    /// The measuring process wrote no figures.
    #[error("the figures of `{command}` are damaged")]
    Damaged {
        command: String,
        source: serde_json::Error,
    },
    /// A client left no trace where its requests are counted.
    #[error("the audit log shows no request of {}", .0.name())]
    NotCounted(Tool),
    /// The workload did not survive the loss of a pod.
    #[error("a recovery of {0} cannot be timed: {1}")]
    NotRecovered(&'static str, String),
    /// The results cannot be written as JSON.
    #[error("the results cannot be written as JSON")]
    Json(#[source] serde_json::Error),
}
