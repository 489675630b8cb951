//! Label selectors and field selectors.

use std::collections::BTreeMap;

use serde_json::Value;

use super::object;

/// Which objects a request or a controller means.
#[derive(Debug, Clone, Default)]
pub(crate) struct Selector {
    labels: Vec<Requirement>,
    fields: Vec<Requirement>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Requirement {
    key: String,
    test: Test,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Test {
    In(Vec<String>),
    NotIn(Vec<String>),
    Exists,
    Missing,
}

impl Requirement {
    fn accepts(&self, value: Option<&str>) -> bool {
        match &self.test {
            Test::In(values) => value.is_some_and(|value| values.iter().any(|one| one == value)),
            Test::NotIn(values) => value.is_none_or(|value| values.iter().all(|one| one != value)),
            Test::Exists => value.is_some(),
            Test::Missing => value.is_none(),
        }
    }
}

impl Selector {
    /// From `labelSelector` and `fieldSelector` of a request.
    pub(crate) fn parse(labels: &str, fields: &str) -> Self {
        Self {
            labels: requirements(labels),
            fields: requirements(fields),
        }
    }

    /// From a `LabelSelector` in an object; an absent one selects nothing, an empty one everything.
    pub(crate) fn from_object(selector: Option<&Value>) -> Option<Self> {
        let selector = selector?;
        let mut labels: Vec<Requirement> = object::texts(selector, "/matchLabels")
            .into_iter()
            .map(|(key, value)| Requirement {
                key,
                test: Test::In(vec![value]),
            })
            .collect();
        for expression in object::items(selector, "/matchExpressions") {
            let values = object::items(expression, "/values")
                .filter_map(Value::as_str)
                .map(str::to_owned)
                .collect();
            let test = match object::text(expression, "/operator") {
                "In" => Test::In(values),
                "NotIn" => Test::NotIn(values),
                "Exists" => Test::Exists,
                _ => Test::Missing,
            };
            labels.push(Requirement {
                key: object::text(expression, "/key").to_owned(),
                test,
            });
        }
        Some(Self {
            labels,
            fields: Vec::new(),
        })
    }

    /// Whether an object is meant.
    pub(crate) fn matches(&self, object: &Value) -> bool {
        let labels: BTreeMap<String, String> = object::texts(object, "/metadata/labels");
        self.labels
            .iter()
            .all(|one| one.accepts(labels.get(&one.key).map(String::as_str)))
            && self.fields.iter().all(|one| {
                let pointer = format!("/{}", one.key.replace('.', "/"));
                // A selectable field that is absent counts as empty.
                one.accepts(Some(object::text(object, &pointer)))
            })
    }
}

fn requirements(text: &str) -> Vec<Requirement> {
    split(text)
        .into_iter()
        .map(|part| requirement(part.trim()))
        .collect()
}

/// Splits at commas outside of parentheses.
fn split(text: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let (mut depth, mut start) = (0, 0);
    for (index, character) in text.char_indices() {
        match character {
            '(' => depth += 1,
            ')' => depth -= 1,
            ',' if depth == 0 => {
                parts.push(&text[start..index]);
                start = index + 1;
            }
            _ => {}
        }
    }
    parts.push(&text[start..]);
    parts.retain(|part| !part.trim().is_empty());
    parts
}

fn requirement(text: &str) -> Requirement {
    let set = |values: &str| -> Vec<String> {
        values
            .trim()
            .trim_matches(['(', ')'])
            .split(',')
            .map(|value| value.trim().to_owned())
            .collect()
    };
    let (key, condition) = if let Some((key, values)) = text.split_once(" notin ") {
        (key, Test::NotIn(set(values)))
    } else if let Some((key, values)) = text.split_once(" in ") {
        (key, Test::In(set(values)))
    } else if let Some((key, value)) = text.split_once("!=") {
        (key, Test::NotIn(set(value)))
    } else if let Some((key, value)) = text.split_once("==").or_else(|| text.split_once('=')) {
        (key, Test::In(set(value)))
    } else if let Some(key) = text.strip_prefix('!') {
        (key, Test::Missing)
    } else {
        (text, Test::Exists)
    };
    Requirement {
        key: key.trim().to_owned(),
        test: condition,
    }
}
