//! Compares objects without what the API server keeps for itself: all that an apply can change counts,
//! and nothing else.

use serde_json::{Map, Value};

use crate::cluster::{FIELD_MANAGER, ResourceKind};

/// Metadata that no apply changes (`k8s.io/apiserver` `pkg/registry/rest/update.go`, `BeforeUpdate`), and
/// who owns which field, which is compared by itself.
const NOISE: [&str; 6] = [
    "managedFields",
    "resourceVersion",
    "uid",
    "creationTimestamp",
    "generation",
    "selfLink",
];

/// An object without server-kept metadata, and without its status where that is a subresource: the
/// API server takes none from an apply then.
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

/// Whether two states of an object want the same.
pub(super) fn same(live: &Value, planned: &Value, kind: &ResourceKind) -> bool {
    without_noise(live, kind) == without_noise(planned, kind)
}

/// Whether applying would change neither which fields this tool owns nor who else owns them.
///
/// The times of the entries are left out: a dry-run always writes a new one.
pub(super) fn same_ownership(live: &Value, planned: &Value) -> bool {
    own_fields(live) == own_fields(planned)
}

/// Drops who else owns which fields, of an object that is only compared.
pub(super) fn forget_other_managers(object: &mut Value) {
    let entries = object
        .get_mut("metadata")
        .and_then(|metadata| metadata.get_mut("managedFields"))
        .and_then(Value::as_array_mut);
    if let Some(entries) = entries {
        entries.retain(is_ours);
    }
}

/// Drops who owns which fields.
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

/// Whether an entry of `managedFields` is that of this tool's applies.
fn is_ours(entry: &Value) -> bool {
    entry["manager"] == FIELD_MANAGER
        && entry["operation"] == "Apply"
        && entry["subresource"].is_null()
}
