//! The preconditions of every run.

use std::io;

use rustix::process::{Resource, getrlimit};
use thiserror::Error;

use crate::ui;

/// Streams, signals, the runtime, and a few connections.
const LEAST_FILES: u64 = 24;

/// Why a run cannot start.
#[derive(Debug, Error)]
pub(crate) enum StartError {
    /// The operating system allows too few open files.
    #[error(
        "at most {allowed} files may be open at once, but at least {LEAST_FILES} are needed: raise the limit with `ulimit -n 256`"
    )]
    Files {
        /// The limit.
        allowed: u64,
    },
    /// The result cannot be written anywhere.
    #[error(
        "standard output is closed (or `/dev/null`, opened for reading too), but `-o json` writes only there: open it, for example with `>report.json`"
    )]
    NoOutput,
    /// The operating system refused a resource of the runtime.
    #[error("failed to start")]
    Runtime {
        /// Why.
        source: io::Error,
    },
}

/// Whether a run can start; `needs_output` says that its result goes to standard output alone.
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
