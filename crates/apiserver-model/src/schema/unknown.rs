//! Strict decoding: fields that a kind does not have.

use serde_json::Value;

use super::{Shape, Type, resolve};

/// The paths of all unknown fields, as the API server prints them (`spec.template.spec.foo`).
pub(crate) fn unknown_fields(object: &Value, ty: &Type) -> Vec<String> {
    let mut found = Vec::new();
    visit(&mut object.clone(), ty, "", &mut found);
    found
}

/// Drops them, as decoding into Go's structs does.
pub(crate) fn drop_unknown_fields(object: &mut Value, ty: &Type) {
    visit(object, ty, "", &mut Vec::new());
}

/// Notes unknown fields and removes them.
fn visit(value: &mut Value, ty: &Type, path: &str, found: &mut Vec<String>) {
    match (resolve(ty), value) {
        (Shape::Struct(definition), Value::Object(map)) => {
            // A custom kind prunes by its own schema, which the model does not read.
            let open = definition.fields.contains_key("*");
            map.retain(|name, value| {
                let path = if path.is_empty() {
                    name.clone()
                } else {
                    format!("{path}.{name}")
                };
                let ty = definition.fields.get(name);
                match ty {
                    Some(ty) => visit(value, ty, &path, found),
                    None if open => {}
                    None => found.push(path),
                }
                ty.is_some() || open
            });
        }
        (Shape::Map { element, .. }, Value::Object(map)) => {
            for (name, value) in map {
                visit(value, element, &format!("{path}.{name}"), found);
            }
        }
        (Shape::List { element, .. }, Value::Array(items)) => {
            for (index, value) in items.iter_mut().enumerate() {
                visit(value, element, &format!("{path}[{index}]"), found);
            }
        }
        _ => {}
    }
}
