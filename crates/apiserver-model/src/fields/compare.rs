//! Which fields differ between two objects (typed/compare.go).

use serde_json::{Map, Value};

use super::element;
use super::set::FieldSet;
use crate::schema::{ListKind, Shape, Type, resolve};

/// The fields that a change touches.
#[derive(Debug, Default)]
pub(crate) struct Comparison {
    pub(crate) added: FieldSet,
    pub(crate) modified: FieldSet,
    pub(crate) removed: FieldSet,
}

/// Compares two versions of an object.
pub(crate) fn compare(old: &Value, new: &Value, ty: &Type) -> Comparison {
    let mut walker = Walker {
        result: Comparison::default(),
        path: Vec::new(),
    };
    walker.visit(Some(old), Some(new), ty);
    walker.result
}

struct Walker {
    result: Comparison,
    path: Vec<String>,
}

impl Walker {
    fn visit(&mut self, old: Option<&Value>, new: Option<&Value>, ty: &Type) {
        match resolve(ty) {
            Shape::Struct(definition) if !definition.atomic => {
                self.fields(old, new, |name| {
                    definition.field(name).unwrap_or(&Type::Any)
                });
            }
            Shape::Map {
                atomic: false,
                element,
            } => {
                self.fields(old, new, |_| element);
                self.itself(old, new);
            }
            Shape::Any if [old, new].into_iter().flatten().all(Value::is_object) => {
                self.fields(old, new, |_| &Type::Any);
                self.itself(old, new);
            }
            Shape::List { kind, element } if *kind != ListKind::Atomic => {
                self.items(old, new, kind, element);
                self.itself(old, new);
            }
            _ => self.leaf(old, new),
        }
    }

    fn fields<'t>(
        &mut self,
        old: Option<&Value>,
        new: Option<&Value>,
        ty: impl Fn(&str) -> &'t Type,
    ) {
        let empty = Map::new();
        let old = old.and_then(Value::as_object).unwrap_or(&empty);
        let new = new.and_then(Value::as_object).unwrap_or(&empty);
        let only_new = new.keys().filter(|name| !old.contains_key(*name));
        for name in old.keys().chain(only_new) {
            self.path.push(element::field(name));
            self.visit(old.get(name), new.get(name), ty(name));
            self.path.pop();
        }
    }

    fn items(&mut self, old: Option<&Value>, new: Option<&Value>, kind: &ListKind, ty: &Type) {
        let index = |list: Option<&Value>| -> Vec<(String, Value)> {
            let items = list.and_then(Value::as_array).into_iter().flatten();
            items
                .filter_map(|item| Some((element::item(kind, item).ok()?, item.clone())))
                .collect()
        };
        let (old, new) = (index(old), index(new));
        let find = |list: &[(String, Value)], wanted: &str| {
            list.iter()
                .find(|(element, _)| element == wanted)
                .map(|(_, item)| item.clone())
        };
        let only_new = new
            .iter()
            .filter(|(element, _)| find(&old, element).is_none());
        for (element, _) in old.iter().chain(only_new) {
            let (before, after) = (find(&old, element), find(&new, element));
            self.path.push(element.clone());
            self.visit(before.as_ref(), after.as_ref(), ty);
            self.itself(before.as_ref(), after.as_ref());
            self.path.pop();
        }
    }

    /// A container that appears or goes counts beside its fields.
    fn itself(&mut self, old: Option<&Value>, new: Option<&Value>) {
        match (old, new) {
            (None, Some(_)) => self.result.added.insert(&self.path),
            (Some(_), None) => self.result.removed.insert(&self.path),
            _ => {}
        }
    }

    fn leaf(&mut self, old: Option<&Value>, new: Option<&Value>) {
        match (old, new) {
            (Some(old), Some(new)) if old != new => self.result.modified.insert(&self.path),
            _ => self.itself(old, new),
        }
    }
}
