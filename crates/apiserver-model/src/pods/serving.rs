//! Which of the scripted replies a pod gives.

use std::collections::BTreeMap;

use serde_json::Value;

use super::reply::Reply;
use super::script::Pods;
use super::stage::Stage;
use crate::object;
use crate::state::State;

/// When a reply counts, looked at anew at each request.
#[derive(Debug, Clone, Default)]
pub enum When {
    /// At any time.
    #[default]
    Always,
    /// As long as the asked pod is not Ready, although its container runs.
    Unready,
    /// As long as the asked pod is on its way out.
    Terminating,
    /// From the end of the containers of these pods until one of them is Ready again.
    Away(Pods),
    /// From this run of a container of the asked pod's name on; the first one is 0, and both a restart and a successor
    /// of the pod are another.
    FromRun(u32),
}

impl When {
    fn holds(&self, state: &State, asked: &Value) -> bool {
        let is_ready = |pod: &Value| {
            let runtime = state.kubelet.runtimes.get(object::uid(pod));
            runtime.is_some_and(|runtime| runtime.stage == Stage::Running && runtime.ready)
        };
        match self {
            Self::Always => true,
            Self::Unready => !is_ready(asked),
            Self::Terminating => object::is_terminating(asked),
            Self::Away(pods) => {
                let all = state.store.list("", "pods", "");
                !all.iter()
                    .any(|(_, pod)| pods.include(pod) && is_ready(pod))
            }
            Self::FromRun(first) => state.kubelet.runs_of(asked) > *first,
        }
    }
}

/// What some pods answer to requests for a path.
#[derive(Debug)]
pub(super) struct Serving {
    pub(super) pods: Pods,
    pub(super) path: String,
    pub(super) when: When,
    pub(super) replies: Vec<Reply>,
    /// Requests so far, by pod.
    pub(super) asked: BTreeMap<String, usize>,
}

impl Serving {
    /// The next reply to a pod's client.
    fn next(&self, uid: &str) -> Option<&Reply> {
        let asked = self.asked.get(uid).copied().unwrap_or(0);
        self.replies.get(asked).or(self.replies.last())
    }

    fn count(&mut self, uid: &str) {
        *self.asked.entry(uid.to_owned()).or_default() += 1;
    }
}

impl State {
    /// What a pod answers next; None when nothing listens.
    pub(super) fn reply_of(&mut self, pod: &Value, path: &str) -> Option<Reply> {
        let uid = object::uid(pod);
        let candidates = self.servings_of(pod);
        if candidates.is_empty() {
            return None;
        }
        let found = candidates
            .into_iter()
            .find(|&index| path.starts_with(&self.kubelet.replies[index].path));
        let Some(index) = found else {
            return Some(Reply::new(404, "404 page not found\n"));
        };
        let serving = &mut self.kubelet.replies[index];
        let reply = serving.next(uid).cloned();
        serving.count(uid);
        reply
    }

    /// Whether nothing listens now, which shows before a request is read. A refusal counts as an answer.
    pub(super) fn refuses(&mut self, pod: &Value) -> bool {
        let uid = object::uid(pod);
        let Some(&index) = self.servings_of(pod).first() else {
            return true;
        };
        let serving = &mut self.kubelet.replies[index];
        let refused = serving.next(uid).is_some_and(|reply| reply.refused);
        if refused {
            serving.count(uid);
        }
        refused
    }

    /// What counts for a pod now, the last added first.
    fn servings_of(&self, pod: &Value) -> Vec<usize> {
        let all = self.kubelet.replies.iter().enumerate().rev();
        all.filter(|(_, serving)| serving.pods.include(pod) && serving.when.holds(self, pod))
            .map(|(index, _)| index)
            .collect()
    }
}
