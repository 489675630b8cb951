//! What the API server writes into a new object's metadata (apiserver, pkg/registry/rest/create.go).

use serde_json::{Value, json};

use super::kinds::Kind;
use super::object::{has, remove, set, text};
use super::state::State;

/// Kinds that count no generations although they have a status.
const UNVERSIONED: &[&str] = &[
    "namespaces",
    "nodes",
    "services",
    "persistentvolumeclaims",
    "persistentvolumes",
    "resourcequotas",
];

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
    if kind.has_status && !UNVERSIONED.contains(&kind.resource.as_str()) {
        set(object, "/metadata/generation", 1);
    }
    match kind.name.as_str() {
        "Job" => label_job(object),
        // The controller manager's protection controllers put these on right after the creation.
        "PersistentVolumeClaim" => {
            set(
                object,
                "/metadata/finalizers",
                vec!["kubernetes.io/pvc-protection"],
            );
            choose_class(state, object);
        }
        "Service" => assign_address(state, object),
        _ => {}
    }
}

/// kubernetes, pkg/registry/batch/job/strategy.go, `generateSelector`.
fn label_job(job: &mut Value) {
    let (name, uid) = (
        text(job, "/metadata/name").to_owned(),
        text(job, "/metadata/uid").to_owned(),
    );
    let labels = [
        ("batch.kubernetes.io~1controller-uid", &uid),
        ("batch.kubernetes.io~1job-name", &name),
        ("controller-uid", &uid),
        ("job-name", &name),
    ];
    for (label, value) in labels {
        set(job, &format!("/metadata/labels/{label}"), value.as_str());
        set(
            job,
            &format!("/spec/template/metadata/labels/{label}"),
            value.as_str(),
        );
    }
    set(
        job,
        "/spec/selector/matchLabels/batch.kubernetes.io~1controller-uid",
        uid,
    );
}

/// The admission plugin for default classes.
fn choose_class(state: &State, claim: &mut Value) {
    let classes = state.store.list("storage.k8s.io", "storageclasses", "");
    let default = classes.iter().find(|(_, class)| {
        text(
            class,
            "/metadata/annotations/storageclass.kubernetes.io~1is-default-class",
        ) == "true"
    });
    if let Some((key, _)) = default {
        super::object::set_default(claim, "/spec/storageClassName", key.name.as_str());
    }
}

/// What a new object has besides what its creator wrote, and what nobody owns: the kinds' empty statuses.
pub(crate) fn begin(kind: &Kind, object: &mut Value) {
    let status = match kind.name.as_str() {
        "Namespace" => {
            super::object::set_default(object, "/spec/finalizers", json!(["kubernetes"]));
            json!({ "phase": "Active" })
        }
        "Pod" | "PersistentVolumeClaim" => json!({ "phase": "Pending" }),
        "Service" => json!({ "loadBalancer": {} }),
        "StatefulSet" => json!({ "replicas": 0, "availableReplicas": 0 }),
        "ReplicaSet" => json!({ "replicas": 0 }),
        "DaemonSet" => json!({
            "currentNumberScheduled": 0, "desiredNumberScheduled": 0, "numberMisscheduled": 0, "numberReady": 0,
        }),
        "PodDisruptionBudget" => json!({
            "currentHealthy": 0, "desiredHealthy": 0, "disruptionsAllowed": 0, "expectedPods": 0,
        }),
        "Deployment" | "Job" => json!({}),
        _ => return,
    };
    super::object::set_default(object, "/status", status);
}

/// kubernetes, pkg/registry/core/service/storage/alloc.go.
fn assign_address(state: &mut State, service: &mut Value) {
    if text(service, "/spec/type") == "ExternalName" {
        return;
    }
    if text(service, "/spec/clusterIP").is_empty() {
        let random = state.random.number();
        let address = format!("10.96.{}.{}", random % 256, 1 + (random >> 8) % 254);
        set(service, "/spec/clusterIP", address);
    }
    let address = text(service, "/spec/clusterIP").to_owned();
    set(service, "/spec/clusterIPs", vec![address]);
    super::object::set_default(service, "/spec/ipFamilies", vec!["IPv4"]);
    super::object::set_default(service, "/spec/ipFamilyPolicy", "SingleStack");
}
