//! Paths of fields as the tree that `fieldsV1` is.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::path::FieldPath;

#[derive(Default)]
struct Node {
    is_member: bool,
    below: BTreeMap<String, Node>,
}

/// A set of paths in the form of `fieldsV1`.
pub(super) fn tree<'a>(paths: impl IntoIterator<Item = &'a FieldPath>) -> Value {
    let mut root = Node::default();
    for path in paths {
        let parts = path.parts().iter();
        let node = parts.fold(&mut root, |node, element| {
            node.below.entry(element.in_fields()).or_default()
        });
        node.is_member = true;
    }
    root.into_value()
}

impl Node {
    fn into_value(self) -> Value {
        let mut fields = Map::new();
        // Nothing below an element says the same.
        if self.is_member && !self.below.is_empty() {
            fields.insert(".".to_owned(), Value::Object(Map::new()));
        }
        let below = self.below.into_iter();
        fields.extend(below.map(|(element, node)| (element, node.into_value())));
        Value::Object(fields)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::path::paths;
    use super::*;

    #[test]
    fn a_tree_has_the_paths_that_it_was_made_of() {
        let owned = json!({"f:spec": {
            "f:finalizers": {"v:\"a/b\"": {}},
            "f:order": {"i:1": {}},
            "f:ports": {".": {}, "k:{\"port\":80,\"protocol\":\"TCP\"}": {".": {}, "f:port": {}}},
            "f:replicas": {},
        }});
        assert_eq!(tree(&paths(&owned)), owned);
        assert_eq!(tree(&[]), json!({}));
    }
}
