//! Reading and writing fields of an object that is kept as JSON.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

/// The text at a JSON pointer, or "".
pub fn text<'a>(object: &'a Value, pointer: &str) -> &'a str {
    object
        .pointer(pointer)
        .and_then(Value::as_str)
        .unwrap_or_default()
}

/// The number at a JSON pointer.
pub fn number(object: &Value, pointer: &str) -> Option<i64> {
    object.pointer(pointer).and_then(Value::as_i64)
}

/// The list at a JSON pointer, or none of its items.
pub(crate) fn items<'a>(object: &'a Value, pointer: &str) -> impl Iterator<Item = &'a Value> {
    object
        .pointer(pointer)
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
}

/// Whether something is there.
pub(crate) fn has(object: &Value, pointer: &str) -> bool {
    object
        .pointer(pointer)
        .is_some_and(|value| !value.is_null())
}

/// Sets a field and creates the maps above it.
pub(crate) fn set(object: &mut Value, pointer: &str, value: impl Into<Value>) {
    let mut node = object;
    for part in pointer.split('/').skip(1) {
        if !node.is_object() {
            *node = Value::Object(Map::new());
        }
        let part = part.replace("~1", "/").replace("~0", "~");
        node = node
            .as_object_mut()
            .unwrap()
            .entry(part)
            .or_insert(Value::Null);
    }
    *node = value.into();
}

/// Sets a field that is absent.
pub(crate) fn set_default(object: &mut Value, pointer: &str, value: impl Into<Value>) {
    if !has(object, pointer) {
        set(object, pointer, value);
    }
}

/// Removes a field.
pub(crate) fn remove(object: &mut Value, pointer: &str) -> Option<Value> {
    let (parent, name) = pointer.rsplit_once('/')?;
    object
        .pointer_mut(parent)?
        .as_object_mut()?
        .shift_remove(name)
}

/// Drops fields that are null, as decoding into Go's structs does.
pub(crate) fn drop_nulls(value: &mut Value) {
    match value {
        Value::Object(map) => {
            map.retain(|_, value| !value.is_null());
            map.values_mut().for_each(drop_nulls);
        }
        Value::Array(items) => items.iter_mut().for_each(drop_nulls),
        _ => {}
    }
}

/// The labels, or any other map of texts.
pub(crate) fn texts(object: &Value, pointer: &str) -> BTreeMap<String, String> {
    let map = object
        .pointer(pointer)
        .and_then(Value::as_object)
        .into_iter()
        .flatten();
    map.map(|(key, value)| (key.clone(), value.as_str().unwrap_or_default().to_owned()))
        .collect()
}

/// `metadata.name`.
pub(crate) fn name(object: &Value) -> &str {
    text(object, "/metadata/name")
}

/// `metadata.namespace`.
pub(crate) fn namespace(object: &Value) -> &str {
    text(object, "/metadata/namespace")
}

/// `metadata.uid`.
pub(crate) fn uid(object: &Value) -> &str {
    text(object, "/metadata/uid")
}

/// Whether it is being deleted.
pub(crate) fn is_terminating(object: &Value) -> bool {
    has(object, "/metadata/deletionTimestamp")
}

/// The status of a condition, or "".
#[must_use]
pub fn condition<'a>(object: &'a Value, wanted: &str) -> &'a str {
    let found = items(object, "/status/conditions").find(|condition| condition["type"] == wanted);
    found
        .map(|condition| text(condition, "/status"))
        .unwrap_or_default()
}

/// The owner that manages the object.
pub(crate) fn controller(object: &Value) -> Option<&Value> {
    items(object, "/metadata/ownerReferences").find(|owner| owner["controller"] == true)
}
