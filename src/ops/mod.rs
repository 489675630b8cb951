//! The operations: they talk to the cluster, emit events and return reports. They know no terminal.

pub(crate) mod change;
pub(crate) mod cordoned_nodes;
mod custom_resources;
mod down;
pub(crate) mod error;
mod evidence;
pub(crate) mod finalizers;
mod first_failure;
pub(crate) mod inventory;
mod logs;
pub(crate) mod nearby;
mod overwriting;
mod preflight;
mod read_ahead;
pub(crate) mod rollout;
pub(crate) mod seen;
pub(crate) mod stalled_workload;
mod up;
pub(crate) mod verify;
pub(crate) mod wait;
pub(crate) mod workload;
pub(crate) mod write;

use std::time::Duration;

use serde_json::Value;
use tokio::time::{Instant, timeout_at};

pub use self::down::{DownOptions, DownPlan, down, plan_down};
pub use self::error::{OpsError, Problem, WriteFailure};
pub use self::evidence::{EvidenceFile, evidence};
pub use self::inventory::{plan_down_listed, plan_prune, prune};
pub use self::logs::{LogsOptions, logs};
pub use self::nearby::Nearby;
pub use self::rollout::{
    find_stuck_pods, rollout_history, rollout_pause, rollout_restart, rollout_resume,
    rollout_status, rollout_undo, unstick,
};
pub use self::up::server_field::ServerField;
pub use self::up::{DiffOptions, UpOptions, UpPlan, diff, plan_up, up};
pub use self::verify::{Verification, WatchTimes, verify, verify_for_baseline, watch};
pub use self::workload::Workload;

use crate::cluster::{ApplyMode, Cluster, ClusterError, ServedKinds};
use crate::emitter::Emitter;
use crate::event::EventKind;
use crate::fields::FieldChoices;
use crate::interrupt::Stop;
use crate::manifest::ManifestSet;
use crate::object::ObjectName;
use crate::plan::Target;

/// At most this many requests run at the same time.
const CONCURRENCY: usize = 16;

/// What every operation needs.
#[derive(Clone)]
pub struct Context {
    /// The cluster.
    pub cluster: Cluster,
    /// Where events go.
    pub emitter: Emitter,
    /// The namespace that the user named with `-n`.
    pub namespace: Option<String>,
    /// The time limit of the whole command.
    pub timeout: Duration,
    /// When that time limit ends.
    pub deadline: Instant,
    /// The kinds that the cluster serves.
    pub kinds: ServedKinds,
    /// Tells an operation to stop in an orderly way.
    pub stop: Stop,
}

impl Context {
    /// A context whose time limit starts now.
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
            stop: Stop::default(),
        }
    }

    /// The namespace of objects that name none.
    #[must_use]
    pub fn default_namespace(&self) -> &str {
        self.namespace
            .as_deref()
            .unwrap_or_else(|| self.cluster.default_namespace())
    }

    /// The same context with its time limit starting now: waiting for the user's answer does not
    /// count.
    #[must_use]
    pub fn restarted(mut self) -> Self {
        self.deadline = Instant::now() + self.timeout;
        self
    }

    /// Fails after the deadline: nothing may start then.
    pub(crate) fn in_time(&self) -> Result<(), OpsError> {
        if Instant::now() < self.deadline {
            Ok(())
        } else {
            Err(self.out_of_time())
        }
    }

    /// Runs an operation that has no deadline of its own.
    pub(crate) async fn by_deadline<T>(
        &self,
        work: impl Future<Output = Result<T, OpsError>>,
    ) -> Result<T, OpsError> {
        timeout_at(self.deadline, work)
            .await
            .unwrap_or_else(|_| Err(self.out_of_time()))
    }

    /// Applies an object of the set, or does a dry run of it.
    pub(crate) async fn apply(
        &self,
        target: &Target,
        mode: ApplyMode,
    ) -> Result<Value, ClusterError> {
        let object = &target.reference;
        let namespace = object.namespace.as_deref();
        self.cluster
            .apply(&target.kind, namespace, &object.name, &target.body, mode)
            .await
    }

    pub(crate) fn out_of_time(&self) -> OpsError {
        OpsError::OutOfTime {
            timeout: self.timeout,
        }
    }

    pub(crate) fn emit(&self, kind: EventKind) {
        self.emitter.send(kind);
    }

    pub(crate) fn warn(&self, message: String) {
        self.emit(EventKind::Warning { message });
    }
}

/// The manifests that a command works on.
#[derive(Debug, Clone)]
pub struct Set {
    /// The manifests, with edits applied.
    pub manifests: ManifestSet,
    /// Whether it is the built-in set, which needs no flags to be verified.
    pub is_built_in: bool,
    /// What to do about fields that other managers own.
    pub choices: FieldChoices,
    /// The objects that may be deleted: to be created again, or for the set to take their place.
    pub replaced: Vec<ObjectName>,
    /// Its inventory, if it has one.
    pub inventory: Option<NamedInventory>,
    /// Whether pods are replaced when a ConfigMap or Secret of the set that they use has other contents.
    pub rolls: bool,
}

/// The inventory of a set, as a person names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedInventory {
    /// Its name.
    pub name: String,
    /// Whether what it lists and the set no longer contains is deleted.
    pub prunes: bool,
}

impl Set {
    /// Whether what it no longer contains is deleted.
    #[must_use]
    pub fn prunes(&self) -> bool {
        self.inventory.as_ref().is_some_and(|named| named.prunes)
    }
}
