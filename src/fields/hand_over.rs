//! The managed fields of an object that is created anew in the place of another: what others own stays
//! theirs.

use serde_json::{Value, json};

use super::manager::{manager, managers};
use super::owner::{FIELD_MANAGER, Owner, ROLLOUT_MANAGER};
use super::ownership::is_divided;
use super::path::FieldPath;
use super::tree::tree;

/// Drops what we own in a live object alone and the manifest no longer declares, as an apply does.
pub fn drop_own(object: &mut Value, live: &Value, declared: &Value) {
    let managers = managers(live);
    let is_ours = |owner: &Owner| owner.is_ours();
    let own = managers.iter().filter(|it| is_ours(&it.owner));
    let others = || managers.iter().filter(|it| !is_ours(&it.owner));
    for path in own.flat_map(|manager| &manager.fields) {
        let has_parts = !path.is_item() && is_divided(path, &managers);
        let is_theirs = others().any(|manager| manager.owns_in(path));
        if !has_parts && !is_theirs && path.get(declared).is_none() {
            path.remove_alone(object);
        }
    }
}

/// The managed fields of a new object: those that it has, where what made it becomes the owner of what is
/// `declared`, and keeps some fields that nobody else owns; and what the managers of the object before it owned
/// and still has its value.
///
/// `is_former` says of whom nothing is handed over.
#[must_use]
pub fn handed_over(
    before: &Value,
    new: &Value,
    declared: &Value,
    kept: &[&FieldPath],
    is_former: impl Fn(&Owner) -> bool,
) -> Vec<Value> {
    let entries = |object: &Value| {
        let entries = object["metadata"]["managedFields"].as_array();
        entries.cloned().unwrap_or_default()
    };
    let is_maker = |owner: &Owner| owner.manager == ROLLOUT_MANAGER;
    let mut all = entries(new);
    let made = all.extract_if(.., |entry| is_maker(&Owner::new(entry)));
    let made: Vec<Value> = made.collect();
    for entry in made {
        let fields = manager(&entry).fields;
        let own = fields.iter().filter(|path| path.get(declared).is_some());
        let with = |name: &str, fields: Value| {
            let mut entry = entry.clone();
            entry["manager"] = name.into();
            entry["operation"] = "Apply".into();
            entry["fieldsV1"] = fields;
            entry
        };
        all.push(with(FIELD_MANAGER, tree(own)));
        if !kept.is_empty() {
            all.push(with(ROLLOUT_MANAGER, tree(kept.iter().copied())));
        }
    }
    for mut entry in entries(before) {
        let owner = Owner::new(&entry);
        let is_left = owner.is_ours() || is_maker(&owner) || owner.subresource == "status";
        if is_left || is_former(&owner) {
            continue;
        }
        let fields = manager(&entry).fields;
        let is_kept =
            |path: &&FieldPath| path.get(new).is_some() && path.get(new) == path.get(before);
        let kept: Vec<&FieldPath> = fields.iter().filter(is_kept).collect();
        if !kept.is_empty() {
            entry["fieldsV1"] = tree(kept);
            all.push(entry);
        }
    }
    all
}

/// The operations of a JSON patch (RFC 6902) that set the managed fields of one version of an object.
#[must_use]
pub fn owners_patch(object: &Value, managed_fields: &[Value]) -> Vec<Value> {
    let version = &object["metadata"]["resourceVersion"];
    vec![
        json!({"op": "replace", "path": "/metadata/resourceVersion", "value": version}),
        json!({"op": "replace", "path": "/metadata/managedFields", "value": managed_fields}),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(manager: &str, operation: &str, fields: &Value) -> Value {
        json!({"manager": manager, "operation": operation, "fieldsV1": fields})
    }

    fn live() -> Value {
        json!({
            "metadata": {"labels": {"old": "x", "both": "x"}, "managedFields": [
                entry("cryptoctl", "Apply", &json!({
                    "f:metadata": {"f:labels": {".": {}, "f:old": {}, "f:both": {}}},
                    "f:spec": {"f:serviceName": {}}})),
                entry("kubectl", "Update", &json!({
                    "f:metadata": {"f:labels": {"f:both": {}}},
                    "f:spec": {"f:replicas": {}, "f:paused": {}}})),
                entry("helm", "Update", &json!({"f:spec": {"f:replicas": {}}})),
            ]},
            "spec": {"serviceName": "web", "replicas": 3, "paused": true},
        })
    }

    #[test]
    fn what_only_we_had_declared_goes() {
        let mut object = live();
        drop_own(
            &mut object,
            &live(),
            &json!({"spec": {"serviceName": "web"}}),
        );
        assert_eq!(object["metadata"]["labels"], json!({"both": "x"}));
        assert_eq!(object["spec"], live()["spec"]);
    }

    #[test]
    fn what_others_own_stays_theirs() {
        let rolled = FieldPath::of_fields(&["spec", "mark"]);
        let made = json!({"f:spec": {"f:serviceName": {}, "f:replicas": {}, "f:mark": {}}});
        let controller = entry(
            "kube-controller-manager",
            "Update",
            &json!({"f:status": {}}),
        );
        let new = json!({
            "metadata": {"managedFields": [entry(ROLLOUT_MANAGER, "Apply", &made), controller]},
            "spec": {"serviceName": "other", "replicas": 3, "paused": false, "mark": "other"},
        });
        let declared = json!({"spec": {"serviceName": "other"}});
        let is_former = |owner: &Owner| owner.manager == "helm";
        let handed = |kept: &[&FieldPath]| handed_over(&live(), &new, &declared, kept, is_former);
        let expected = |mark: Vec<Value>| {
            let own = entry(
                "cryptoctl",
                "Apply",
                &json!({"f:spec": {"f:serviceName": {}}}),
            );
            let kubectl = entry("kubectl", "Update", &json!({"f:spec": {"f:replicas": {}}}));
            [vec![controller.clone(), own], mark, vec![kubectl]].concat()
        };
        let mark = entry(ROLLOUT_MANAGER, "Apply", &json!({"f:spec": {"f:mark": {}}}));
        assert_eq!(handed(&[&rolled]), expected(vec![mark]));
        assert_eq!(handed(&[]), expected(Vec::new()));
    }
}
