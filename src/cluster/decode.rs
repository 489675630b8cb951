//! Reads answers, and takes nothing for what it is not: a `Status`, a page of a proxy or another
//! object in place of an answer must never look like "nothing is there".

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::discovery::ResourceKind;
use super::error::ClusterError;
use super::failure;

#[derive(Deserialize)]
struct Head {
    kind: String,
    metadata: Name,
}

#[derive(Deserialize)]
struct Name {
    name: String,
}

/// A list as every kind has it.
#[derive(Deserialize)]
struct List<T> {
    kind: String,
    metadata: Version,
    /// Go writes an empty list as `null`, too.
    items: Option<Vec<T>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Version {
    #[serde(default)]
    resource_version: String,
}

/// JSON of a known form.
pub(super) fn json<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, ClusterError> {
    serde_json::from_slice(bytes).map_err(|error| ClusterError::Undecodable {
        reason: failure::position(&error),
    })
}

/// The object that was asked for.
pub(super) fn object<T: DeserializeOwned>(
    bytes: &[u8],
    kind: &ResourceKind,
    name: &str,
) -> Result<T, ClusterError> {
    let head: Head = json(bytes)?;
    if head.kind != kind.resource.kind || head.metadata.name != name {
        return Err(ClusterError::Undecodable {
            reason: "it is not the object that was asked for".to_owned(),
        });
    }
    json(bytes)
}

/// The items of a list, and its version.
pub(super) fn list<T: DeserializeOwned>(bytes: &[u8]) -> Result<(Vec<T>, String), ClusterError> {
    let not_a_list = || ClusterError::Undecodable {
        reason: "it is not the list that was asked for".to_owned(),
    };
    let list: List<T> = json(bytes)?;
    if !list.kind.ends_with("List") {
        return Err(not_a_list());
    }
    Ok((
        list.items.unwrap_or_default(),
        list.metadata.resource_version,
    ))
}

/// That a deletion or an eviction was accepted: the object itself as it goes, or a success that names
/// no other object (`k8s.io/apiserver` `pkg/endpoints/handlers/delete.go`).
pub(super) fn accepted(bytes: &[u8], uid: &str) -> Result<(), ClusterError> {
    let answer: Value = json(bytes)?;
    let is_success = answer["kind"] == "Status" && answer["status"] == "Success";
    let named = if is_success {
        answer["details"]["uid"].as_str().unwrap_or(uid)
    } else {
        answer["metadata"]["uid"].as_str().unwrap_or_default()
    };
    if named == uid {
        return Ok(());
    }
    Err(ClusterError::Undecodable {
        reason: "it does not say that the object was deleted".to_owned(),
    })
}
