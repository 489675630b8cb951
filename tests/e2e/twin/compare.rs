//! Two objects, without what differs between any two objects.

use serde_json::{Map, Value};
use similar::TextDiff;

/// The lines that differ; empty if none.
pub(super) fn difference(ours: &Value, theirs: &Value) -> String {
    let [ours, theirs] = [ours, theirs].map(|object| {
        let object = normalised(object.clone());
        serde_json::to_string_pretty(&object).unwrap()
    });
    let diff = TextDiff::from_lines(&theirs, &ours);
    diff.unified_diff().context_radius(8).to_string()
}

fn normalised(mut object: Value) -> Value {
    let fields = object.as_object_mut().unwrap();
    fields.remove("status");
    forget_allocated(fields);
    let metadata = fields["metadata"].as_object_mut().unwrap();
    for name in [
        "namespace",
        "uid",
        "resourceVersion",
        "generation",
        "creationTimestamp",
    ] {
        metadata.remove(name);
    }
    forget_revision(metadata);
    let managers = metadata.remove("managedFields").unwrap_or_default();
    let mut managers: Vec<Value> = managers.as_array().cloned().unwrap_or_default();
    managers.retain(|entry| entry["subresource"] != "status" && entry["manager"] != CONTROLLER);
    for entry in &mut managers {
        entry.as_object_mut().unwrap().remove("time");
        forget_annotations_themselves(entry);
    }
    managers.sort_by_key(ToString::to_string);
    metadata.insert("managedFields".to_owned(), managers.into());
    object.sort_all_objects();
    object
}

const CONTROLLER: &str = "kube-controller-manager";

/// The controller of Deployments sets an annotation whenever it comes to it.
fn forget_revision(metadata: &mut Map<String, Value>) {
    let annotations = metadata
        .get_mut("annotations")
        .and_then(Value::as_object_mut);
    if let Some(annotations) = annotations {
        annotations.remove("deployment.kubernetes.io/revision");
        if annotations.is_empty() {
            metadata.remove("annotations");
        }
    }
}

/// Whoever sets the first annotation owns the map, too: that may be the controller of Deployments.
fn forget_annotations_themselves(entry: &mut Value) {
    let annotations = entry.pointer_mut("/fieldsV1/f:metadata/f:annotations");
    if let Some(annotations) = annotations.and_then(Value::as_object_mut) {
        annotations.remove(".");
    }
}

/// Addresses and ports that the API server allocates.
fn forget_allocated(fields: &mut Map<String, Value>) {
    let Some(spec) = fields.get_mut("spec").and_then(Value::as_object_mut) else {
        return;
    };
    for name in ["clusterIP", "clusterIPs", "healthCheckNodePort"] {
        spec.remove(name);
    }
    let ports = spec.get_mut("ports").and_then(Value::as_array_mut);
    for port in ports.into_iter().flatten().filter_map(Value::as_object_mut) {
        port.remove("nodePort");
    }
}
