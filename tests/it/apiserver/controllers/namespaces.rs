//! The end of namespaces (kubernetes, pkg/controller/namespace/deletion).

use serde_json::json;

use super::MANAGER;
use crate::apiserver::object;
use crate::apiserver::requests::delete_now;
use crate::apiserver::state::State;

/// Deletes the content of namespaces that are going, then the namespaces.
pub(super) fn reconcile(state: &mut State) {
    for (key, namespace) in state.store.list("", "namespaces", "") {
        if !object::is_terminating(&namespace) {
            continue;
        }
        let content: Vec<_> = state
            .store
            .all()
            .filter(|(found, _)| found.namespace == key.name)
            .map(|(found, value)| (found.clone(), object::is_terminating(value)))
            .collect();
        if content.is_empty() {
            state.change(&key, MANAGER, None, |namespace| {
                object::set(namespace, "/spec/finalizers", json!([]));
            });
        }
        for (found, _) in content.into_iter().filter(|(_, terminating)| !terminating) {
            if let Some(kind) = state.kind(&found.group, &found.resource).cloned() {
                delete_now(
                    state,
                    &kind,
                    &found,
                    &json!({ "propagationPolicy": "Background" }),
                );
            }
        }
    }
}
