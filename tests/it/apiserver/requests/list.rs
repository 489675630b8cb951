//! Get and list.

use std::sync::Arc;

use serde_json::{Value, json};

use super::{Call, Target};
use crate::apiserver::failure::Failure;
use crate::apiserver::selector::Selector;
use crate::apiserver::state::State;
use crate::apiserver::store::Key;

/// One object.
pub(super) fn get(state: &State, target: &Target) -> Result<Value, Failure> {
    state.live(target).map(|object| (*object).clone())
}

/// The objects that a list or watch starts with.
pub(super) fn selected(state: &State, call: &Call, target: &Target) -> Vec<(Key, Arc<Value>)> {
    let selector = Selector::parse(
        call.parameter("labelSelector"),
        call.parameter("fieldSelector"),
    );
    let mut found = state
        .store
        .list(&target.kind.group, &target.kind.resource, &target.namespace);
    found.retain(|(_, object)| selector.matches(object));
    found
}

/// A list, in pages if asked for.
pub(super) fn list(state: &State, call: &Call, target: &Target) -> Result<Value, Failure> {
    let found = selected(state, call, target);
    let (revision, start) = match call.parameter("continue") {
        "" => (state.store.revision(), None),
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
