//! Compares objects without the data that the API server maintains: only what an apply can change
//! counts.

use serde_json::{Map, Value};

use crate::cluster::ResourceKind;
use crate::fields::{FieldPath, Owner, managers};

/// Metadata that an apply cannot change (`k8s.io/apiserver` `pkg/registry/rest/update.go`,
/// `BeforeUpdate`), and the field ownership, which is compared separately.
const NOISE: [&str; 6] = [
    "managedFields",
    "resourceVersion",
    "uid",
    "creationTimestamp",
    "generation",
    "selfLink",
];

/// An object without server-maintained metadata, and without its status if that is a subresource:
/// then the API server ignores it in an apply.
pub(super) fn without_noise(object: &Value, kind: &ResourceKind) -> Value {
    let mut object = object.clone();
    if let Some(object) = object.as_object_mut() {
        if kind.has_status_subresource {
            object.remove("status");
        }
        if let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) {
            for field in NOISE {
                metadata.remove(field);
            }
        }
    }
    object
}

/// Whether two states of an object have the same desired state.
pub(super) fn same(live: &Value, planned: &Value, kind: &ResourceKind) -> bool {
    without_noise(live, kind) == without_noise(planned, kind)
}

/// Whether an apply would change neither the fields that this tool owns nor the other owners.
///
/// Times of the entries are ignored: a dry run always writes a new one.
pub(super) fn same_ownership(live: &Value, planned: &Value) -> bool {
    own_fields(live) == own_fields(planned)
}

/// Whether an apply would only take fields away from those that this tool owns.
pub(super) fn gives_up(live: &Value, planned: &Value) -> bool {
    let own = |object: &Value| -> Vec<FieldPath> {
        let owning = managers(object).into_iter();
        let mut owning = owning.filter(|manager| manager.owner.is_ours());
        owning
            .next()
            .map(|manager| manager.fields)
            .unwrap_or_default()
    };
    let before = own(live);
    own(planned).iter().all(|field| before.contains(field))
}

/// Drops the entries of other managers, from an object that is only compared.
pub(super) fn forget_other_managers(object: &mut Value) {
    let entries = object
        .get_mut("metadata")
        .and_then(|metadata| metadata.get_mut("managedFields"))
        .and_then(Value::as_array_mut);
    if let Some(entries) = entries {
        entries.retain(is_ours);
    }
}

/// Drops the field ownership.
pub(super) fn forget_managers(object: &mut Value) {
    if let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) {
        metadata.shift_remove("managedFields");
    }
}

fn own_fields(object: &Value) -> Option<&Map<String, Value>> {
    object["metadata"]["managedFields"]
        .as_array()?
        .iter()
        .find(|entry| is_ours(entry))?["fieldsV1"]
        .as_object()
}

/// Whether an entry of `managedFields` belongs to this tool's applies.
fn is_ours(entry: &Value) -> bool {
    Owner::new(entry).is_ours()
}
