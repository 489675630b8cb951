//! Pods at run time: what the scheduler, the kubelet and the containers do, and how they are reached.

pub(crate) mod eviction;
pub(crate) mod exec;
pub(crate) mod log;
pub(crate) mod portforward;
pub(crate) mod proxy;
mod reply;
mod responder;
mod runtime;
mod script;
mod status;
mod websocket;

pub(crate) use reply::{Framing, Reply};
pub(crate) use runtime::{Next, Runtime, Stage};
pub(crate) use script::{PodScript, Pods};
pub(crate) use status::{node_address, set_condition, write as write_status};

use std::collections::BTreeMap;

use bytes::Bytes;
use serde_json::Value;
use tokio::time::Instant;

use super::object;
use super::state::State;

/// The run-time side of all pods, by UID, and what tests want of them.
#[derive(Debug, Default)]
pub(crate) struct Kubelet {
    pub(crate) runtimes: BTreeMap<String, Runtime>,
    scripts: Vec<(Pods, PodScript)>,
    replies: Vec<Serving>,
    /// What was answered, and refused.
    pub(crate) served: Vec<Served>,
    /// Which containers got SIGTERM from a command that was executed in them.
    pub(crate) signalled: Vec<Signalled>,
}

/// A SIGTERM that reached the first process of a container.
#[derive(Debug, Clone)]
pub(crate) struct Signalled {
    pub(crate) at: Instant,
    pub(crate) pod: String,
    pub(crate) uid: String,
    pub(crate) container: String,
}

/// A whole answer that a pod gave, or a connection that it refused.
#[derive(Debug, Clone)]
pub(crate) struct Served {
    pub(crate) at: Instant,
    pub(crate) pod: String,
    pub(crate) uid: String,
    /// The status; 0 for a refused connection.
    pub(crate) status: u16,
    pub(crate) body: Bytes,
}

/// What some pods answer to requests for a path.
#[derive(Debug)]
struct Serving {
    pods: Pods,
    path: String,
    replies: Vec<Reply>,
    /// Requests so far, by pod.
    asked: BTreeMap<String, usize>,
}

impl Kubelet {
    /// From now on these pods behave like this; the last matching script decides, also for pods that exist.
    pub(crate) fn script(&mut self, pods: Pods, script: PodScript) {
        self.scripts.push((pods, script));
    }

    /// From now on these pods answer like this, one reply after the other, the last one for ever.
    pub(crate) fn serve(&mut self, pods: Pods, path: &str, replies: Vec<Reply>) {
        self.replies.push(Serving {
            pods,
            path: path.to_owned(),
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

    /// What a pod answers next; None when nothing listens.
    pub(crate) fn reply_of(&mut self, pod: &Value, path: &str) -> Option<Reply> {
        if !self.serves(pod) {
            return None;
        }
        let wanted =
            |serving: &&mut Serving| serving.pods.include(pod) && path.starts_with(&serving.path);
        let Some(serving) = self.replies.iter_mut().rev().find(wanted) else {
            return Some(Reply::new(404, "404 page not found\n"));
        };
        let asked = serving
            .asked
            .entry(object::uid(pod).to_owned())
            .or_default();
        let reply = serving
            .replies
            .get(*asked)
            .or(serving.replies.last())
            .cloned();
        *asked += 1;
        reply
    }

    /// Whether a pod has a server at all.
    pub(crate) fn serves(&self, pod: &Value) -> bool {
        self.replies.iter().any(|serving| serving.pods.include(pod))
    }

    /// Whether nothing listens now, which shows before a request is read. A refusal counts as an answer.
    pub(crate) fn refuses(&mut self, pod: &Value) -> bool {
        let Some(serving) = self
            .replies
            .iter_mut()
            .rev()
            .find(|serving| serving.pods.include(pod))
        else {
            return true;
        };
        let asked = serving
            .asked
            .entry(object::uid(pod).to_owned())
            .or_default();
        let refused = serving
            .replies
            .get(*asked)
            .or(serving.replies.last())
            .is_some_and(|reply| reply.refused);
        *asked += usize::from(refused);
        refused
    }
}

/// The ID of the running container of a pod.
fn running_container(state: &State, namespace: &str, name: &str) -> Option<String> {
    let pod = state.pod(namespace, name)?;
    let runtime = state.kubelet.runtimes.get(object::uid(&pod))?;
    (runtime.stage == Stage::Running).then(|| runtime.container_id.clone())
}
