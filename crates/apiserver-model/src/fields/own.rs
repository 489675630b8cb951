//! The fields that an applied configuration names (typed/tofieldset.go).

use serde_json::Value;

use super::element;
use super::set::FieldSet;
use crate::schema::{ListKind, Shape, Type, resolve};

/// A value that does not fit its type, as `.path: problem`.
pub(crate) type TypeError = String;

/// The set of an applied configuration.
pub(crate) fn field_set(value: &Value, ty: &Type) -> Result<FieldSet, Vec<TypeError>> {
    let mut walker = Walker {
        set: FieldSet::default(),
        errors: Vec::new(),
        path: Vec::new(),
    };
    walker.visit(value, ty);
    if walker.errors.is_empty() {
        Ok(walker.set)
    } else {
        Err(walker.errors)
    }
}

struct Walker {
    set: FieldSet,
    errors: Vec<TypeError>,
    path: Vec<String>,
}

impl Walker {
    fn visit(&mut self, value: &Value, ty: &Type) {
        match (resolve(ty), value) {
            (Shape::Struct(definition), Value::Object(map)) => {
                if definition.atomic {
                    return self.leaf();
                }
                for (name, value) in map {
                    let ty = definition.field(name);
                    match ty {
                        Some(ty) => self.field(name, value, ty),
                        None => self.fail(Some(name), "field not declared in schema"),
                    }
                }
            }
            (Shape::Map { atomic: true, .. }, Value::Object(_)) => self.leaf(),
            (Shape::Map { element, .. }, Value::Object(map)) => {
                for (name, value) in map {
                    self.field(name, value, element);
                }
            }
            (Shape::Any, Value::Object(map)) => {
                for (name, value) in map {
                    self.field(name, value, &Type::Any);
                }
            }
            (
                Shape::List {
                    kind: ListKind::Atomic,
                    ..
                },
                Value::Array(_),
            )
            | (Shape::Any, _) => self.leaf(),
            (Shape::List { kind, element }, Value::Array(items)) => {
                self.items(kind, element, items);
            }
            (Shape::Scalar(ty), value) => self.scalar(ty, value),
            (Shape::Struct(_) | Shape::Map { .. }, value) => self.mismatch("map", value),
            (Shape::List { .. }, value) => self.mismatch("list", value),
        }
    }

    fn field(&mut self, name: &str, value: &Value, ty: &Type) {
        self.path.push(element::field(name));
        self.visit(value, ty);
        if value.as_object().is_some_and(serde_json::Map::is_empty) {
            self.leaf();
        }
        self.path.pop();
    }

    fn items(&mut self, kind: &ListKind, ty: &Type, items: &[Value]) {
        let mut seen = Vec::new();
        for value in items {
            let element = match element::item(kind, value) {
                Ok(element) => element,
                Err(problem) => {
                    self.fail(None, &problem);
                    continue;
                }
            };
            if seen.contains(&element) {
                let problem = format!("duplicate entries for key {}", element::display(&element));
                self.fail(None, &problem);
                continue;
            }
            self.path.push(element.clone());
            self.visit(value, ty);
            self.leaf();
            self.path.pop();
            seen.push(element);
        }
    }

    fn scalar(&mut self, ty: &Type, value: &Value) {
        match (ty, value) {
            (Type::Text, Value::String(_))
            | (Type::Number, Value::Number(_))
            | (Type::Boolean, Value::Bool(_))
            | (_, Value::Null) => self.leaf(),
            (Type::Text, _) => self.mismatch("string", value),
            (Type::Number, _) => self.mismatch("numeric (int or float)", value),
            _ => self.mismatch("boolean", value),
        }
    }

    fn leaf(&mut self) {
        self.set.insert(&self.path);
    }

    fn mismatch(&mut self, expected: &str, value: &Value) {
        let got = match value {
            Value::Null => return,
            Value::Bool(_) => "boolean".to_owned(),
            Value::Number(_) => "number".to_owned(),
            Value::String(_) => "string".to_owned(),
            Value::Array(_) => "&value.listUnstructured{}".to_owned(),
            Value::Object(_) => "map".to_owned(),
        };
        self.fail(None, &format!("expected {expected}, got {got}"));
    }

    fn fail(&mut self, field: Option<&str>, problem: &str) {
        let path: String = self
            .path
            .iter()
            .map(|element| element::display(element))
            .collect();
        let field = field.map(|name| format!(".{name}")).unwrap_or_default();
        self.errors.push(format!("{path}{field}: {problem}"));
    }
}
