//! Reads input that may never end.

use std::time::Duration;

use crate::error::CommandError;
use crate::ops::OpsError;

/// Reads on a separate thread: a pipe may never end, but Ctrl-C and the command's time limit must
/// still work.
///
/// # Errors
/// When the time limit has passed.
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
