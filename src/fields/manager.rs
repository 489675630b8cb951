//! The managers of an object, and the fields that each of them owns.

use serde_json::Value;

use super::owner::Owner;
use super::path::{FieldPath, paths};

/// An entry of `metadata.managedFields`: who wrote which fields, how and when.
#[derive(Debug, Clone, PartialEq)]
pub struct Manager {
    /// Who, how and when.
    pub owner: Owner,
    /// The fields that it owns.
    pub fields: Vec<FieldPath>,
}

/// The managers of a live object. A field that was written in another version of the kind may have another
/// path there: it leads nowhere in this object.
#[must_use]
pub fn managers(object: &Value) -> Vec<Manager> {
    let entries = object["metadata"]["managedFields"].as_array();
    entries.into_iter().flatten().map(manager).collect()
}

impl Manager {
    /// Whether it owns a field, or something below it.
    #[must_use]
    pub fn owns_in(&self, field: &FieldPath) -> bool {
        self.fields.iter().any(|owned| owned.is_in(field))
    }
}

/// The manager that an entry of `managedFields` names.
pub(super) fn manager(entry: &Value) -> Manager {
    Manager {
        owner: Owner::new(entry),
        fields: paths(&entry["fieldsV1"]),
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
        assert!(ours.owner.is_ours());
        assert_eq!(ours.owner.time, None);
        assert!(!kubectl.owner.is_ours());
        assert_eq!(kubectl.owner.subresource, "scale");
        assert_eq!(kubectl.owner.time, "2026-11-30T10:00:00Z".parse().ok());
        assert_eq!(kubectl.fields[0].to_string(), ".spec.replicas");
        assert_eq!(managers(&json!({})), []);
    }
}
