//! Hides the values of Secrets, but not that they differ.

use serde_json::{Map, Value};

/// The annotation in which `kubectl apply` keeps a copy of the whole object.
const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// Masks both sides of a comparison: equal values alike, different ones visibly different.
pub(super) fn secrets(live: Option<&mut Value>, planned: &mut Value) {
    let mut nothing = Value::Null;
    let live = live.unwrap_or(&mut nothing);
    if planned["kind"] != "Secret" && live["kind"] != "Secret" {
        return;
    }
    for field in ["data", "stringData"] {
        mask(live, planned, |object| {
            object.get_mut(field)?.as_object_mut()
        });
    }
    mask(live, planned, |object| {
        object
            .get_mut("metadata")?
            .get_mut("annotations")?
            .as_object_mut()
    });
}

fn mask(
    live: &mut Value,
    planned: &mut Value,
    find: impl Fn(&mut Value) -> Option<&mut Map<String, Value>>,
) {
    let before: Map<String, Value> = find(live).cloned().unwrap_or_default();
    let after: Map<String, Value> = find(planned).cloned().unwrap_or_default();
    let is_annotation = |key: &str| key.contains('/');
    let hidden = |key: &str| !is_annotation(key) || key == LAST_APPLIED;
    for (values, others, marker) in [
        (find(live), &after, "*** (before)"),
        (find(planned), &before, "*** (after)"),
    ] {
        for (key, value) in values.into_iter().flatten().filter(|(key, _)| hidden(key)) {
            let same = others.get(key) == Some(value);
            *value = Value::from(if same || !others.contains_key(key) {
                "***"
            } else {
                marker
            });
        }
    }
}
