//! Events, as `client-go/tools/record` writes them.

use serde_json::{Value, json};

use crate::object;
use crate::state::State;

/// Records an event about an object.
pub(super) fn record(
    state: &mut State,
    about: &Value,
    kind: &str,
    reason: &str,
    message: &str,
    source: &str,
) {
    let (name, namespace) = (object::name(about), object::namespace(about));
    let suffix = format!("{:016x}", state.random.number());
    let now = state.now.text();
    let event = json!({
        "metadata": { "name": format!("{name}.{suffix}"), "namespace": namespace },
        "involvedObject": {
            "apiVersion": about["apiVersion"], "kind": about["kind"], "name": name, "namespace": namespace,
            "uid": object::uid(about), "resourceVersion": about["metadata"]["resourceVersion"],
        },
        "type": kind, "reason": reason, "message": message, "count": 1,
        "firstTimestamp": now, "lastTimestamp": now,
        "source": { "component": source }, "reportingComponent": source, "reportingInstance": "",
    });
    state.create_as(source, "", "events", event);
}
