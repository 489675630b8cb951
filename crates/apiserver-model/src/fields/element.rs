//! Path elements in the form of `fieldsV1`.

use serde_json::{Map, Value};

use crate::schema::ListKind;

/// The element of a named field or of a map's key.
pub(crate) fn field(name: &str) -> String {
    format!("f:{name}")
}

/// The element of a list's item, or why it has none.
pub(crate) fn item(kind: &ListKind, value: &Value) -> Result<String, String> {
    match kind {
        ListKind::Atomic => Err("an atomic list has no path elements".to_owned()),
        ListKind::Set => Ok(format!("v:{value}")),
        ListKind::Keyed(keys) => {
            let mut keys: Vec<&String> = keys.iter().collect();
            keys.sort();
            let mut element = Map::new();
            for key in keys {
                let part = match value.get(key) {
                    Some(part) => part.clone(),
                    // The only key with a default in the built-in kinds (ContainerPort, ServicePort).
                    None if key == "protocol" => Value::from("TCP"),
                    None => continue,
                };
                element.insert(key.clone(), part);
            }
            if element.is_empty() {
                return Err(format!("element without any of its keys: {value}"));
            }
            Ok(format!("k:{}", Value::Object(element)))
        }
    }
}

/// A path element as error messages print it (fieldpath/element.go).
pub(crate) fn display(element: &str) -> String {
    let (prefix, content) = element.split_at(2);
    match prefix {
        "f:" => format!(".{content}"),
        "v:" => format!("[={content}]"),
        _ => {
            let keys: Map<String, Value> = serde_json::from_str(content).unwrap();
            let parts: Vec<String> = keys
                .iter()
                .map(|(key, value)| format!("{key}={value}"))
                .collect();
            format!("[{}]", parts.join(","))
        }
    }
}
