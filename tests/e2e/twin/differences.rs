//! Where `cryptoctl` differs from `kubectl apply --server-side` on purpose: each function makes of a manifest the one
//! with which kubectl does the same.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use super::path::Path;

/// The `stringData` of a Secret is sent as `data`, as the API server stores it: nothing is an empty text.
pub(super) fn string_data_is_data(manifest: &mut Value) {
    let Some(fields) = manifest.as_object_mut() else {
        return;
    };
    let texts = fields.remove("stringData").unwrap_or_default();
    for (name, text) in texts.as_object().into_iter().flatten() {
        let text = STANDARD.encode(text.as_str().unwrap_or_default());
        manifest["data"][name.as_str()] = text.into();
    }
}

/// Fields that are the same once the API server has set its defaults are no conflict: they are sent with their live
/// values, so that both managers own them. An empty map or list that is not stored is left out.
pub(super) fn equal_fields_are_shared(manifest: &mut Value, equal: &[Path], live: &Value) {
    for path in equal {
        path.remove_alone(manifest);
        if let Some(value) = path.get(live) {
            path.put(manifest, value.clone());
        }
    }
}

/// What `--yield` names is left out.
pub(super) fn yielded_fields_are_left_out(manifest: &mut Value, yielded: &[Path]) {
    for path in yielded {
        path.remove(manifest);
    }
}
