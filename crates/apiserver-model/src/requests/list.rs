//! Get and list.

use std::sync::Arc;

use serde_json::{Value, json};

use super::{Call, Target};
use crate::failure::Failure;
use crate::faults::Fault;
use crate::selector::Selector;
use crate::state::State;
use crate::store::Key;

/// One object.
pub(super) fn get(state: &State, call: &Call, target: &Target) -> Result<Value, Failure> {
    if call.fault == Some(Fault::Other)
        && let Some(other) = another(state, target)
    {
        return Ok((*other).clone());
    }
    let revision = revision_of_read(state, call);
    if revision == state.store.revision() {
        return state.live(target).map(|object| (*object).clone());
    }
    let (kind, wanted) = (&target.kind, target.key());
    state
        .store
        .list_at(&kind.group, &kind.resource, &target.namespace, revision)
        .into_iter()
        .find(|(key, _)| *key == wanted)
        .map(|(_, object)| (*object).clone())
        .ok_or_else(|| Failure::not_found(kind, &target.name))
}

/// The next object of the same kind and namespace, by name.
fn another(state: &State, target: &Target) -> Option<Arc<Value>> {
    let (kind, asked) = (&target.kind, target.key());
    let all = state
        .store
        .list(&kind.group, &kind.resource, &target.namespace);
    let is_later = |(key, _): &&(Key, Arc<Value>)| key.name > asked.name;
    let others = || all.iter().filter(|(key, _)| *key != asked);
    let found = others().find(is_later).or_else(|| others().next());
    found.map(|(_, object)| Arc::clone(object))
}

/// The revision that a read shows: the newest, unless the client takes an older one and gets it.
fn revision_of_read(state: &State, call: &Call) -> u64 {
    let newest = state.store.revision();
    match (
        &call.fault,
        call.parameter("resourceVersion").parse::<u64>(),
    ) {
        (Some(Fault::Stale(writes)), Ok(least)) => newest.saturating_sub(*writes).max(least),
        _ => newest,
    }
}

/// The objects that a list or watch starts with.
pub(super) fn selected(state: &State, call: &Call, target: &Target) -> Vec<(Key, Arc<Value>)> {
    let selector = Selector::parse(
        call.parameter("labelSelector"),
        call.parameter("fieldSelector"),
    );
    let (kind, revision) = (&target.kind, revision_of_read(state, call));
    let mut found = if revision == state.store.revision() {
        state
            .store
            .list(&kind.group, &kind.resource, &target.namespace)
    } else {
        state
            .store
            .list_at(&kind.group, &kind.resource, &target.namespace, revision)
    };
    found.retain(|(_, object)| selector.matches(object));
    found
}

/// A list, in pages if asked for.
pub(super) fn list(state: &State, call: &Call, target: &Target) -> Result<Value, Failure> {
    let found = selected(state, call, target);
    let (revision, start) = match call.parameter("continue") {
        "" => (revision_of_read(state, call), None),
        token => {
            let (revision, key) = parse_token(token)?;
            if revision < state.store.compacted() {
                // apiserver, pkg/storage/etcd3/errors.go, `continueExpired`.
                return Err(Failure::expired(
                    "The provided continue parameter is too old to display a consistent list result. You can start a new \
                     list without the continue parameter.",
                ));
            }
            (revision, Some(key))
        }
    };
    let rest: Vec<_> = found
        .iter()
        .filter(|(key, _)| start.as_ref().is_none_or(|start| place(key) > *start))
        .collect();
    let limit = call
        .parameter("limit")
        .parse::<usize>()
        .ok()
        .filter(|limit| *limit > 0)
        .unwrap_or(usize::MAX);
    let page: Vec<Value> = rest
        .iter()
        .take(limit)
        .map(|(_, object)| item(object))
        .collect();
    let mut metadata = json!({ "resourceVersion": revision.to_string() });
    if rest.len() > page.len() {
        let last = &rest[page.len() - 1].0;
        metadata["continue"] = format!("{revision}:{}", place(last)).into();
        metadata["remainingItemCount"] = (rest.len() - page.len()).into();
    }
    let kind = format!("{}List", target.kind.name);
    Ok(
        json!({ "kind": kind, "apiVersion": target.kind.api_version(), "metadata": metadata, "items": page }),
    )
}

/// Items of typed lists come without their kind, as a real server sends them.
fn item(object: &Value) -> Value {
    let mut object = object.clone();
    if let Some(map) = object.as_object_mut() {
        map.shift_remove("kind");
        map.shift_remove("apiVersion");
    }
    object
}

fn place(key: &Key) -> String {
    format!("{}/{}", key.namespace, key.name)
}

fn parse_token(token: &str) -> Result<(u64, String), Failure> {
    let parsed = token
        .split_once(':')
        .and_then(|(revision, key)| Some((revision.parse().ok()?, key.to_owned())));
    parsed.ok_or_else(|| Failure::bad_request("continue key is not valid"))
}
