//! The YAML of an object with sorted keys, to be compared and shown.

use serde_json::Value;

pub(super) fn text(value: &Value) -> String {
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
