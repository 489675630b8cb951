//! The values of `Secret` objects: which fields hold them, and texts without them.

use std::collections::BTreeSet;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

/// The annotation in which `kubectl apply` keeps a copy of the whole object.
pub const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// What stands in the place of a value.
const HIDDEN: &str = "***";

/// A shorter value is only hidden where it is a word by itself: everything contains an `a`.
const SHORTEST_PART: usize = 8;

/// Whether an object is a Secret of Kubernetes itself.
#[must_use]
pub fn is_secret(object: &Value) -> bool {
    object["kind"] == "Secret" && object["apiVersion"].as_str().unwrap_or("v1") == "v1"
}

/// Whether a field of a Secret holds values: every one but those that never do, since a misspelt field
/// holds them as well.
#[must_use]
pub fn holds_values(field: &str) -> bool {
    !matches!(
        field,
        "apiVersion" | "kind" | "metadata" | "type" | "immutable"
    )
}

/// The values of a Secret, to be taken out of what is said about it.
#[derive(Clone, Default)]
pub struct SecretValues {
    /// Whether there is a Secret at all.
    is_secret: bool,
    /// In every form in which they could be repeated.
    forms: BTreeSet<String>,
}

impl SecretValues {
    /// The values in a request for a Secret, by its path; those of any other request are none.
    #[must_use]
    pub fn of_request(path: &str, body: &[u8]) -> Self {
        let parts: Vec<&str> = path.split('/').collect();
        let is_secret = matches!(
            parts.as_slice(),
            ["", "api", "v1", "namespaces", _, "secrets", ..]
        );
        if !is_secret {
            return Self::default();
        }
        match serde_json::from_slice(body) {
            Ok(object) => Self::of(&object),
            Err(_) => Self {
                is_secret,
                ..Self::default()
            },
        }
    }

    /// The values of a Secret.
    #[must_use]
    pub fn of(secret: &Value) -> Self {
        let mut values = Self {
            is_secret: true,
            ..Self::default()
        };
        values.collect(secret);
        let last_applied = secret["metadata"]["annotations"][LAST_APPLIED].as_str();
        if let Some(text) = last_applied {
            values.note(text);
            if let Ok(object) = serde_json::from_str(text) {
                values.collect(&object);
            }
        }
        values
    }

    fn collect(&mut self, secret: &Value) {
        for (field, value) in secret.as_object().into_iter().flatten() {
            if holds_values(field) {
                self.scalars(value);
            }
        }
    }

    fn scalars(&mut self, value: &Value) {
        match value {
            Value::Null => {}
            Value::Object(fields) => fields.values().for_each(|value| self.scalars(value)),
            Value::Array(items) => items.iter().for_each(|value| self.scalars(value)),
            Value::String(text) => self.note(text),
            other => self.note(&other.to_string()),
        }
    }

    /// Notes a value as it is, encoded, decoded, quoted, and line by line.
    fn note(&mut self, text: &str) {
        let decoded = STANDARD.decode(text.trim()).ok();
        let decoded = decoded.and_then(|bytes| String::from_utf8(bytes).ok());
        for text in decoded.into_iter().chain([text.to_owned()]) {
            self.forms.insert(STANDARD.encode(&text));
            let quoted = Value::from(text.as_str()).to_string();
            self.forms.insert(quoted[1..quoted.len() - 1].to_owned());
            self.forms
                .extend(text.lines().map(|line| line.trim().to_owned()));
            self.forms.insert(text);
        }
        self.forms.remove("");
    }

    /// A text without the values.
    ///
    /// What an API server has "got" in the place of what it expected is a value too, perhaps in a form
    /// of its own: a number in another notation, a list as Go writes it.
    #[must_use]
    pub fn hide(&self, text: String) -> String {
        if !self.is_secret {
            return text;
        }
        let mut text = text
            .lines()
            .map(|line| match line.split_once(" got ") {
                Some((before, _)) => format!("{before} got {HIDDEN}"),
                None => line.to_owned(),
            })
            .collect::<Vec<_>>()
            .join("\n");
        // The longest first: a value may be a part of another one.
        let mut forms: Vec<&String> = self.forms.iter().collect();
        forms.sort_by_key(|form| std::cmp::Reverse(form.len()));
        for form in forms {
            text = without(&text, form);
        }
        text
    }
}

fn without(text: &str, value: &str) -> String {
    let mut rest = text;
    let mut shown = String::new();
    while let Some(at) = rest.find(value) {
        let (before, after) = (&rest[..at], &rest[at + value.len()..]);
        let is_part = |neighbour: Option<char>| neighbour.is_some_and(char::is_alphanumeric);
        let last = before.chars().next_back().or(shown.chars().next_back());
        shown.push_str(before);
        if value.len() < SHORTEST_PART && (is_part(last) || is_part(after.chars().next())) {
            shown.push_str(value);
        } else {
            shown.push_str(HIDDEN);
        }
        rest = after;
    }
    shown.push_str(rest);
    shown
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn values_are_hidden_in_every_form() {
        let secret = json!({
            "kind": "Secret",
            "metadata": {"name": "db", "annotations": {LAST_APPLIED: r#"{"data":{"old":"b2xkZXItcGFzcw=="}}"#}},
            "type": "Opaque",
            "data": {"encoded": "aHVudGVyMi1odW50ZXIy"},
            "stringData": {"plain": "say \"friend\"", "lines": "first-line\nsecond-line", "list": ["in-a-list"], "pin": 4711},
            "stringdata": {"misspelt": "all-the-same"},
        });
        let values = SecretValues::of(&secret);
        for text in [
            "hunter2-hunter2",
            "aHVudGVyMi1odW50ZXIy",
            r#"say "friend""#,
            r#"say \"friend\""#,
            "second-line",
            r"first-line\nsecond-line",
            "in-a-list",
            "4711",
            "all-the-same",
            "older-pass",
            "b2xkZXItcGFzcw==",
        ] {
            let shown = values.hide(format!("Invalid value: {text}: is wrong"));
            assert_eq!(shown, "Invalid value: ***: is wrong");
        }
    }

    #[test]
    fn what_was_got_is_hidden_in_whatever_form_it_comes() {
        let secret = json!({"kind": "Secret", "stringData": {"a": 12_345_678.0}});
        let text =
            ".stringData.a: expected string, got &value.valueUnstructured{Value:1.2345678e+07}";
        let shown = SecretValues::of(&secret).hide(text.to_owned());
        assert_eq!(shown, ".stringData.a: expected string, got ***");
    }

    #[test]
    fn a_short_value_leaves_words_alone() {
        let values = SecretValues::of(&json!({"kind": "Secret", "data": {"x": "is"}}));
        let shown = values.hide("this is invalid: is".to_owned());
        assert_eq!(shown, "this *** invalid: ***");
    }

    #[test]
    fn only_requests_for_secrets_hide_anything() {
        let body = br#"{"kind": "Secret", "stringData": {"a": "a-long-password"}}"#;
        let hide = |path| SecretValues::of_request(path, body).hide("a-long-password".to_owned());
        assert_eq!(hide("/api/v1/namespaces/shop/secrets/db"), "***");
        assert_eq!(hide("/api/v1/namespaces/shop/secrets"), "***");
        assert_eq!(
            hide("/api/v1/namespaces/shop/configmaps/secrets"),
            "a-long-password"
        );
    }
}
