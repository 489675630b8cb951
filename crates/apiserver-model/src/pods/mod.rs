//! Pods at run time: what the scheduler, the kubelet and the containers do, and how they are reached.

mod aside;
pub(crate) mod eviction;
pub(crate) mod exec;
pub(crate) mod log;
pub(crate) mod portforward;
pub(crate) mod proxy;
mod reply;
mod responder;
mod runtime;
mod script;
mod serving;
mod stage;
mod status;
mod websocket;

pub use reply::{Framing, Reply};
pub(crate) use runtime::{Process, Runtime};
pub use script::{PodScript, Pods};
pub use serving::When;
pub(crate) use stage::{Next, Stage};
pub(crate) use status::{node_address, set_condition, write as write_status};

use std::collections::BTreeMap;

use bytes::Bytes;
use serde_json::Value;
use tokio::time::Instant;

use super::object;
use super::state::State;
use serving::Serving;

/// The run-time side of all pods, by UID, and what tests want of them.
#[derive(Debug, Default)]
pub(crate) struct Kubelet {
    pub(crate) runtimes: BTreeMap<String, Runtime>,
    scripts: Vec<(Pods, PodScript)>,
    replies: Vec<Serving>,
    /// How many containers ran under a namespace and name, and the last one.
    runs: BTreeMap<(String, String), u32>,
    processes: BTreeMap<(String, String), Process>,
    /// What was answered, and refused.
    pub(crate) served: Vec<Served>,
    /// The pods whose containers got SIGTERM from a command that was executed in them, once for each.
    pub(crate) signalled: Vec<String>,
}

/// A whole answer that a pod gave, or a connection that it refused.
#[derive(Debug, Clone)]
pub struct Served {
    /// When it was given.
    pub at: Instant,
    /// The pod's name.
    pub pod: String,
    /// The pod's UID.
    pub uid: String,
    /// The status; 0 for a refused connection.
    pub status: u16,
    /// The whole body.
    pub body: Bytes,
}

impl Kubelet {
    /// From now on these pods behave like this; the last matching script decides, also for pods that exist.
    pub(crate) fn script(&mut self, pods: Pods, script: PodScript) {
        self.scripts.push((pods, script));
    }

    /// From now on these pods answer like this, one reply after the other, the last one for ever.
    pub(crate) fn serve(&mut self, pods: Pods, path: &str, when: When, replies: Vec<Reply>) {
        self.replies.push(Serving {
            pods,
            path: path.to_owned(),
            when,
            replies,
            asked: BTreeMap::new(),
        });
    }

    /// How a pod behaves.
    pub(crate) fn script_of(&self, pod: &Value) -> PodScript {
        let found = self
            .scripts
            .iter()
            .rev()
            .find(|(pods, _)| pods.include(pod));
        found.map(|(_, script)| script.clone()).unwrap_or_default()
    }

    /// How many runs containers of a pod's name have had.
    fn runs_of(&self, pod: &Value) -> u32 {
        self.runs.get(&place(pod)).copied().unwrap_or(0)
    }

    /// Notes what runs in a pod, after each of its steps.
    pub(crate) fn note(&mut self, pod: &Value, runtime: &Runtime) {
        if runtime.stage != Stage::Running {
            return;
        }
        let place = place(pod);
        let last = self.processes.get(&place);
        if last.is_none_or(|last| last.container_id != runtime.container_id) {
            *self.runs.entry(place.clone()).or_default() += 1;
            self.processes.insert(place, runtime.process());
        }
    }

    /// What ran last in a pod of that name.
    pub(crate) fn last_process(&self, pod: &Value) -> Option<Process> {
        self.processes.get(&place(pod)).cloned()
    }
}

/// Where a pod and its successors live.
fn place(pod: &Value) -> (String, String) {
    (
        object::namespace(pod).to_owned(),
        object::name(pod).to_owned(),
    )
}

/// The ID of the running container of a pod.
fn running_container(state: &State, namespace: &str, name: &str) -> Option<String> {
    let pod = state.pod(namespace, name)?;
    let runtime = state.kubelet.runtimes.get(object::uid(&pod))?;
    (runtime.stage == Stage::Running).then(|| runtime.container_id.clone())
}
