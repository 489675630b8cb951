//! Claims and volumes: binding, and why a pod cannot have its claim.

use serde_json::{Value, json};

use super::{MANAGER, events};
use crate::object::{self, text};
use crate::state::State;
use crate::store::Key;

/// Binds claims of classes that bind at once, tells why others cannot be bound, and lets unused ones go.
pub(super) fn reconcile(state: &mut State) {
    for (key, claim) in state.store.list("", "persistentvolumeclaims", "") {
        if object::is_terminating(&claim) {
            release(state, &key);
            continue;
        }
        if text(&claim, "/status/phase") != "Pending" {
            continue;
        }
        match class_of(state, &claim) {
            Ok(mode) if mode == "Immediate" => bind(state, &key, &claim),
            Ok(_) => {}
            Err(message) => tell_once(state, &claim, &message),
        }
    }
}

/// Binds the claims of a pod that got a node (`WaitForFirstConsumer`).
pub(super) fn bind_for(state: &mut State, pod: &Value) {
    for key in keys(pod) {
        if let Some(claim) = state.store.get(&key)
            && text(&claim, "/status/phase") == "Pending"
        {
            bind(state, &key, &claim);
        }
    }
}

/// Why the scheduler finds no node for a pod, as far as its claims go
/// (kubernetes, pkg/scheduler/framework/plugins/volumebinding).
pub(super) fn obstacle(state: &State, pod: &Value) -> Option<String> {
    for key in keys(pod) {
        let Some(claim) = state.store.get(&key) else {
            return Some(format!(
                "0/1 nodes are available: persistentvolumeclaim {:?} not found. not found",
                key.name
            ));
        };
        if object::is_terminating(&claim) {
            return Some(format!(
                "0/1 nodes are available: persistentvolumeclaim {:?} is being deleted.",
                key.name
            ));
        }
        if text(&claim, "/status/phase") == "Pending" && class_of(state, &claim).is_err() {
            let message = "0/1 nodes are available: pod has unbound immediate PersistentVolumeClaims. not found";
            return Some(message.to_owned());
        }
    }
    None
}

fn keys(pod: &Value) -> Vec<Key> {
    object::items(pod, "/spec/volumes")
        .map(|volume| text(volume, "/persistentVolumeClaim/claimName"))
        .filter(|name| !name.is_empty())
        .map(|name| Key::of("", "persistentvolumeclaims", object::namespace(pod), name))
        .collect()
}

/// The binding mode of a claim's class, or why it has none.
fn class_of(state: &State, claim: &Value) -> Result<String, String> {
    let name = text(claim, "/spec/storageClassName");
    if name.is_empty() {
        return Err(
            "no persistent volumes available for this claim and no storage class is set".to_owned(),
        );
    }
    let class = state
        .store
        .get(&Key::of("storage.k8s.io", "storageclasses", "", name));
    let class = class.ok_or_else(|| format!("storageclass.storage.k8s.io {name:?} not found"))?;
    Ok(text(&class, "/volumeBindingMode").to_owned())
}

fn bind(state: &mut State, key: &Key, claim: &Value) {
    let volume = format!("pvc-{}", object::uid(claim));
    let spec = &claim["spec"];
    let capacity = json!({ "storage": spec["resources"]["requests"]["storage"] });
    state.create_as(
        MANAGER,
        "",
        "persistentvolumes",
        json!({
            "metadata": { "name": volume },
            "spec": {
                "accessModes": spec["accessModes"], "capacity": capacity,
                "storageClassName": spec["storageClassName"], "persistentVolumeReclaimPolicy": "Delete",
                "claimRef": {
                    "kind": "PersistentVolumeClaim", "apiVersion": "v1", "namespace": key.namespace, "name": key.name,
                    "uid": object::uid(claim),
                },
            },
            "status": { "phase": "Bound" },
        }),
    );
    state.change(key, MANAGER, None, |claim| {
        object::set(claim, "/spec/volumeName", volume.as_str());
        object::set(
            claim,
            "/metadata/annotations/pv.kubernetes.io~1bind-completed",
            "yes",
        );
    });
    state.change_status(key, MANAGER, |claim| {
        object::set(claim, "/status/phase", "Bound");
        let modes = claim["spec"]["accessModes"].clone();
        object::set(claim, "/status/accessModes", modes);
        object::set(claim, "/status/capacity", capacity);
    });
}

/// The protection controller lets a claim go when no pod uses it.
fn release(state: &mut State, key: &Key) {
    let used = state
        .store
        .list("", "pods", &key.namespace)
        .iter()
        .any(|(_, pod)| keys(pod).contains(key));
    if !used {
        let volume = state
            .store
            .get(key)
            .map(|claim| text(&claim, "/spec/volumeName").to_owned());
        state.change(key, MANAGER, None, |claim| {
            let rest = object::items(claim, "/metadata/finalizers")
                .filter(|name| *name != "kubernetes.io/pvc-protection");
            let rest: Vec<Value> = rest.cloned().collect();
            object::set(claim, "/metadata/finalizers", rest);
        });
        if let Some(volume) = volume.filter(|volume| !volume.is_empty()) {
            state
                .store
                .remove(&Key::of("", "persistentvolumes", "", &volume));
        }
    }
}

fn tell_once(state: &mut State, claim: &Value, message: &str) {
    let reason = if message.contains("not found") {
        "ProvisioningFailed"
    } else {
        "FailedBinding"
    };
    let known = state
        .store
        .list("", "events", object::namespace(claim))
        .iter()
        .any(|(_, event)| {
            event["involvedObject"]["uid"] == object::uid(claim) && event["reason"] == reason
        });
    if !known {
        let kind = if reason == "FailedBinding" {
            "Normal"
        } else {
            "Warning"
        };
        events::record(
            state,
            claim,
            kind,
            reason,
            message,
            "persistentvolume-controller",
        );
    }
}
