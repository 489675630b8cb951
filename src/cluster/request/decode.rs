//! Reads answers, and takes nothing for what it is not: a `Status`, a page of a proxy or another
//! object in place of an answer must never look like "nothing is there".

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{APIGroupList, APIResourceList};
use kube::core::Status;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::super::error::ClusterError;
use super::super::verbs::deletion::Deletion;
use super::super::verbs::discovery::ResourceKind;
use super::failure;
use crate::json::{JsonError, from_slice, from_value};
use crate::object::is_built_in_group;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Head {
    api_version: String,
    kind: String,
    metadata: Name,
}

#[derive(Deserialize)]
struct Name {
    name: String,
}

/// One page of a list.
pub(crate) struct Page<T> {
    pub(crate) items: Vec<T>,
    pub(crate) version: String,
    /// What the next page is asked for with; empty on the last one.
    pub(crate) rest: String,
    /// The bytes that it came in.
    pub(crate) size: usize,
}

/// A list as every kind has it.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct List<T> {
    api_version: String,
    kind: String,
    metadata: ListMeta,
    /// Go writes an empty list as `null`, too.
    items: Option<Vec<T>>,
}

/// The answers of the API server take more memory than the run has left.
pub(crate) fn no_room() -> ClusterError {
    ClusterError::TooLarge {
        what: "more than this run may keep in memory",
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ListMeta {
    #[serde(default)]
    resource_version: String,
    #[serde(default, rename = "continue")]
    rest: String,
    #[serde(default)]
    remaining_item_count: i64,
}

fn refused(error: JsonError) -> ClusterError {
    match error {
        JsonError::Unreadable(error) => ClusterError::Undecodable {
            reason: failure::position(&error),
        },
        JsonError::NoRoom => no_room(),
    }
}

/// What a part of an answer says, decoded as what it is to be.
pub(crate) fn value<T: DeserializeOwned>(value: Value) -> Result<T, ClusterError> {
    from_value(value).map_err(refused)
}

/// JSON of a known form.
pub(crate) fn json<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, ClusterError> {
    from_slice(bytes).map_err(refused)
}

/// The object that was asked for.
pub(crate) fn object<T: DeserializeOwned>(
    bytes: &[u8],
    kind: &ResourceKind,
    name: &str,
) -> Result<T, ClusterError> {
    let head: Head = json(bytes)?;
    let resource = &kind.resource;
    let is_kind = head.kind == resource.kind && head.api_version == resource.api_version;
    if !is_kind || head.metadata.name != name {
        return Err(not_asked_for("object"));
    }
    json(bytes)
}

fn not_asked_for(what: &str) -> ClusterError {
    ClusterError::Undecodable {
        reason: format!("it is not the {what} that was asked for"),
    }
}

/// A page of a list. Kinds that Kubernetes does not define itself may name their lists as they like
/// (`spec.names.listKind` of a definition).
pub(crate) fn page<T: DeserializeOwned>(
    bytes: &[u8],
    kind: &ResourceKind,
) -> Result<Page<T>, ClusterError> {
    let list: List<T> = json(bytes)?;
    let resource = &kind.resource;
    let is_kind = match list.kind.strip_suffix("List") {
        Some(of) => of == resource.kind || !is_built_in_group(&resource.group),
        None => false,
    };
    if !is_kind || list.api_version != resource.api_version {
        return Err(not_asked_for("list"));
    }
    let ListMeta {
        resource_version,
        rest,
        remaining_item_count,
    } = list.metadata;
    if rest.is_empty() && remaining_item_count > 0 {
        return Err(ClusterError::Undecodable {
            reason: format!(
                "the list lacks {remaining_item_count} objects and does not say how to get them"
            ),
        });
    }
    Ok(Page {
        items: list.items.unwrap_or_default(),
        version: resource_version,
        rest,
        size: bytes.len(),
    })
}

/// Which kinds a group version has. A version that Kubernetes defines itself has some.
pub(crate) fn resources(
    bytes: &[u8],
    group_version: &str,
) -> Result<APIResourceList, ClusterError> {
    let list: APIResourceList = of_kind(bytes, "APIResourceList", "list of kinds")?;
    let group = group_version.split_once('/').map_or("", |(group, _)| group);
    let is_empty = list.resources.is_empty() && is_built_in_group(group);
    if list.group_version != group_version || is_empty {
        return Err(not_asked_for("list of kinds"));
    }
    Ok(list)
}

/// Which groups there are.
pub(crate) fn groups(bytes: &[u8]) -> Result<APIGroupList, ClusterError> {
    of_kind(bytes, "APIGroupList", "list of groups")
}

/// A document that calls itself by its kind.
pub(crate) fn of_kind<T: DeserializeOwned>(
    bytes: &[u8],
    kind: &str,
    what: &str,
) -> Result<T, ClusterError> {
    let document: Value = json(bytes)?;
    if document["kind"] != kind {
        return Err(not_asked_for(what));
    }
    json(bytes)
}

/// Why the API server refused, when it is an API server that speaks: a page of something in between
/// is no `Status`, and its text is not ours to repeat.
pub(crate) fn status(bytes: &[u8]) -> Option<Status> {
    let document: Value = from_slice(bytes).ok()?;
    let is_status = document["kind"] == "Status" && document["apiVersion"] == "v1";
    is_status.then(|| from_value(document).ok()).flatten()
}

/// That a deletion or an eviction was accepted: the object itself as it goes, or a success that names
/// no other object. One that names this object says that it is gone (`k8s.io/apiserver`
/// `pkg/registry/generic/registry/store.go`, `finalizeDelete`).
pub(crate) fn accepted(bytes: &[u8], uid: &str) -> Result<Deletion, ClusterError> {
    let answer: Value = json(bytes)?;
    if answer["kind"] == "Status" && answer["status"] == "Success" {
        match answer["details"]["uid"].as_str() {
            Some(named) if named == uid => return Ok(Deletion::Gone),
            None => return Ok(Deletion::Accepted),
            Some(_) => {}
        }
    } else if answer["metadata"]["uid"] == uid {
        return Ok(Deletion::Accepted);
    }
    Err(ClusterError::Undecodable {
        reason: "it does not say that the object was deleted".to_owned(),
    })
}
