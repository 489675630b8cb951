//! The managers of an object, and the fields that each of them owns.

use jiff::Timestamp;
use serde_json::Value;

use super::conflict::Operation;
use super::path::{FieldPath, paths};

/// The field manager of everything that this program applies.
pub const FIELD_MANAGER: &str = "cryptoctl";

/// The field manager of what an experiment changes for a while: never the one that applies, so that
/// an apply meanwhile says who has changed what.
pub const EXPERIMENT_MANAGER: &str = "cryptoctl-chaos";

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

/// The managers of a live object. Fields that were written in another version of the kind may have
/// other paths, so those entries are left out.
#[must_use]
pub fn managers(object: &Value) -> Vec<Manager> {
    let entries = object["metadata"]["managedFields"].as_array();
    entries
        .into_iter()
        .flatten()
        .filter(|entry| entry["apiVersion"] == object["apiVersion"])
        .map(manager)
        .collect()
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
    /// Whether it is the entry of what this program applies.
    #[must_use]
    pub fn is_ours(&self) -> bool {
        self.operation == Operation::Apply
            && self.name == FIELD_MANAGER
            && self.subresource.is_empty()
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
            {"manager": "old", "operation": "Update", "apiVersion": "v1beta1",
                "fieldsV1": {"f:spec": {"f:count": {}}}},
        ]}});
        let [ours, kubectl] = managers(&object).try_into().unwrap();
        assert!(ours.is_ours());
        assert_eq!(ours.time, None);
        assert!(!kubectl.is_ours());
        assert_eq!(kubectl.subresource, "scale");
        assert_eq!(kubectl.time, "2026-11-30T10:00:00Z".parse().ok());
        assert_eq!(kubectl.fields[0].to_string(), ".spec.replicas");
        assert_eq!(managers(&json!({})), []);
    }
}
