//! Does the work: talks to the cluster, emits events, returns a report. Knows no terminal.

mod apply;
mod chaos;
mod down;
mod error;
mod logs;
mod plan;
mod preflight;
mod rollout;
mod up;
mod verify;
mod wait;
mod workload;

use std::time::Duration;

use tokio::time::Instant;

pub use self::chaos::{ChaosPlan, chaos};
pub use self::down::{DownOptions, DownPlan, down, plan_down};
pub use self::error::{OpsError, Problem, WriteFailure};
pub use self::logs::{LogsOptions, logs};
pub use self::plan::plan;
pub use self::preflight::preflight;
pub use self::rollout::rollout_status;
pub use self::up::{UpOptions, diff, up};
pub use self::verify::{Expectation, verify};
pub use self::workload::Workload;

use crate::cluster::{Cluster, ServedKinds};
use crate::event::{Emitter, EventKind};
use crate::manifest::ManifestSet;

/// Requests that are under way at once, at most.
const CONCURRENCY: usize = 16;

/// What every piece of work needs.
#[derive(Clone)]
pub struct Context {
    /// The cluster.
    pub cluster: Cluster,
    /// Where events go.
    pub emitter: Emitter,
    /// The namespace that the user named with `-n`.
    pub namespace: Option<String>,
    /// The time for the whole command.
    pub timeout: Duration,
    /// When that time is over.
    pub deadline: Instant,
    /// The kinds that the cluster serves.
    pub kinds: ServedKinds,
}

impl Context {
    /// A context whose time begins now.
    #[must_use]
    pub fn new(
        cluster: Cluster,
        emitter: Emitter,
        namespace: Option<String>,
        timeout: Duration,
    ) -> Self {
        let deadline = Instant::now() + timeout;
        Self {
            cluster,
            emitter,
            namespace,
            timeout,
            deadline,
            kinds: ServedKinds::default(),
        }
    }

    /// The namespace for objects that name none.
    #[must_use]
    pub fn default_namespace(&self) -> &str {
        self.namespace
            .as_deref()
            .unwrap_or_else(|| self.cluster.default_namespace())
    }

    fn emit(&self, kind: EventKind) {
        self.emitter.send(kind);
    }

    fn warn(&self, message: String) {
        self.emit(EventKind::Warning { message });
    }
}

/// The set of manifests that a command works on.
#[derive(Debug, Clone)]
pub struct Set {
    /// The manifests, edits applied.
    pub manifests: ManifestSet,
    /// Whether it is the set that this program carries, which needs no flags to be verified.
    pub is_built_in: bool,
}
