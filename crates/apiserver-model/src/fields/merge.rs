//! Lays an applied configuration over a live object (typed/merge.go).

use serde_json::{Map, Value};

use super::element;
use crate::schema::{ListKind, Shape, Type, resolve};

/// The live object with every field that the configuration names.
pub(crate) fn merge(live: &Value, applied: &Value, ty: &Type) -> Value {
    match (resolve(ty), live, applied) {
        (Shape::Struct(definition), Value::Object(old), Value::Object(new))
            if !definition.atomic =>
        {
            fields(old, new, |name| {
                definition.field(name).unwrap_or(&Type::Any)
            })
        }
        (
            Shape::Map {
                atomic: false,
                element,
            },
            Value::Object(old),
            Value::Object(new),
        ) => fields(old, new, |_| element),
        (Shape::Any, Value::Object(old), Value::Object(new)) => fields(old, new, |_| &Type::Any),
        (Shape::List { kind, element }, Value::Array(old), Value::Array(new))
            if *kind != ListKind::Atomic =>
        {
            items(old, new, kind, element)
        }
        _ => applied.clone(),
    }
}

fn fields<'t>(
    old: &Map<String, Value>,
    new: &Map<String, Value>,
    ty: impl Fn(&str) -> &'t Type,
) -> Value {
    let mut result = old.clone();
    for (name, value) in new {
        let merged = old
            .get(name)
            .map_or_else(|| value.clone(), |live| merge(live, value, ty(name)));
        result.insert(name.clone(), merged);
    }
    Value::Object(result)
}

/// The applied order decides among the items of both; items that only the live list has come as early as they can.
fn items(old: &[Value], new: &[Value], kind: &ListKind, ty: &Type) -> Value {
    let index = |items: &[Value]| -> Vec<(String, Value)> {
        items
            .iter()
            .map(|item| (element::item(kind, item).unwrap_or_default(), item.clone()))
            .collect()
    };
    let (old, new) = (index(old), index(new));
    let find = |list: &[(String, Value)], wanted: &str| {
        list.iter().position(|(element, _)| element == wanted)
    };

    let mut result = Vec::new();
    let (mut left, mut right) = (0, 0);
    while left < old.len() || right < new.len() {
        if let Some((element, item)) = old.get(left)
            && find(&new, element).is_none_or(|place| place < right)
        {
            // Of the live list alone, or already merged at its applied place.
            if find(&new, element).is_none() {
                result.push(item.clone());
            }
            left += 1;
        } else if let Some((element, item)) = new.get(right) {
            let live = find(&old, element).map(|place| &old[place].1);
            result.push(live.map_or_else(|| item.clone(), |live| merge(live, item, ty)));
            right += 1;
        }
    }
    Value::Array(result)
}
