//! The `stringData` of a Secret as `data`, as the API server stores it.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use crate::secret::is_secret;

/// Moves each text of `stringData` to `data`, where it replaces the value of its key. Nothing is an empty text,
/// as it is to the API server.
///
/// The API server does so itself, but only after it has compared the owners of fields: a text in
/// `stringData` would replace the value of any manager, without a conflict. What is no text stays, for
/// the API server to refuse.
pub(crate) fn move_to_data(object: &mut Value) {
    let is_text = |value: &Value| value.is_string() || value.is_null();
    let texts = object["stringData"].as_object();
    let can_be_moved = texts.is_some_and(|texts| texts.values().all(is_text))
        && matches!(object["data"], Value::Null | Value::Object(_));
    if !is_secret(object) || !can_be_moved {
        return;
    }
    let Some(fields) = object.as_object_mut() else {
        return;
    };
    let texts = fields.shift_remove("stringData");
    let Some(Value::Object(texts)) = texts.filter(|texts| *texts != serde_json::json!({})) else {
        return;
    };
    let data = fields.entry("data").or_insert(Value::Null);
    for (key, text) in texts {
        data[key] = STANDARD.encode(text.as_str().unwrap_or_default()).into();
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn moved(fields: &Value) -> Value {
        let mut secret = json!({"apiVersion": "v1", "kind": "Secret"});
        for (name, value) in fields.as_object().unwrap() {
            secret[name] = value.clone();
        }
        move_to_data(&mut secret);
        let mut fields = secret.as_object().unwrap().clone();
        fields.shift_remove("apiVersion");
        fields.shift_remove("kind");
        Value::Object(fields)
    }

    #[test]
    fn a_text_replaces_the_value_of_its_key() {
        assert_eq!(
            moved(&json!({"stringData": {"a": "hi", "b": ""}, "data": {"a": "b2xk", "c": "Yw=="}})),
            json!({"data": {"a": "aGk=", "b": "", "c": "Yw=="}})
        );
        assert_eq!(
            moved(&json!({"stringData": {"a": "hi"}})),
            json!({"data": {"a": "aGk="}})
        );
        assert_eq!(moved(&json!({"stringData": {}})), json!({}));
    }

    #[test]
    fn nothing_is_an_empty_text() {
        assert_eq!(
            moved(&json!({"stringData": {"a": "hi", "b": null}, "data": {"b": "b2xk"}})),
            json!({"data": {"a": "aGk=", "b": ""}})
        );
    }

    #[test]
    fn what_is_no_text_is_left_to_the_api_server() {
        for fields in [
            json!({"stringData": {"a": 1}}),
            json!({"stringData": ["a"]}),
            json!({"stringData": {"a": "b"}, "data": "text"}),
            json!({"data": {"a": "aGk="}}),
        ] {
            assert_eq!(moved(&fields), fields);
        }
        let mut other = json!({"kind": "ConfigMap", "stringData": {"a": "b"}});
        let before = other.clone();
        move_to_data(&mut other);
        assert_eq!(other, before);
    }
}
