//! What the API server writes into a new object's metadata (apiserver, pkg/registry/rest/create.go).

use serde_json::Value;

use super::kinds::Kind;
use super::object::{has, remove, set, text};
use super::state::State;

/// Gives a new object its identity.
pub(crate) fn complete(state: &mut State, kind: &Kind, namespace: &str, object: &mut Value) {
    if kind.namespaced {
        set(object, "/metadata/namespace", namespace);
    }
    if text(object, "/metadata/name").is_empty() && has(object, "/metadata/generateName") {
        let name = format!(
            "{}{}",
            text(object, "/metadata/generateName"),
            state.random.suffix()
        );
        set(object, "/metadata/name", name);
    }
    for field in [
        "deletionTimestamp",
        "deletionGracePeriodSeconds",
        "resourceVersion",
        "managedFields",
        "selfLink",
    ] {
        remove(object, &format!("/metadata/{field}"));
    }
    set(object, "/metadata/uid", state.random.uuid());
    set(object, "/metadata/creationTimestamp", state.now.text());
    if kind.has_status
        && !kind.is("", "namespaces")
        && !kind.is("", "services")
        && !kind.is("", "nodes")
    {
        set(object, "/metadata/generation", 1);
    }
    match kind.name.as_str() {
        // The controller manager's protection controllers put these on right after the creation.
        "PersistentVolumeClaim" => set(
            object,
            "/metadata/finalizers",
            vec!["kubernetes.io/pvc-protection"],
        ),
        "Service" => assign_address(state, object),
        "Pod" => set(object, "/status/phase", "Pending"),
        _ => {}
    }
}

/// kubernetes, pkg/registry/core/service/storage/alloc.go.
fn assign_address(state: &mut State, service: &mut Value) {
    if text(service, "/spec/type") == "ExternalName" {
        return;
    }
    if text(service, "/spec/clusterIP").is_empty() {
        let random = state.random.next();
        let address = format!("10.96.{}.{}", random % 256, 1 + (random >> 8) % 254);
        set(service, "/spec/clusterIP", address);
    }
    let address = text(service, "/spec/clusterIP").to_owned();
    set(service, "/spec/clusterIPs", vec![address]);
    super::object::set_default(service, "/spec/ipFamilies", vec!["IPv4"]);
    super::object::set_default(service, "/spec/ipFamilyPolicy", "SingleStack");
}
