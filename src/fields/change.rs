//! The fields in which two states of an object differ, and who owns each of them now.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::conflict::shown;
use super::element::Element;
use super::owner::Owner;
use super::ownership::Ownership;
use super::path::FieldPath;

/// What happens to a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FieldAction {
    /// It is not there yet.
    Add,
    /// It gets another value.
    Change,
    /// It goes.
    Remove,
}

/// A field in which two states of an object differ.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldChange {
    /// Its path, such as `.spec.replicas`.
    pub field: String,
    /// What happens to it.
    pub action: FieldAction,
    /// Its live value; `null` where there is none.
    pub before: Value,
    /// Its planned value; `null` where there is none.
    pub after: Value,
    /// Who owns it now. Nobody owns what the API server has set by itself.
    pub owners: Vec<Owner>,
}

impl FieldChange {
    /// It as a line: `.spec.replicas: 2 → 3`.
    #[must_use]
    pub fn words(&self) -> String {
        let (before, after) = (shown(&self.before), shown(&self.after));
        match (before, after) {
            (Some(before), Some(after)) => format!("{}: {before} → {after}", self.field),
            (None, Some(after)) => format!("{}: added {after}", self.field),
            (Some(before), None) => format!("{}: removed {before}", self.field),
            (None, None) => self.field.clone(),
        }
    }
}

/// The differences between two states of an object, in the order of their names. A value that has no
/// counterpart is one difference, whatever it contains.
#[must_use]
pub fn changes(before: &Value, after: &Value, ownership: &Ownership) -> Vec<FieldChange> {
    let mut comparison = Comparison {
        ownership,
        found: Vec::new(),
    };
    comparison.compare(&FieldPath::default(), Some(before), Some(after));
    comparison.found
}

struct Comparison<'a> {
    ownership: &'a Ownership,
    found: Vec<FieldChange>,
}

impl Comparison<'_> {
    fn compare(&mut self, path: &FieldPath, before: Option<&Value>, after: Option<&Value>) {
        if before == after {
            return;
        }
        match (before, after) {
            (Some(Value::Object(before)), Some(Value::Object(after))) => {
                let names: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
                for name in names {
                    let path = path.join(Element::Field(name.clone()));
                    self.compare(&path, before.get(name), after.get(name));
                }
            }
            (Some(Value::Array(before_list)), Some(Value::Array(after_list))) => {
                let lists = self.ownership.lists();
                let items = |list| lists.items(path, list);
                let Some((old, new)) = items(before_list).zip(items(after_list)) else {
                    self.push(path, before, after);
                    return;
                };
                let is_new = |element: &Element| !old.iter().any(|(other, _)| other == element);
                let added = new.iter().filter(|(element, _)| is_new(element));
                let mut rows: Vec<_> = Vec::new();
                for (element, item) in &old {
                    let other = new.iter().find(|(other, _)| other == element);
                    rows.push((element, Some(*item), other.map(|(_, item)| *item)));
                }
                rows.extend(added.map(|(element, item)| (element, None, Some(*item))));
                let are_moved = rows.iter().all(|(_, before, after)| before == after);
                if are_moved {
                    // Only their order differs.
                    self.push(path, before, after);
                }
                for (element, before, after) in rows {
                    self.compare(&path.join(element.clone()), before, after);
                }
            }
            _ => self.push(path, before, after),
        }
    }

    fn push(&mut self, path: &FieldPath, before: Option<&Value>, after: Option<&Value>) {
        let action = match (before, after) {
            (None, _) => FieldAction::Add,
            (_, None) => FieldAction::Remove,
            _ => FieldAction::Change,
        };
        self.found.push(FieldChange {
            field: path.to_string(),
            action,
            before: before.cloned().unwrap_or_default(),
            after: after.cloned().unwrap_or_default(),
            owners: self.ownership.owners(path),
        });
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn live() -> Value {
        json!({
            "metadata": {"labels": {"app": "web"}, "managedFields": [
                {"manager": "cryptoctl", "operation": "Apply", "fieldsV1": {
                    "f:metadata": {"f:labels": {"f:app": {}}},
                    "f:spec": {"f:containers": {"k:{\"name\":\"api\"}": {
                        ".": {}, "f:name": {}, "f:image": {}, "f:args": {}}}}}},
                {"manager": "kubectl", "operation": "Update", "subresource": "scale", "fieldsV1": {
                    "f:spec": {"f:replicas": {}}}},
                {"manager": "kubectl-set", "operation": "Update", "fieldsV1": {
                    "f:spec": {"f:containers": {"k:{\"name\":\"api\"}": {
                        "f:env": {".": {}, "k:{\"name\":\"A\"}": {".": {}, "f:name": {}, "f:value": {}}}}}}}},
            ]},
            "spec": {"replicas": 3, "policy": "Always", "containers": [
                {"name": "api", "image": "api:1", "args": ["a"], "env": [{"name": "A", "value": "1"}]}]},
        })
    }

    fn said(after: &Value) -> Vec<String> {
        let (live, mut before) = (live(), live());
        before["metadata"]
            .as_object_mut()
            .unwrap()
            .remove("managedFields");
        let found = changes(&before, after, &Ownership::new(&live, None));
        let words = |change: FieldChange| {
            let owners: Vec<String> = change.owners.iter().map(Owner::short).collect();
            format!(
                "{:?} {} [{}]",
                change.action,
                change.field,
                owners.join(", ")
            )
        };
        found.into_iter().map(words).collect()
    }

    fn planned() -> Value {
        let mut planned = live();
        planned["metadata"]
            .as_object_mut()
            .unwrap()
            .remove("managedFields");
        planned
    }

    #[test]
    fn every_difference_says_who_owns_the_field_now() {
        assert_eq!(said(&planned()), [""; 0]);
        let mut after = planned();
        after["spec"]["replicas"] = json!(2);
        after["spec"]["policy"] = json!("Never");
        after["metadata"]["labels"] = json!({"team": "a"});
        let container = &mut after["spec"]["containers"][0];
        container["image"] = json!("api:2");
        container["args"] = json!(["b"]);
        container["env"][0]["value"] = json!("2");
        let api = ".spec.containers[name=\"api\"]";
        let expected = [
            "Remove .metadata.labels.app [cryptoctl]".to_owned(),
            "Add .metadata.labels.team []".to_owned(),
            format!("Change {api}.args [cryptoctl]"),
            format!("Change {api}.env[name=\"A\"].value [kubectl-set]"),
            format!("Change {api}.image [cryptoctl]"),
            "Change .spec.policy []".to_owned(),
            "Change .spec.replicas [kubectl (scale)]".to_owned(),
        ];
        assert_eq!(said(&after), expected);
    }

    #[test]
    fn items_are_compared_by_their_keys() {
        let mut after = planned();
        let side = json!({"name": "side", "image": "side:1"});
        let containers = after["spec"]["containers"].as_array_mut().unwrap();
        containers.insert(0, side);
        assert_eq!(said(&after), ["Add .spec.containers[name=\"side\"] []"]);
        let mut after = planned();
        after["spec"]["containers"] = json!([]);
        let owners = "[cryptoctl, kubectl-set]";
        assert_eq!(
            said(&after),
            [format!("Remove .spec.containers[name=\"api\"] {owners}")]
        );
    }

    #[test]
    fn another_order_of_the_items_is_a_difference() {
        let item = |name: &str| json!({"name": name});
        let list = |names: [&str; 2]| json!({"list": names.map(item)});
        let live = json!({"metadata": {"managedFields": [
            {"manager": "x", "fieldsV1": {"f:list": {"k:{\"name\":\"a\"}": {}}}}]}});
        let ownership = Ownership::new(&live, None);
        let found = changes(&list(["a", "b"]), &list(["b", "a"]), &ownership);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].field, ".list");
    }
}
