//! Hides the values of Secrets, but shows whether they differ.

use serde_json::Value;

use crate::secret::{LAST_APPLIED, holds_values, is_secret};

/// Masks both sides of a comparison: equal values alike, different ones visibly different.
pub(super) fn secrets(live: Option<&mut Value>, planned: &mut Value) {
    let mut nothing = Value::Null;
    let live = live.unwrap_or(&mut nothing);
    if !is_secret(planned) && !is_secret(live) {
        return;
    }
    let (before, after) = (live.clone(), planned.clone());
    for (object, other, marker) in [
        (live, &after, "*** (before)"),
        (planned, &before, "*** (after)"),
    ] {
        for (field, value) in object.as_object_mut().into_iter().flatten() {
            if holds_values(field) {
                mask(value, other.get(field), marker);
            }
        }
        let annotations = other["metadata"]["annotations"].get(LAST_APPLIED);
        let kept = object
            .get_mut("metadata")
            .and_then(|metadata| metadata.get_mut("annotations")?.get_mut(LAST_APPLIED));
        if let Some(kept) = kept {
            mask_value(kept, annotations, marker);
        }
    }
}

/// Masks the values of a field, key by key; a field that is not a map is masked as a whole.
fn mask(field: &mut Value, other: Option<&Value>, marker: &str) {
    match field {
        Value::Object(values) => {
            for (key, value) in values {
                mask_value(value, other.and_then(|other| other.get(key)), marker);
            }
        }
        whole => mask_value(whole, other, marker),
    }
}

fn mask_value(value: &mut Value, other: Option<&Value>, marker: &str) {
    let differs = other.is_some_and(|other| other != value);
    *value = Value::from(if differs { marker } else { "***" });
}
