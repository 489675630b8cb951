//! What has to be so before anything can begin.

use std::io;

use rustix::process::{Resource, getrlimit};
use thiserror::Error;

use crate::ui;

/// Streams, signals, the runtime, and a connection or two.
const LEAST_FILES: u64 = 24;

/// Why nothing can begin.
#[derive(Debug, Error)]
pub(crate) enum StartError {
    /// The operating system allows too few open files.
    #[error(
        "no more than {allowed} files may be open at once, and at least {LEAST_FILES} are needed: raise it with `ulimit -n 256`"
    )]
    Files {
        /// How many it allows.
        allowed: u64,
    },
    /// What was asked for could not be told to anybody.
    #[error(
        "standard output is closed (or `/dev/null`, opened for reading as well), and `-o json` has nowhere else to go: open it, for example with `>report.json`"
    )]
    NoOutput,
    /// The operating system refused what the runtime needs.
    #[error("failed to start")]
    Runtime {
        /// Why.
        source: io::Error,
    },
}

/// Whether a run can begin; `needs_output` says that its answer goes to standard output alone.
///
/// # Errors
/// [`StartError::Files`], [`StartError::NoOutput`].
pub(crate) fn check(needs_output: bool) -> Result<(), StartError> {
    match getrlimit(Resource::Nofile).current {
        Some(allowed) if allowed < LEAST_FILES => return Err(StartError::Files { allowed }),
        _ => {}
    }
    if needs_output && ui::output_was_closed() {
        return Err(StartError::NoOutput);
    }
    Ok(())
}
