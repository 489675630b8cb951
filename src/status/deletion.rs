//! Objects that are being deleted, and what holds them.

use serde_json::Value;

/// Whether an object was deleted but is not gone yet.
#[must_use]
pub fn is_being_deleted(object: &Value) -> bool {
    !object["metadata"]["deletionTimestamp"].is_null()
}

/// What holds an object that is being deleted, as clauses: its finalizers, and what its conditions
/// say about the rest (a namespace's: `k8s.io/kubernetes`
/// `pkg/controller/namespace/deletion/status_condition_utils.go`; a definition's:
/// `k8s.io/apiextensions-apiserver` `pkg/controller/finalizer/crd_finalizer.go`).
#[must_use]
pub fn held_by(object: &Value) -> Vec<String> {
    let finalizers = object["metadata"]["finalizers"].as_array();
    let finalizers = finalizers
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .map(|name| format!("the finalizer `{name}` holds it"));
    let conditions = object["status"]["conditions"].as_array();
    let conditions = conditions
        .into_iter()
        .flatten()
        .filter(|condition| condition["status"] == "True" && speaks_of_deletion(condition))
        .filter_map(|condition| condition["message"].as_str())
        .map(|message| message.trim_end_matches('.').to_owned());
    finalizers.chain(conditions).collect()
}

fn speaks_of_deletion(condition: &Value) -> bool {
    let kind = condition["type"].as_str().unwrap_or_default();
    kind == "Terminating"
        || kind == "NamespaceContentRemaining"
        || kind == "NamespaceFinalizersRemaining"
        || kind.starts_with("NamespaceDeletion")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn finalizers_and_what_remains_are_named() {
        let namespace = json!({
            "metadata": {"deletionTimestamp": "2026-01-01T00:00:00Z", "finalizers": ["example.org/keep"]},
            "status": {"conditions": [
                {"type": "NamespaceDeletionContentFailure", "status": "False", "message": "all is well"},
                {"type": "NamespaceContentRemaining", "status": "True",
                 "message": "Some resources are remaining: pods. has 1 resource instances."},
            ]},
        });
        assert!(is_being_deleted(&namespace));
        assert_eq!(
            held_by(&namespace),
            [
                "the finalizer `example.org/keep` holds it",
                "Some resources are remaining: pods. has 1 resource instances",
            ]
        );
    }
}
