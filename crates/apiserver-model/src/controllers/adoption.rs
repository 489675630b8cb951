//! Objects without a controller that a `StatefulSet` takes over (kubernetes,
//! `pkg/controller/controller_ref_manager.go`, and `AdoptOrphanRevisions` in `stateful_set_control.go`).

use serde_json::Value;

use super::stateful_set::owner_reference;
use super::{MANAGER, replicas};
use crate::object;
use crate::selector::Selector;
use crate::state::State;

/// Makes a set the controller of the pods and revisions that match its selector and have none.
pub(super) fn adopt(state: &mut State, set: &Value) {
    let Some(selector) = Selector::from_object(set.pointer("/spec/selector")) else {
        return;
    };
    let namespace = object::namespace(set);
    let is_pod = |pod: &Value| {
        replicas::ordinal(object::name(set), pod).is_some() && !object::is_terminating(pod)
    };
    let pods = state.store.list("", "pods", namespace);
    let pods = pods.into_iter().filter(|(_, pod)| is_pod(pod));
    let revisions = state.store.list("apps", "controllerrevisions", namespace);
    let orphans: Vec<_> = pods
        .chain(revisions)
        .filter(|(_, found)| object::controller(found).is_none() && selector.matches(found))
        .map(|(key, _)| key)
        .collect();
    for key in orphans {
        state.change(&key, MANAGER, None, |orphan| {
            let owners = object::items(orphan, "/metadata/ownerReferences").cloned();
            let owners: Vec<Value> = owners.chain([owner_reference(set)]).collect();
            object::set(orphan, "/metadata/ownerReferences", owners);
        });
    }
}
