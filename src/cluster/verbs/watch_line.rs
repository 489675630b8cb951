//! The lines of a watch stream, and what they say of an object without its type.

use serde::Deserialize;
use serde_json::Value;

use super::super::error::ClusterError;
use super::super::request::decode::{self, Page};
use super::discovery::ResourceKind;

/// The effect of a line of a stream on the set.
pub(crate) enum Effect {
    /// The set is another one now.
    Changed,
    /// Nothing is new.
    Nothing,
    /// The stream is of no use any more.
    Lost,
}

/// One line.
#[derive(Deserialize)]
pub(crate) struct WatchLine {
    #[serde(rename = "type")]
    pub(crate) kind: String,
    pub(crate) object: Value,
}

pub(crate) fn uid_of(object: &Value) -> &str {
    object["metadata"]["uid"].as_str().unwrap_or_default()
}

pub(crate) fn key(object: &Value) -> (String, String) {
    let metadata = &object["metadata"];
    let text = |field: &str| metadata[field].as_str().unwrap_or_default().to_owned();
    (text("namespace"), text("name"))
}

/// Whether an event is not newer than what was seen before: it came twice or late, and would bring an
/// old state back. Versions of Kubernetes' own kinds grow and can be compared (KEP-5504); of others
/// nothing is known.
pub(crate) fn is_stale(version: &str, seen: &str) -> bool {
    if version.is_empty() {
        return true;
    }
    match (version.parse::<u64>(), seen.parse::<u64>()) {
        (Ok(version), Ok(seen)) => version <= seen,
        _ => false,
    }
}

/// A list that a watch can go on from.
pub(crate) fn versioned_page(
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

pub(crate) fn version_of(object: &Value) -> &str {
    object["metadata"]["resourceVersion"]
        .as_str()
        .unwrap_or_default()
}
