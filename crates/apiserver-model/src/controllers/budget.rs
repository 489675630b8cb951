//! Disruption budgets (kubernetes, pkg/controller/disruption/disruption.go).

use std::sync::Arc;

use serde_json::{Value, json};

use super::{MANAGER, replicas};
use crate::object::{self, number};
use crate::selector::Selector;
use crate::state::State;

/// What a budget allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Status {
    /// Pods that should be there.
    pub(crate) expected: i64,
    /// Pods that must be healthy.
    pub(crate) desired: i64,
    /// Pods that are.
    pub(crate) healthy: i64,
    /// Pods that may be evicted.
    pub(crate) allowed: i64,
}

/// The budgets that select a pod.
pub(crate) fn covering(state: &State, pod: &Value) -> Vec<Arc<Value>> {
    let budgets = state
        .store
        .list("policy", "poddisruptionbudgets", object::namespace(pod))
        .into_iter();
    budgets
        .map(|(_, budget)| budget)
        .filter(|budget| selects(budget, pod))
        .collect()
}

/// What a budget's own status says, once the controller has seen the budget: all that the API server knows.
pub(crate) fn seen(budget: &Value) -> Option<Status> {
    let generation = number(budget, "/metadata/generation");
    let field = |name: &str| number(budget, &format!("/status/{name}"));
    if field("observedGeneration") < generation {
        return None;
    }
    Some(Status {
        expected: field("expectedPods")?,
        desired: field("desiredHealthy")?,
        healthy: field("currentHealthy")?,
        allowed: field("disruptionsAllowed")?,
    })
}

/// What a budget allows now.
fn status(state: &State, budget: &Value) -> Status {
    let pods = state
        .store
        .list("", "pods", object::namespace(budget))
        .into_iter();
    let pods: Vec<Arc<Value>> = pods
        .map(|(_, pod)| pod)
        .filter(|pod| selects(budget, pod))
        .collect();
    let healthy = pods
        .iter()
        .filter(|pod| replicas::is_ready(pod) && !object::is_terminating(pod))
        .count();
    let healthy = i64::try_from(healthy).unwrap();
    let expected = expected(state, &pods);
    let scaled = |value: &Value| {
        let percent = value
            .as_str()
            .and_then(|text| text.strip_suffix('%'))
            .and_then(|text| text.parse::<i64>().ok());
        percent
            .map(|percent| (percent * expected + 99) / 100)
            .or_else(|| value.as_i64())
    };
    let spec = &budget["spec"];
    let desired = match (
        scaled(&spec["minAvailable"]),
        scaled(&spec["maxUnavailable"]),
    ) {
        (_, Some(unavailable)) => (expected - unavailable).max(0),
        (Some(available), None) => available,
        (None, None) => 0,
    };
    Status {
        expected,
        desired,
        healthy,
        allowed: (healthy - desired).max(0),
    }
}

/// Writes the statuses.
pub(super) fn reconcile(state: &mut State) {
    for (key, budget) in state.store.list("policy", "poddisruptionbudgets", "") {
        let Status {
            expected,
            desired,
            healthy,
            allowed,
        } = status(state, &budget);
        let generation = budget["metadata"]["generation"].clone();
        let (met, reason) = if allowed > 0 {
            ("True", "SufficientPods")
        } else {
            ("False", "InsufficientPods")
        };
        let now = state.now.text();
        state.change_status(&key, MANAGER, |budget| {
            let same = object::condition(budget, "DisruptionAllowed") == met;
            let since = budget
                .pointer("/status/conditions/0/lastTransitionTime")
                .filter(|_| same);
            let since = since.cloned().unwrap_or_else(|| now.into());
            budget["status"] = json!({
                "conditions": [{
                    "type": "DisruptionAllowed", "status": met, "reason": reason, "message": "",
                    "lastTransitionTime": since, "observedGeneration": generation,
                }],
                "currentHealthy": healthy, "desiredHealthy": desired, "disruptionsAllowed": allowed,
                "expectedPods": expected, "observedGeneration": generation,
            });
        });
    }
}

fn selects(budget: &Value, pod: &Value) -> bool {
    Selector::from_object(budget.pointer("/spec/selector"))
        .is_some_and(|selector| selector.matches(pod))
}

/// The scale of the pods' controllers; pods of nobody count themselves.
fn expected(state: &State, pods: &[Arc<Value>]) -> i64 {
    let mut owners: Vec<String> = Vec::new();
    let mut total = 0;
    for pod in pods {
        let Some(owner) = object::controller(pod) else {
            total += 1;
            continue;
        };
        let uid = object::text(owner, "/uid").to_owned();
        if !owners.contains(&uid) {
            let set = state
                .store
                .all()
                .map(|(_, object)| object)
                .find(|object| object::uid(object) == uid);
            total += set
                .and_then(|set| number(set, "/spec/replicas"))
                .unwrap_or(0);
            owners.push(uid);
        }
    }
    total
}
