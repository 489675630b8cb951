//! The history of a `StatefulSet`: `pkg/controller/history`, and `getStatefulSetRevisions` in `stateful_set_control.go`.

use std::sync::Arc;

use serde_json::{Value, json};

use super::MANAGER;
use crate::object::{self, number, text};
use crate::state::State;
use crate::store::Key;

/// The names of the current and of the update revision.
pub(super) struct Revisions {
    pub(super) current: String,
    pub(super) update: String,
}

/// Finds or makes the revision of the set's template.
pub(super) fn of_set(state: &mut State, set: &Value) -> Revisions {
    let history = history(state, set);
    let template = data(set);
    let newest = history
        .last()
        .map_or(0, |revision| number(revision, "/revision").unwrap_or(0));
    let equal = history
        .iter()
        .rev()
        .find(|revision| revision["data"] == template);
    let update = match equal {
        Some(revision) if number(revision, "/revision") == Some(newest) => {
            object::name(revision).to_owned()
        }
        Some(revision) => {
            // A roll-back: the old revision becomes the newest.
            let key = key(set, object::name(revision));
            state.change(&key, MANAGER, None, |revision| {
                object::set(revision, "/revision", newest + 1);
            });
            object::name(revision).to_owned()
        }
        None => create(state, set, &template, newest + 1),
    };
    let current = text(set, "/status/currentRevision");
    let current = if current.is_empty() {
        update.clone()
    } else {
        current.to_owned()
    };
    Revisions { current, update }
}

/// The set as a revision has it.
pub(super) fn template_of(state: &State, set: &Value, revision: &str) -> Value {
    let found = state.store.get(&key(set, revision));
    let template = found.and_then(|found| found.pointer("/data/spec/template").cloned());
    let mut template = template.unwrap_or_else(|| set["spec"]["template"].clone());
    if let Some(map) = template.as_object_mut() {
        map.shift_remove("$patch");
    }
    template
}

/// Removes the oldest revisions that no pod lives by.
pub(super) fn truncate(state: &mut State, set: &Value, live: &[&str]) {
    let limit =
        usize::try_from(number(set, "/spec/revisionHistoryLimit").unwrap_or(10)).unwrap_or(0);
    let unused: Vec<String> = history(state, set)
        .iter()
        .map(|revision| object::name(revision).to_owned())
        .filter(|name| !live.contains(&name.as_str()))
        .collect();
    for name in unused.iter().take(unused.len().saturating_sub(limit)) {
        state.store.remove(&key(set, name));
    }
}

fn history(state: &State, set: &Value) -> Vec<Arc<Value>> {
    let all = state
        .store
        .list("apps", "controllerrevisions", object::namespace(set))
        .into_iter();
    let mut own: Vec<Arc<Value>> = all
        .map(|(_, revision)| revision)
        .filter(|revision| {
            object::controller(revision).is_some_and(|owner| owner["uid"] == object::uid(set))
        })
        .collect();
    own.sort_by_key(|revision| number(revision, "/revision"));
    own
}

/// `getPatch` in `stateful_set_utils.go`.
fn data(set: &Value) -> Value {
    let mut template = set["spec"]["template"].clone();
    object::set(&mut template, "/$patch", "replace");
    json!({ "spec": { "template": template } })
}

fn create(state: &mut State, set: &Value, data: &Value, number: i64) -> String {
    let hash = hash(data);
    let name = format!("{}-{hash}", object::name(set));
    let mut labels = set["spec"]["template"]["metadata"]["labels"].clone();
    object::set(&mut labels, "/controller.kubernetes.io~1hash", hash);
    let revision = json!({
        "metadata": {
            "name": name, "namespace": object::namespace(set), "labels": labels,
            "ownerReferences": [super::stateful_set::owner_reference(set)],
        },
        "data": data,
        "revision": number,
    });
    state.create_as(MANAGER, "apps", "controllerrevisions", revision);
    name
}

fn key(set: &Value, name: &str) -> Key {
    Key::of("apps", "controllerrevisions", object::namespace(set), name)
}

/// FNV-1a, printed as `rand.SafeEncodeString` prints it; the value is not the one of a real cluster, its form is.
fn hash(data: &Value) -> String {
    let text = data.to_string();
    let hash = text.bytes().fold(0x811c_9dc5_u32, |hash, byte| {
        (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)
    });
    let alphabet = b"bcdfghjklmnpqrstvwxz2456789";
    hash.to_string()
        .bytes()
        .map(|digit| char::from(alphabet[usize::from(digit) % alphabet.len()]))
        .collect()
}
