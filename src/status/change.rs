//! How a StatefulSet changed between two reads.

use k8s_openapi::api::apps::v1::StatefulSet;

use super::snapshot::expected_ordinals;

/// How a StatefulSet changed since an earlier read, as the beginning of a sentence; `None` if it is
/// the same object with the same spec. `now` is `None` when the StatefulSet is gone.
///
/// A generation counts the changes of a spec, so a spec that was changed and changed back is
/// noticed too.
#[must_use]
pub fn change_since(before: &StatefulSet, now: Option<&StatefulSet>) -> Option<String> {
    let Some(now) = now else {
        return Some("the StatefulSet was deleted".to_owned());
    };
    if now.metadata.uid != before.metadata.uid {
        return Some("the StatefulSet was replaced by another one of the same name".to_owned());
    }
    if now.metadata.deletion_timestamp.is_some() {
        return Some("the StatefulSet is being deleted".to_owned());
    }
    let (old, new) = (expected_ordinals(before), expected_ordinals(now));
    if old.len() != new.len() {
        return Some(format!(
            "the StatefulSet was scaled from {} to {} replicas",
            old.len(),
            new.len()
        ));
    }
    let is_same = now.spec == before.spec && now.metadata.generation == before.metadata.generation;
    (!is_same).then(|| "the spec of the StatefulSet was changed".to_owned())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    type Change = fn(&mut Value);

    fn set(change: impl FnOnce(&mut Value)) -> StatefulSet {
        let mut set = json!({
            "metadata": {"name": "web", "uid": "a", "generation": 1},
            "spec": {"replicas": 2, "selector": {}, "serviceName": "web", "template": {}},
        });
        change(&mut set);
        serde_json::from_value(set).unwrap()
    }

    #[test]
    fn only_the_same_object_with_the_same_spec_is_the_same() {
        let before = set(|_| {});
        let words = |change: Change| change_since(&before, Some(&set(change)));
        assert_eq!(words(|_| {}), None);
        assert_eq!(
            words(|set| set["metadata"]["annotations"] = json!({"a": "b"})),
            None
        );
        assert_eq!(words(|set| set["status"] = json!({"replicas": 5})), None);
        let gone = change_since(&before, None).unwrap();
        assert_eq!(gone, "the StatefulSet was deleted");
        let table: [(Change, &str); 6] = [
            (
                |set| set["metadata"]["uid"] = json!("b"),
                "replaced by another one of the same name",
            ),
            (
                |set| set["metadata"]["deletionTimestamp"] = json!("2026-01-01T00:00:00Z"),
                "is being deleted",
            ),
            (
                |set| set["spec"]["replicas"] = json!(3),
                "scaled from 2 to 3 replicas",
            ),
            (
                |set| set["spec"]["ordinals"] = json!({"start": 1}),
                "spec of the StatefulSet",
            ),
            (
                |set| set["spec"]["serviceName"] = json!("other"),
                "spec of the StatefulSet",
            ),
            (
                |set| set["metadata"]["generation"] = json!(3),
                "spec of the StatefulSet",
            ),
        ];
        for (change, expected) in table {
            let words = words(change).unwrap();
            assert!(words.contains(expected), "{words}");
        }
    }
}
