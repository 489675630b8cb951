//! The lines of a watch stream, and what they say of an object without its type.

use serde::Deserialize;
use serde_json::Value;

use super::decode::{self, Page};
use super::discovery::ResourceKind;
use super::error::ClusterError;

/// What a line of a stream came to.
pub(super) enum Taken {
    /// The set is another one now.
    Changed,
    /// Nothing is new.
    Nothing,
    /// The stream is of no use any more.
    Lost,
}

/// One line.
#[derive(Deserialize)]
pub(super) struct WatchLine {
    #[serde(rename = "type")]
    pub(super) kind: String,
    pub(super) object: Value,
}

pub(super) fn uid_of(object: &Value) -> &str {
    object["metadata"]["uid"].as_str().unwrap_or_default()
}

pub(super) fn key(object: &Value) -> (String, String) {
    let metadata = &object["metadata"];
    let text = |field: &str| metadata[field].as_str().unwrap_or_default().to_owned();
    (text("namespace"), text("name"))
}

/// Whether an event is not newer than what was seen before: it came twice or late, and would bring an
/// old state back. Versions of Kubernetes' own kinds grow and can be compared (KEP-5504); of others
/// nothing is known.
pub(super) fn is_stale(version: &str, seen: &str) -> bool {
    if version.is_empty() {
        return true;
    }
    match (version.parse::<u64>(), seen.parse::<u64>()) {
        (Ok(version), Ok(seen)) => version <= seen,
        _ => false,
    }
}

/// A list that a watch can go on from.
pub(super) fn versioned_page(
    bytes: &[u8],
    kind: &ResourceKind,
) -> Result<Page<Value>, ClusterError> {
    let page = decode::page(bytes, kind)?;
    if page.version.is_empty() {
        return Err(ClusterError::Undecodable {
            reason: "the list has no version".to_owned(),
        });
    }
    Ok(page)
}

pub(super) fn version_of(object: &Value) -> &str {
    object["metadata"]["resourceVersion"]
        .as_str()
        .unwrap_or_default()
}
