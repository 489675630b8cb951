//! Where a pod stands, how its container ended, and what comes next.

use tokio::time::Instant;

/// Where a pod stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stage {
    /// Without a node.
    Unscheduled,
    /// On a node; the image comes and containers are made.
    Creating,
    /// The image could not be pulled.
    PullFailed,
    /// Waits to pull again.
    PullBackOff,
    /// This init container runs.
    Initializing(usize),
    /// The containers run.
    Running,
    /// A container just ended.
    Crashed,
    /// It waits to be started again.
    CrashBackOff,
    /// It ended and stays ended (`restartPolicy`).
    Ended,
}

/// What comes next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Next {
    /// Something changed; look again.
    Again,
    /// Nothing before that moment.
    At(Instant),
    /// Nothing by itself.
    Never,
}

/// How a container ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Exit {
    pub(crate) code: i32,
    pub(crate) reason: &'static str,
    pub(crate) container_id: String,
    pub(crate) started_at: String,
    pub(crate) finished_at: String,
}
