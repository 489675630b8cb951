//! Reads what may never end.

use std::time::Duration;

use crate::error::CommandError;
use crate::ops::OpsError;

/// Reads on a thread of its own: a pipe may never end, and Ctrl-C and the time for the whole command
/// are to be heard meanwhile.
///
/// # Errors
/// When the time is over.
pub async fn in_time<T: Send + 'static>(
    timeout: Duration,
    read: impl FnOnce() -> T + Send + 'static,
) -> Result<T, CommandError> {
    match tokio::time::timeout(timeout, tokio::task::spawn_blocking(read)).await {
        Ok(Ok(read)) => Ok(read),
        Ok(Err(panic)) => std::panic::resume_unwind(panic.into_panic()),
        Err(_) => Err(OpsError::OutOfTime { timeout }.into()),
    }
}
