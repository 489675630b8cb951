//! The paths in which the API server names fields, as in `.spec.containers[name="api"].image`.

use serde_json::{Map, Value, json};

/// One element of a path.
#[derive(Debug, Clone, PartialEq)]
enum Element {
    Field(String),
    /// The item of a list with these keys.
    Keys(Map<String, Value>),
    /// The item of a list that is this value.
    Item(Value),
}

impl Element {
    /// Whether it means an item of a list. A port without a protocol is one of TCP.
    fn is(&self, item: &Value) -> bool {
        match self {
            Self::Field(_) => false,
            Self::Keys(keys) => keys.iter().all(|(key, value)| {
                let is_default = key == "protocol" && item.get(key).is_none() && value == "TCP";
                is_default || item.get(key) == Some(value)
            }),
            Self::Item(value) => item == value,
        }
    }

    /// What an item is made of.
    fn new_item(&self) -> Value {
        match self {
            Self::Field(_) => Value::Null,
            Self::Keys(keys) => Value::Object(keys.clone()),
            Self::Item(value) => value.clone(),
        }
    }

    fn place(&self, items: &Value) -> Option<usize> {
        items.as_array()?.iter().position(|item| self.is(item))
    }

    fn get<'a>(&self, around: &'a Value) -> Option<&'a Value> {
        match self {
            Self::Field(name) => around.get(name),
            _ => around.get(self.place(around)?),
        }
    }

    fn get_mut<'a>(&self, around: &'a mut Value) -> Option<&'a mut Value> {
        match self {
            Self::Field(name) => around.get_mut(name),
            _ => around.get_mut(self.place(around)?),
        }
    }

    fn remove(&self, around: &mut Value) {
        let place = self.place(around);
        match (self, around) {
            (Self::Field(name), Value::Object(fields)) => {
                fields.shift_remove(name);
            }
            (_, Value::Array(items)) => {
                place.map(|place| items.remove(place));
            }
            _ => {}
        }
    }
}

/// The path of a field.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Path(Vec<Element>);

impl Path {
    /// Reads a path; no name in it has a dot.
    pub(super) fn new(text: &str) -> Self {
        let mut elements = Vec::new();
        let mut rest = text;
        while !rest.is_empty() {
            let element;
            (element, rest) = if let Some(name) = rest.strip_prefix('.') {
                let end = name.find(['.', '[']).unwrap_or(name.len());
                (Element::Field(name[..end].to_owned()), &name[end..])
            } else {
                let (item, rest) = rest[1..].split_once(']').unwrap();
                (item_element(item), rest)
            };
            elements.push(element);
        }
        Self(elements)
    }

    /// Whether it ends at a field of a map.
    pub(super) fn is_field(&self) -> bool {
        matches!(self.0.last(), Some(Element::Field(_)))
    }

    /// The value at this path.
    pub(super) fn get<'a>(&self, object: &'a Value) -> Option<&'a Value> {
        let mut elements = self.0.iter();
        elements.try_fold(object, |around, element| element.get(around))
    }

    /// Puts a value at this path, into what is there.
    pub(super) fn put(&self, object: &mut Value, value: Value) {
        put(object, &self.0, value);
    }

    /// Removes the value, and what becomes empty around it.
    pub(super) fn remove(&self, object: &mut Value) {
        remove(object, &self.0, true);
    }

    /// Removes the value and nothing around it.
    pub(super) fn remove_alone(&self, object: &mut Value) {
        remove(object, &self.0, false);
    }
}

/// The item of a list: `="value"`, or keys as in `port=80,protocol="TCP"`.
fn item_element(text: &str) -> Element {
    if let Some(value) = text.strip_prefix('=') {
        return Element::Item(value.parse().unwrap());
    }
    let pairs = text.split(',').map(|pair| pair.split_once('=').unwrap());
    Element::Keys(
        pairs
            .map(|(key, value)| (key.to_owned(), value.parse().unwrap()))
            .collect(),
    )
}

fn put(around: &mut Value, path: &[Element], value: Value) {
    match path.split_first() {
        None => merge(around, value),
        Some((Element::Field(name), rest)) => {
            if !around.is_object() {
                *around = json!({});
            }
            put(&mut around[name.as_str()], rest, value);
        }
        Some((item, rest)) => {
            let mut items = around.as_array().cloned().unwrap_or_default();
            let place = item.place(around).unwrap_or(items.len());
            if place == items.len() {
                items.push(item.new_item());
            }
            put(&mut items[place], rest, value);
            *around = items.into();
        }
    }
}

/// Puts a value into another: the fields of two maps stand side by side.
fn merge(around: &mut Value, value: Value) {
    match (around, value) {
        (Value::Object(fields), Value::Object(more)) => {
            for (name, value) in more {
                merge(fields.entry(name).or_insert(Value::Null), value);
            }
        }
        (around, value) => *around = value,
    }
}

fn remove(around: &mut Value, path: &[Element], with_empty: bool) {
    let Some((first, rest)) = path.split_first() else {
        return;
    };
    let Some(next) = first.get_mut(around) else {
        return;
    };
    remove(next, rest, with_empty);
    let is_empty = *next == json!({}) || *next == json!([]);
    if rest.is_empty() || is_empty && with_empty {
        first.remove(around);
    }
}
