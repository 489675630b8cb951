//! How the items of an object's lists are told apart: by their keys, by their values, or not at all.
//!
//! The API server decides that by the schema of the kind; the fields that managers own show what it
//! has decided (`listType` of the structural schema, KEP-555).

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::element::{Element, place};
use super::manager::Manager;
use super::path::FieldPath;

/// Every field of an object that has no fields below it; a list is one field.
#[must_use]
pub fn leaves(object: &Value) -> Vec<FieldPath> {
    let mut leaves = Lists::default().leaves(object);
    leaves.dedup();
    leaves
}

/// How the items of a list are told apart.
#[derive(Debug, Clone)]
enum Items {
    /// By the values of these fields.
    Keys(BTreeSet<String>),
    /// By themselves.
    Values,
}

/// The lists of an object whose items can be told apart; every other list is one value.
#[derive(Debug, Clone, Default)]
pub(super) struct Lists(BTreeMap<String, Items>);

impl Lists {
    /// What the managers' fields show.
    pub(super) fn new<'a>(managers: impl IntoIterator<Item = &'a Manager>) -> Self {
        let mut lists = Self::default();
        for path in managers.into_iter().flat_map(|manager| &manager.fields) {
            for (index, element) in path.parts().iter().enumerate() {
                let items = match element {
                    Element::Keys(keys) => Items::Keys(keys.keys().cloned().collect()),
                    Element::Value(_) => Items::Values,
                    Element::Field(_) | Element::Index(_) => continue,
                };
                lists.0.insert(place(&path.parts()[..index]), items);
            }
        }
        lists
    }

    /// The items of a list with the element that means each; `None` for a list that is one value.
    pub(super) fn items<'a>(
        &self,
        path: &FieldPath,
        list: &'a [Value],
    ) -> Option<Vec<(Element, &'a Value)>> {
        let items = self.0.get(&place(path.parts()))?;
        let element = |item: &Value| match items {
            Items::Values => Some(Element::Value(item.clone())),
            Items::Keys(keys) => {
                let fields = item.as_object()?;
                let key = |key: &String| Some((key.clone(), fields.get(key)?.clone()));
                let values: Map<String, Value> = keys.iter().filter_map(key).collect();
                (!values.is_empty()).then_some(Element::Keys(values))
            }
        };
        list.iter()
            .map(|item| Some((element(item)?, item)))
            .collect()
    }

    /// Every field of an object that has no fields below it, in the order in which its YAML is written.
    pub(super) fn leaves(&self, object: &Value) -> Vec<FieldPath> {
        let mut found = Vec::new();
        self.collect(object, FieldPath::default(), false, &mut found);
        found
    }

    /// `is_within` says that the value is a part of a list that is one value: then the list's path
    /// stands for it.
    fn collect(&self, value: &Value, path: FieldPath, is_within: bool, found: &mut Vec<FieldPath>) {
        let below = |element| {
            if is_within {
                path.clone()
            } else {
                path.join(element)
            }
        };
        match value {
            Value::Object(fields) if !fields.is_empty() => {
                let mut fields: Vec<_> = fields.iter().collect();
                fields.sort_by_key(|(name, _)| *name);
                for (name, value) in fields {
                    let path = below(Element::Field(name.clone()));
                    self.collect(value, path, is_within, found);
                }
            }
            Value::Array(list) if !list.is_empty() => {
                let items = self.items(&path, list).filter(|_| !is_within);
                match items {
                    Some(items) => {
                        for (element, item) in items {
                            self.collect(item, path.join(element), false, found);
                        }
                    }
                    None => {
                        for item in list {
                            self.collect(item, path.clone(), true, found);
                        }
                    }
                }
            }
            _ => found.push(path),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::manager::managers;
    use super::*;

    #[test]
    fn lists_are_known_from_the_fields_that_managers_own() {
        let object = json!({
            "metadata": {"finalizers": ["a/b"], "managedFields": [{"manager": "x", "fieldsV1": {
                "f:metadata": {"f:finalizers": {"v:\"a/b\"": {}}},
                "f:spec": {"f:containers": {"k:{\"name\":\"api\"}": {"f:args": {}, "f:env": {
                    "k:{\"name\":\"A\"}": {"f:value": {}}}}}}}}]},
            "spec": {"containers": [
                {"name": "new", "args": ["x", {"y": 1}], "env": [{"name": "B", "value": "2"}]}]},
        });
        let managers = managers(&object);
        let lists = Lists::new(&managers);
        let mut bare = object.clone();
        bare["metadata"]
            .as_object_mut()
            .unwrap()
            .remove("managedFields");
        let leaves: Vec<String> = lists
            .leaves(&bare)
            .iter()
            .map(ToString::to_string)
            .collect();
        let expected = [
            ".metadata.finalizers[=\"a/b\"]",
            // A list that is one value stands for each of its parts.
            ".spec.containers[name=\"new\"].args",
            ".spec.containers[name=\"new\"].args",
            ".spec.containers[name=\"new\"].env[name=\"B\"].name",
            ".spec.containers[name=\"new\"].env[name=\"B\"].value",
            ".spec.containers[name=\"new\"].name",
        ];
        assert_eq!(leaves, expected);
    }
}
