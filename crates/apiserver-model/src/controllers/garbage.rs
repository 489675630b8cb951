//! Garbage collection (kubernetes, pkg/controller/garbagecollector).

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::MANAGER;
use crate::object;
use crate::requests::delete_now;
use crate::state::State;
use crate::store::Key;

/// Deletes what lost its owners, and finishes orphaning and foreground deletions.
pub(super) fn reconcile(state: &mut State) {
    let mut dependents: BTreeMap<String, Vec<Key>> = BTreeMap::new();
    let mut alive = BTreeSet::new();
    let mut owned = Vec::new();
    let mut going = Vec::new();
    for (key, value) in state.store.all() {
        alive.insert(object::uid(value).to_owned());
        if object::items(value, "/metadata/ownerReferences")
            .next()
            .is_some()
        {
            owned.push((key.clone(), value.clone()));
        }
        if object::is_terminating(value) && object::has(value, "/metadata/finalizers") {
            going.push((key.clone(), value.clone()));
        }
    }
    for (key, value) in &owned {
        for owner in object::items(value, "/metadata/ownerReferences") {
            dependents
                .entry(object::text(owner, "/uid").to_owned())
                .or_default()
                .push(key.clone());
        }
        let orphaned = object::items(value, "/metadata/ownerReferences")
            .all(|owner| !alive.contains(object::text(owner, "/uid")));
        if orphaned && !object::is_terminating(value) {
            delete(state, key, "Background");
        }
    }
    for (key, value) in going {
        let below = dependents
            .get(object::uid(&value))
            .cloned()
            .unwrap_or_default();
        if has_finalizer(&value, "orphan") {
            for dependent in below {
                let gone = object::uid(&value).to_owned();
                state.change(&dependent, MANAGER, None, |dependent| {
                    let others = object::items(dependent, "/metadata/ownerReferences");
                    let others: Vec<Value> = others
                        .filter(|found| found["uid"] != gone.as_str())
                        .cloned()
                        .collect();
                    object::set(dependent, "/metadata/ownerReferences", others);
                });
            }
            finish(state, &key, "orphan");
        } else if has_finalizer(&value, "foregroundDeletion") {
            if below.is_empty() {
                finish(state, &key, "foregroundDeletion");
            }
            for dependent in below {
                let waiting = state
                    .store
                    .get(&dependent)
                    .is_some_and(|found| object::is_terminating(&found));
                if !waiting {
                    delete(state, &dependent, "Foreground");
                }
            }
        }
    }
}

fn has_finalizer(value: &Value, wanted: &str) -> bool {
    object::items(value, "/metadata/finalizers").any(|finalizer| finalizer == wanted)
}

fn finish(state: &mut State, key: &Key, finalizer: &str) {
    state.change(key, MANAGER, None, |object| {
        let rest =
            object::items(object, "/metadata/finalizers").filter(|found| *found != finalizer);
        let rest: Vec<Value> = rest.cloned().collect();
        object::set(object, "/metadata/finalizers", rest);
    });
}

fn delete(state: &mut State, key: &Key, policy: &str) {
    if let Some(kind) = state.kind(&key.group, &key.resource).cloned() {
        // Pods have no dependents; the real collector does not leave the finalizer on them for long either.
        let policy = if kind.is("", "pods") {
            "Background"
        } else {
            policy
        };
        delete_now(state, &kind, key, &json!({ "propagationPolicy": policy }));
    }
}
