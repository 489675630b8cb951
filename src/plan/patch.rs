//! A unified diff of two states of an object, as YAML with sorted keys.

use serde_json::Value;
use similar::TextDiff;

use super::{mask, normalise};
use crate::cluster::ResourceKind;
use crate::object::ObjectRef;

/// Lines of context around a change, as `diff -u` has it.
const CONTEXT: usize = 3;

/// The unified diff from live to planned; empty if the desired states are the same.
pub(super) fn unified(
    object: &ObjectRef,
    kind: &ResourceKind,
    live: Option<&Value>,
    planned: &Value,
) -> String {
    let mut planned = normalise::without_noise(planned, kind);
    let mut live = live.map(|live| normalise::without_noise(live, kind));
    mask::secrets(live.as_mut(), &mut planned);
    let before = live.as_ref().map(yaml).unwrap_or_default();
    let after = yaml(&planned);
    let name = match &object.namespace {
        Some(namespace) => format!("{namespace}/{object}"),
        None => object.to_string(),
    };
    TextDiff::from_lines(&before, &after)
        .unified_diff()
        .context_radius(CONTEXT)
        .header(&format!("live/{name}"), &format!("planned/{name}"))
        .to_string()
}

fn yaml(value: &Value) -> String {
    let sorted = sort_keys(value);
    // An object of JSON values can always be written as YAML; JSON is YAML too.
    serde_saphyr::to_string(&sorted).unwrap_or_else(|_| format!("{sorted:#}\n"))
}

fn sort_keys(value: &Value) -> Value {
    match value {
        Value::Object(fields) => {
            let mut fields: Vec<(&String, &Value)> = fields.iter().collect();
            fields.sort_by_key(|(key, _)| *key);
            fields
                .into_iter()
                .map(|(key, value)| (key.clone(), sort_keys(value)))
                .collect()
        }
        Value::Array(items) => items.iter().map(sort_keys).collect(),
        other => other.clone(),
    }
}
