//! The begin and the end of namespaces (kubernetes, pkg/controller/namespace/deletion).

use serde_json::json;

use super::MANAGER;
use crate::object;
use crate::requests::delete_now;
use crate::state::State;
use crate::store::Key;

/// What every namespace has: its account (pkg/controller/serviceaccount) and the cluster's certificate
/// (pkg/controller/certificates/rootcacertpublisher).
fn furnish(state: &mut State, namespace: &str) {
    if state
        .store
        .get(&Key::of("", "serviceaccounts", namespace, "default"))
        .is_none()
    {
        let account = json!({ "metadata": { "name": "default", "namespace": namespace } });
        state.create_as(MANAGER, "", "serviceaccounts", account);
    }
    if state
        .store
        .get(&Key::of("", "configmaps", namespace, "kube-root-ca.crt"))
        .is_none()
    {
        let metadata = json!({ "name": "kube-root-ca.crt", "namespace": namespace });
        let certificate = json!({ "metadata": metadata, "data": { "ca.crt": "a certificate" } });
        state.create_as(MANAGER, "", "configmaps", certificate);
    }
}

/// Furnishes namespaces, deletes the content of namespaces that are going, then the namespaces.
pub(super) fn reconcile(state: &mut State) {
    for (key, namespace) in state.store.list("", "namespaces", "") {
        if !object::is_terminating(&namespace) {
            furnish(state, &key.name);
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
