//! The fields of this program that somebody has changed since it wrote them.

use serde_json::Value;

use super::manager::managers;
use super::owner::Owner;
use super::ownership::{Ownership, is_divided};

/// The fields that we own in an object as it was stored, and that have other values in a later state of it, each
/// with its owners in that state.
#[must_use]
pub fn overwritten(stored: &Value, later: &Value) -> Vec<(String, Vec<Owner>)> {
    let managers = managers(stored);
    let ownership = Ownership::new(later, None);
    let own = managers.iter().filter(|manager| manager.owner.is_ours());
    own.flat_map(|manager| &manager.fields)
        .filter(|path| !is_divided(path, &managers) && path.get(stored) != path.get(later))
        .map(|path| (path.to_string(), ownership.owners(path)))
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_own_fields_with_other_values_are_overwritten() {
        let entry = |manager: &str, operation: &str, fields: Value| json!({"manager": manager, "operation": operation, "fieldsV1": fields});
        let ours = json!({"f:spec": {"f:replicas": {}, "f:containers": {
            "k:{\"name\":\"api\"}": {".": {}, "f:name": {}, "f:image": {}}}}});
        let stored = json!({
            "metadata": {"managedFields": [entry("cryptoctl", "Apply", ours.clone())]},
            "spec": {"replicas": 2, "containers": [{"name": "api", "image": "api:1"}]},
        });
        let mut later = stored.clone();
        later["metadata"]["annotations"] = json!({"restarted": "now"});
        later["spec"]["containers"] = json!([
            {"name": "injected", "image": "proxy:1"},
            {"name": "api", "image": "api:1", "tty": true},
        ]);
        assert_eq!(overwritten(&stored, &later), []);
        later["spec"]["containers"][1]["image"] = json!("api:2");
        later["spec"]["replicas"] = json!(3);
        let scaled = entry("kubectl", "Update", json!({"f:spec": {"f:replicas": {}}}));
        later["metadata"]["managedFields"] = json!([
            entry(
                "cryptoctl",
                "Apply",
                json!({
            "f:spec": {"f:containers": ours["f:spec"]["f:containers"]}})
            ),
            scaled
        ]);
        let found = overwritten(&stored, &later);
        let said: Vec<(&str, String)> = found
            .iter()
            .map(|(field, owners)| (field.as_str(), Owner::short_list(owners)))
            .collect();
        let image = ".spec.containers[name=\"api\"].image";
        let expected = [
            (".spec.replicas", "kubectl".to_owned()),
            (image, "cryptoctl".to_owned()),
        ];
        assert_eq!(said.len(), expected.len());
        for row in expected {
            assert!(said.contains(&row), "{said:?}");
        }
    }
}
