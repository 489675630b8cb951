//! Nodes: the taint of cordoned ones, and which one a pod gets.

use std::sync::Arc;

use serde_json::{Value, json};

use super::MANAGER;
use crate::object::{self, text};
use crate::state::State;

/// The taint that goes with `spec.unschedulable`.
const CORDONED: &str = "node.kubernetes.io/unschedulable";

/// Keeps the taints of cordoned nodes (kubernetes, pkg/controller/nodelifecycle): so every cordon is followed by a write of
/// somebody else.
pub(super) fn reconcile(state: &mut State) {
    for (key, node) in state.store.list("", "nodes", "") {
        let is_tainted = object::items(&node, "/spec/taints").any(|taint| taint["key"] == CORDONED);
        if is_tainted == is_cordoned(&node) {
            continue;
        }
        let since = state.now.text();
        state.change(&key, MANAGER, None, |node| {
            let mut taints: Vec<Value> = object::items(node, "/spec/taints")
                .filter(|taint| taint["key"] != CORDONED)
                .cloned()
                .collect();
            if !is_tainted {
                taints.push(json!({ "key": CORDONED, "effect": "NoSchedule", "timeAdded": since }));
            }
            if taints.is_empty() {
                object::remove(node, "/spec/taints");
            } else {
                object::set(node, "/spec/taints", taints);
            }
        });
    }
}

/// The node with the fewest pods among those that take any, the first by name of several; or the scheduler's words.
pub(super) fn choose(state: &State) -> Result<String, String> {
    let nodes: Vec<Arc<Value>> = state
        .store
        .list("", "nodes", "")
        .into_iter()
        .map(|(_, node)| node)
        .collect();
    let open = nodes.iter().filter(|node| !is_cordoned(node));
    let pods = state.store.list("", "pods", "");
    let load = |node: &&Arc<Value>| {
        let here = pods
            .iter()
            .filter(|(_, pod)| text(pod, "/spec/nodeName") == object::name(node));
        here.count()
    };
    let chosen = open
        .min_by_key(load)
        .map(|node| object::name(node).to_owned());
    chosen.ok_or_else(|| {
        // kubernetes, pkg/scheduler/framework/types.go, `FitError`.
        let all = nodes.len();
        format!(
            "0/{all} nodes are available: {all} node(s) were unschedulable. preemption: 0/{all} nodes are available: {all} \
             Preemption is not helpful for scheduling."
        )
    })
}

fn is_cordoned(node: &Value) -> bool {
    node["spec"]["unschedulable"] == true
}
