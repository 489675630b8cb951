//! The patches by which a rollout is steered: RFC 7396, each for one version of the StatefulSet. Pure.

use k8s_openapi::api::apps::v1::StatefulSet;
use serde_json::{Map, Value, json};

use crate::status::{PAUSED, expected_ordinals, partition, paused};

/// The annotation that `kubectl rollout restart` writes (kubectl
/// `pkg/polymorphichelpers/objectrestarter.go`).
pub const RESTARTED_AT: &str = "kubectl.kubernetes.io/restartedAt";

/// Gives a StatefulSet another pod template; `None` if it has that template already.
#[must_use]
pub fn with_template(live: &Value, template: &Value) -> Option<Value> {
    let difference = difference(&live["spec"]["template"], template);
    if difference.as_object().is_some_and(Map::is_empty) {
        return None;
    }
    Some(json!({
        "metadata": {"resourceVersion": live["metadata"]["resourceVersion"]},
        "spec": {"template": difference},
    }))
}

/// Replaces all pods, one after the other.
#[must_use]
pub fn restart(stateful_set: &StatefulSet, now: &str) -> Value {
    let annotations = json!({RESTARTED_AT: now});
    let template = json!({"metadata": {"annotations": annotations}});
    versioned(stateful_set, json!({"spec": {"template": template}}))
}

/// Updates only the last replicas, and remembers the partition from before. A StatefulSet that is paused already
/// keeps what it remembers.
#[must_use]
pub fn hold_all_but(stateful_set: &StatefulSet, moving: i32) -> Value {
    let replicas = i32::try_from(expected_ordinals(stateful_set).len()).unwrap_or(i32::MAX);
    let held = replicas.saturating_sub(moving).max(0);
    let before = paused(stateful_set).unwrap_or_else(|| partition(stateful_set));
    let strategy = json!({"rollingUpdate": {"partition": held}});
    let mut patch = versioned(stateful_set, json!({"spec": {"updateStrategy": strategy}}));
    patch["metadata"]["annotations"] = json!({PAUSED: before.to_string()});
    patch
}

/// Updates the replicas again that were updated before the pause; `None` if the rollout is not paused.
#[must_use]
pub fn resume(stateful_set: &StatefulSet) -> Option<Value> {
    let before = paused(stateful_set)?;
    let strategy = json!({"rollingUpdate": {"partition": before}});
    let mut patch = versioned(stateful_set, json!({"spec": {"updateStrategy": strategy}}));
    patch["metadata"]["annotations"] = json!({PAUSED: null});
    Some(patch)
}

fn versioned(stateful_set: &StatefulSet, mut patch: Value) -> Value {
    patch["metadata"] = json!({"resourceVersion": stateful_set.metadata.resource_version});
    patch
}

/// The merge patch that turns one value into another one; an empty object if there is no difference.
fn difference(before: &Value, after: &Value) -> Value {
    let (Value::Object(before), Value::Object(after)) = (before, after) else {
        return after.clone();
    };
    let mut patch = Map::new();
    for name in before.keys().filter(|name| !after.contains_key(*name)) {
        patch.insert(name.clone(), Value::Null);
    }
    for (name, value) in after {
        match before.get(name) {
            Some(old) if is_same(old, value) => {}
            Some(old) => drop(patch.insert(name.clone(), difference(old, value))),
            // In a revision, `creationTimestamp` of a template is null, which is nothing.
            None if value.is_null() => {}
            None => drop(patch.insert(name.clone(), value.clone())),
        }
    }
    Value::Object(patch)
}

fn is_same(before: &Value, after: &Value) -> bool {
    match difference(before, after) {
        Value::Object(patch) if before.is_object() => patch.is_empty(),
        _ => before == after,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(fields: &Value) -> StatefulSet {
        let mut set = json!({
            "metadata": {"name": "web", "resourceVersion": "7"},
            "spec": {"replicas": 3, "selector": {}, "serviceName": "web", "template":
                {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{"name": "a", "image": "a:2"}], "nodeName": "n"}}},
        });
        let fields = fields.as_object().unwrap().clone();
        set["spec"].as_object_mut().unwrap().extend(fields);
        serde_json::from_value(set).unwrap()
    }

    #[test]
    fn a_template_is_put_back_as_a_whole() {
        let old = json!({"metadata": {"creationTimestamp": null, "labels": {"app": "web"}},
            "spec": {"containers": [{"name": "a", "image": "a:1"}]}});
        let live = serde_json::to_value(set(&json!({}))).unwrap();
        let patch = with_template(&live, &old).unwrap();
        let spec = json!({"containers": [{"name": "a", "image": "a:1"}], "nodeName": null});
        assert_eq!(
            patch,
            json!({"metadata": {"resourceVersion": "7"}, "spec": {"template": {"spec": spec}}})
        );
        let mut same = live["spec"]["template"].clone();
        same["metadata"]["creationTimestamp"] = Value::Null;
        assert_eq!(with_template(&live, &same), None);
    }

    #[test]
    fn a_pause_remembers_the_partition_and_gives_it_back() {
        let rolling = json!({"type": "RollingUpdate", "rollingUpdate": {"partition": 1}});
        let mut set = set(&json!({"updateStrategy": rolling}));
        assert_eq!(resume(&set), None);
        let held = hold_all_but(&set, 0);
        assert_eq!(
            held["spec"]["updateStrategy"]["rollingUpdate"]["partition"],
            3
        );
        assert_eq!(held["metadata"]["annotations"][PAUSED], "1");
        assert_eq!(held["metadata"]["resourceVersion"], "7");
        set.metadata.annotations = Some([(PAUSED.to_owned(), "1".to_owned())].into());
        let strategy = json!({"rollingUpdate": {"partition": 3}});
        set.spec.update_strategy = serde_json::from_value(strategy).unwrap();
        let canary = hold_all_but(&set, 1);
        assert_eq!(
            canary["spec"]["updateStrategy"]["rollingUpdate"]["partition"],
            2
        );
        assert_eq!(
            canary["metadata"]["annotations"][PAUSED], "1",
            "from before the first pause"
        );
        let resumed = resume(&set).unwrap();
        assert_eq!(
            resumed["spec"]["updateStrategy"]["rollingUpdate"]["partition"],
            1
        );
        assert_eq!(resumed["metadata"]["annotations"], json!({PAUSED: null}));
    }
}
