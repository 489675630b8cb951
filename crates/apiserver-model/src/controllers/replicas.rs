//! What the `StatefulSet` controller knows about its pods: `pkg/controller/statefulset/stateful_set_utils.go`.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;

use crate::object::{self, text};

/// The label that names a pod's revision.
pub(super) const REVISION_LABEL: &str = "controller-revision-hash";

/// The ordinal of a set's pod.
pub(super) fn ordinal(set: &str, pod: &Value) -> Option<i64> {
    object::name(pod)
        .strip_prefix(set)?
        .strip_prefix('-')?
        .parse()
        .ok()
}

/// The revision that a pod was made from.
pub(super) fn revision(pod: &Value) -> &str {
    text(pod, "/metadata/labels/controller-revision-hash")
}

/// Running and ready.
pub(super) fn is_ready(pod: &Value) -> bool {
    text(pod, "/status/phase") == "Running" && object::condition(pod, "Ready") == "True"
}

/// Ready for `minReadySeconds`; otherwise when it will be, if time is all that it takes.
pub(super) fn availability(
    pod: &Value,
    min_ready: i64,
    now: Timestamp,
) -> Result<(), Option<Duration>> {
    if !is_ready(pod) {
        return Err(None);
    }
    if min_ready == 0 {
        return Ok(());
    }
    let ready =
        object::items(pod, "/status/conditions").find(|condition| condition["type"] == "Ready");
    let since: Option<Timestamp> =
        ready.and_then(|condition| text(condition, "/lastTransitionTime").parse().ok());
    let due = since.unwrap_or(now) + Duration::from_secs(min_ready.unsigned_abs());
    if due <= now {
        Ok(())
    } else {
        Err(Some(due.duration_since(now).unsigned_abs()))
    }
}

/// Neither available nor on its way out (`isUnavailable`).
pub(super) fn is_unavailable(pod: &Value, min_ready: i64, now: Timestamp) -> bool {
    object::is_terminating(pod) || availability(pod, min_ready, now).is_err()
}

/// Ended for good.
pub(super) fn is_ended(pod: &Value) -> bool {
    ["Succeeded", "Failed"].contains(&text(pod, "/status/phase"))
}

/// The pods of a set, by ordinal.
pub(super) fn of_set(state: &crate::state::State, set: &Value) -> Vec<(i64, Arc<Value>)> {
    let mut pods: Vec<(i64, Arc<Value>)> = state
        .store
        .list("", "pods", object::namespace(set))
        .into_iter()
        .filter(|(_, pod)| {
            object::controller(pod).is_some_and(|owner| owner["uid"] == object::uid(set))
        })
        .filter_map(|(_, pod)| Some((ordinal(object::name(set), &pod)?, pod)))
        .collect();
    pods.sort_by_key(|(ordinal, _)| *ordinal);
    pods
}
