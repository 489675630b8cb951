//! The managers of an object, and the fields that each of them owns.

use jiff::Timestamp;
use serde_json::Value;

use super::conflict::Operation;
use super::path::{FieldPath, paths};

/// An entry of `metadata.managedFields`: who wrote which fields, how and when.
#[derive(Debug, Clone, PartialEq)]
pub struct Manager {
    /// Its name, such as `kubectl-edit`.
    pub name: String,
    /// How it wrote them.
    pub operation: Operation,
    /// The subresource that it wrote, such as `scale`; empty for the object itself.
    pub subresource: String,
    /// When it last wrote; the API server says it to the second.
    pub time: Option<Timestamp>,
    /// The fields that it owns.
    pub fields: Vec<FieldPath>,
}

/// The managers of a live object.
#[must_use]
pub fn managers(object: &Value) -> Vec<Manager> {
    let entries = object["metadata"]["managedFields"].as_array();
    entries.into_iter().flatten().map(manager).collect()
}

fn manager(entry: &Value) -> Manager {
    let text = |field: &str| entry[field].as_str().unwrap_or_default();
    Manager {
        name: text("manager").to_owned(),
        operation: match text("operation") {
            "Apply" => Operation::Apply,
            _ => Operation::Update,
        },
        subresource: text("subresource").to_owned(),
        time: text("time").parse().ok(),
        fields: paths(&entry["fieldsV1"]),
    }
}

impl Manager {
    /// Whether it is the entry of the applies of a field manager.
    #[must_use]
    pub fn is_apply_of(&self, name: &str) -> bool {
        self.operation == Operation::Apply && self.name == name && self.subresource.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_entry_says_who_wrote_what_and_how() {
        let object = json!({"metadata": {"managedFields": [
            {"manager": "cryptoctl", "operation": "Apply", "fieldsV1": {"f:spec": {"f:serviceName": {}}}},
            {"manager": "kubectl", "operation": "Update", "subresource": "scale",
                "time": "2026-11-30T10:00:00Z", "fieldsV1": {"f:spec": {"f:replicas": {}}}},
        ]}});
        let [ours, kubectl] = managers(&object).try_into().unwrap();
        assert!(ours.is_apply_of("cryptoctl") && !ours.is_apply_of("kubectl"));
        assert_eq!(ours.time, None);
        assert!(!kubectl.is_apply_of("kubectl"));
        assert_eq!(kubectl.subresource, "scale");
        assert_eq!(kubectl.time, "2026-11-30T10:00:00Z".parse().ok());
        assert_eq!(kubectl.fields[0].to_string(), ".spec.replicas");
        assert_eq!(managers(&json!({})), []);
    }
}
