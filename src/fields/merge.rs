//! What an apply leaves of an object once fields are ours that it removes: merged here, for objects that the
//! API server accepts only without those fields.
//!
//! An update strategy is such a case: `type: Recreate` is refused beside the `rollingUpdate` of before.

use serde_json::{Value, json};

use super::element::Element;
use super::manager::managers;
use super::ownership::is_divided;
use super::path::FieldPath;
use super::undeclared::UndeclaredField;

/// What the API server maintains, and what names the object.
const KEPT: [&str; 4] = ["apiVersion", "kind", "metadata", "status"];
/// The parts of the metadata that a manifest may set.
const METADATA: [&str; 4] = ["annotations", "finalizers", "labels", "ownerReferences"];

/// The operations of a JSON patch (RFC 6902) that give a live object the values of a manifest, and take
/// away fields. `fresh` is the object as the API server would create it from the manifest: its managed
/// fields say which fields the manifest has, and how the items of its lists are told apart.
#[must_use]
pub fn merge(
    live: &Value,
    declared: &Value,
    fresh: &Value,
    removed: &[UndeclaredField],
) -> Vec<Value> {
    let merged = merged(live, declared, fresh, removed);
    let fields = declared.as_object().into_iter().flatten();
    let top = fields.map(|(name, _)| vec![name.as_str()]);
    let top = top.filter(|path| !KEPT.contains(&path[0]));
    let metadata = METADATA.map(|name| vec!["metadata", name]);
    top.chain(metadata)
        .filter_map(|names| {
            let path = FieldPath::of_fields(&names);
            let value = path.get(&merged)?;
            let place = format!("/{}", names.join("/"));
            (path.get(live) != Some(value))
                .then(|| json!({"op": "add", "path": place, "value": value}))
        })
        .collect()
}

/// The same as an object.
#[must_use]
pub fn merged(live: &Value, declared: &Value, fresh: &Value, removed: &[UndeclaredField]) -> Value {
    let mut merged = live.clone();
    for field in removed {
        field.path().remove_alone(&mut merged);
    }
    let managers = managers(fresh);
    let own = managers.iter().filter(|manager| manager.owner.is_ours());
    let own = own.flat_map(|manager| &manager.fields);
    let own = own.filter(|path| path.is_item() || !is_divided(path, &managers));
    for path in own {
        if let Some(value) = path.get(declared) {
            // What is below an item comes by itself.
            let is_around = path.is_item() && is_divided(path, &managers);
            put(
                &mut merged,
                path.parts(),
                Some(value).filter(|_| !is_around),
            );
        }
    }
    merged
}

/// Puts a value at a path, with the maps, lists and items around it; without a value, those alone.
fn put(place: &mut Value, path: &[Element], value: Option<&Value>) {
    let Some((element, below)) = path.split_first() else {
        if let Some(value) = value {
            *place = value.clone();
        }
        return;
    };
    match element {
        Element::Field(name) => {
            if !place.is_object() {
                *place = json!({});
            }
            put(&mut place[name.as_str()], below, value);
        }
        item => {
            if !place.is_array() {
                *place = json!([]);
            }
            let Some(items) = place.as_array_mut() else {
                return;
            };
            let index = item.place_in(items).unwrap_or_else(|| {
                items.push(match item {
                    Element::Keys(keys) => Value::Object(keys.clone()),
                    Element::Value(value) => value.clone(),
                    Element::Field(_) | Element::Index(_) => Value::Null,
                });
                items.len() - 1
            });
            put(&mut items[index], below, value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::undeclared::undeclared;
    use super::*;

    #[test]
    fn a_manifest_is_laid_over_what_is_left_of_the_object() {
        let entry = |manager: &str, operation: &str, fields: Value| json!({"manager": manager, "operation": operation, "fieldsV1": fields});
        let strategy = json!({"f:spec": {"f:strategy": {
            "f:type": {}, "f:rollingUpdate": {".": {}, "f:maxSurge": {}}}}});
        let live = json!({
            "kind": "Deployment",
            "metadata": {"name": "web", "resourceVersion": "7",
                "managedFields": [entry("kubectl-client-side-apply", "Update", strategy)]},
            "spec": {
                "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1}},
                "selector": {"app": "old"},
                "containers": [{"name": "api", "image": "api:1", "policy": "Always"}]},
        });
        let declared = json!({
            "kind": "Deployment",
            "metadata": {"name": "web", "labels": {"app": "web"}},
            "spec": {"strategy": {"type": "Recreate"}, "args": ["b"], "selector": {"name": "web"}, "containers": [
                {"name": "api", "image": "api:2"}, {"name": "side", "image": "side:1"}]},
        });
        let item = json!({".": {}, "f:name": {}, "f:image": {}});
        let own = json!({
            "f:metadata": {"f:labels": {"f:app": {}}},
            "f:spec": {"f:args": {}, "f:selector": {}, "f:strategy": {"f:type": {}}, "f:containers": {
                "k:{\"name\":\"api\"}": item, "k:{\"name\":\"side\"}": item}}});
        let mut fresh = declared.clone();
        fresh["metadata"]["managedFields"] = json!([entry("cryptoctl", "Apply", own)]);
        let removed = undeclared(&live, &declared, Some(&fresh));
        let [spec, labels] = merge(&live, &declared, &fresh, &removed)
            .try_into()
            .unwrap();
        assert_eq!(
            spec,
            json!({"op": "add", "path": "/spec", "value": {
                "strategy": {"type": "Recreate"},
                "args": ["b"],
                "selector": {"name": "web"},
                "containers": [
                    {"name": "api", "image": "api:2", "policy": "Always"},
                    {"name": "side", "image": "side:1"}],
            }})
        );
        assert_eq!(
            labels,
            json!({"op": "add", "path": "/metadata/labels", "value": {"app": "web"}})
        );
    }
}
