//! Removes what a manager applied last time and does not apply any more, unless someone else owns it
//! (merge/update.go, `prune` and `addBackOwnedItems`).

use serde_json::Value;

use super::element;
use super::set::FieldSet;
use crate::schema::{ListKind, Shape, Type, resolve};

/// The object without what is in `last` and not in `owned`.
pub(crate) fn prune(object: &mut Value, last: &FieldSet, owned: &FieldSet, ty: &Type) {
    match (resolve(ty), object) {
        (Shape::Struct(definition), Value::Object(map)) if !definition.atomic => {
            map.retain(|name, value| {
                let ty = definition.field(name);
                keep(
                    &element::field(name),
                    value,
                    last,
                    owned,
                    ty.unwrap_or(&Type::Any),
                    true,
                )
            });
        }
        (
            Shape::Map {
                atomic: false,
                element: ty,
            },
            Value::Object(map),
        ) => {
            map.retain(|name, value| keep(&element::field(name), value, last, owned, ty, false));
        }
        (Shape::Any, Value::Object(map)) => {
            map.retain(|name, value| {
                keep(&element::field(name), value, last, owned, &Type::Any, true)
            });
        }
        (Shape::List { kind, element: ty }, Value::Array(items)) if *kind != ListKind::Atomic => {
            items.retain_mut(|item| {
                element::item(kind, item)
                    .map_or(true, |name| keep(&name, item, last, owned, ty, false))
            });
        }
        _ => {}
    }
}

/// Whether a field or item stays. A struct's field goes with everything in it, defaults included, once nobody owns any of
/// it; a map's key or a list's item only if it was itself applied.
fn keep(
    element: &str,
    value: &mut Value,
    last: &FieldSet,
    owned: &FieldSet,
    ty: &Type,
    named: bool,
) -> bool {
    let Some(last) = last.child(element) else {
        return true;
    };
    let Some(owned) = owned.child(element) else {
        return !(last.member || named);
    };
    let was_empty = is_empty(value);
    prune(value, last, owned, ty);
    was_empty || !is_empty(value) || owned.member
}

fn is_empty(value: &Value) -> bool {
    value.as_object().is_some_and(serde_json::Map::is_empty)
        || value.as_array().is_some_and(Vec::is_empty)
}
