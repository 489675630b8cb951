//! The elements of a path, as the API server writes them in `managedFields`.

use std::fmt;

use serde_json::{Map, Value};

/// One step of a path (`sigs.k8s.io/structured-merge-diff` `fieldpath/element.go`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Element {
    /// A field of an object, or a key of a map.
    Field(String),
    /// The item of a list with these values in its key fields.
    Keys(Map<String, Value>),
    /// This very item of a list that is a set.
    Value(Value),
    /// The item at this place of a list.
    Index(usize),
}

impl Element {
    /// Reads an element of `fieldsV1`, such as `f:spec`; `None` for a form of a later version.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (form, content) = text.split_once(':')?;
        match form {
            "f" => Some(Self::Field(content.to_owned())),
            "k" => serde_json::from_str(content).ok().map(Self::Keys),
            "v" => serde_json::from_str(content).ok().map(Self::Value),
            "i" => content.parse().ok().map(Self::Index),
            _ => None,
        }
    }

    /// The element as `fieldsV1` has it.
    pub(super) fn in_fields(&self) -> String {
        match self {
            Self::Field(name) => format!("f:{name}"),
            Self::Keys(keys) => format!("k:{}", Value::Object(keys.clone())),
            Self::Value(value) => format!("v:{value}"),
            Self::Index(index) => format!("i:{index}"),
        }
    }

    /// The place of the item that this element means.
    pub(super) fn place_in(&self, items: &[Value]) -> Option<usize> {
        match self {
            Self::Field(_) => None,
            Self::Keys(keys) => items.iter().position(|item| {
                let has_keys = keys.keys().any(|key| item.get(key).is_some());
                has_keys
                    && keys.iter().all(|(key, value)| match item.get(key) {
                        Some(own) => own == value,
                        // The only key with a default in the built-in kinds is this one. The keys of other
                        // kinds may have any.
                        None => key != "protocol" || value == "TCP",
                    })
            }),
            Self::Value(value) => items.iter().position(|item| item == value),
            Self::Index(index) => (*index < items.len()).then_some(*index),
        }
    }
}

impl fmt::Display for Element {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Field(name) => write!(formatter, ".{name}"),
            Self::Keys(keys) => {
                let parts: Vec<String> = keys
                    .iter()
                    .map(|(key, value)| format!("{key}={value}"))
                    .collect();
                write!(formatter, "[{}]", parts.join(","))
            }
            Self::Value(value) => write!(formatter, "[={value}]"),
            Self::Index(index) => write!(formatter, "[{index}]"),
        }
    }
}

/// Where elements lead, whichever items of lists are on the way.
pub(super) fn place(elements: &[Element]) -> String {
    let text = |element: &Element| match element {
        Element::Field(name) => format!(".{name}"),
        _ => "[]".to_owned(),
    };
    elements.iter().map(text).collect()
}
