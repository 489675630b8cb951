//! PUT, and what every kind of update shares.

use std::sync::Arc;

use serde_json::Value;

use super::{Call, Target, validate};
use crate::failure::{Failure, Problem};
use crate::state::State;
use crate::{defaults, fields, object};

/// Replaces an object.
pub(super) fn replace(state: &mut State, call: &Call, target: &Target) -> Result<Value, Failure> {
    let mut new = call.object()?;
    object::drop_nulls(&mut new);
    validate::decoded(call, &target.kind, &mut new)?;
    validate::belongs(target, &new)?;
    let live = state.live(target)?;
    same_object(target, &live, &new)?;
    prepare(target, &live, &mut new)?;
    let writer = state.writer(&target.kind, &call.manager(), subresource(target));
    let new = fields::update(&live, &new, &target.kind.schema, &writer);
    Ok(finish(state, call, target, &live, new))
}

/// The subresource that managedFields names.
pub(super) fn subresource(target: &Target) -> Option<&str> {
    Some(target.subresource.as_str()).filter(|subresource| !subresource.is_empty())
}

/// Everything but ownership: preconditions, fields that only the server writes, defaults, rules
/// (apiserver, pkg/registry/rest/update.go and the kinds' strategies).
pub(super) fn prepare(target: &Target, live: &Value, new: &mut Value) -> Result<(), Failure> {
    let kind = &target.kind;
    preconditions(target, live, new)?;
    for field in [
        "name",
        "namespace",
        "uid",
        "creationTimestamp",
        "deletionTimestamp",
        "deletionGracePeriodSeconds",
        "generation",
        "resourceVersion",
    ] {
        keep(live, new, &format!("/metadata/{field}"));
    }
    keep(live, new, "/apiVersion");
    keep(live, new, "/kind");
    // Empty maps of the metadata are not written (apimachinery, pkg/apis/meta/v1/types.go, `omitempty`).
    for pointer in ["/metadata/annotations", "/metadata/labels"] {
        let map = new.pointer(pointer).and_then(Value::as_object);
        if map.is_some_and(serde_json::Map::is_empty) {
            object::remove(new, pointer);
        }
    }
    if target.subresource == "status" {
        keep_all_but_status(live, new);
    } else if kind.has_status && target.subresource.is_empty() {
        keep(live, new, "/status");
    }
    if kind.is("", "services") {
        for field in ["clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy"] {
            if !object::has(new, &format!("/spec/{field}")) {
                keep(live, new, &format!("/spec/{field}"));
            }
        }
    }
    if kind.is("", "persistentvolumeclaims") && !object::has(new, "/spec/volumeName") {
        keep(live, new, "/spec/volumeName");
    }
    defaults::apply(kind, new);
    validate::updated(kind, live, new)?;
    if let Some(generation) = object::number(live, "/metadata/generation")
        && without_metadata_and_status(live) != without_metadata_and_status(new)
    {
        object::set(new, "/metadata/generation", generation + 1);
    }
    Ok(())
}

/// Stores a new version, unless it is a dry run or the same as before.
pub(super) fn finish(
    state: &mut State,
    call: &Call,
    target: &Target,
    live: &Arc<Value>,
    new: Value,
) -> Value {
    if new == **live || call.is_dry_run() {
        return new;
    }
    (*state.settle(&target.kind, &target.key(), live, new)).clone()
}

/// A UID in a replacement is a precondition (apiserver, pkg/endpoints/handlers/update.go).
fn same_object(target: &Target, live: &Value, new: &Value) -> Result<(), Failure> {
    let (wanted, found) = (object::uid(new), object::uid(live));
    if wanted.is_empty() || wanted == found {
        return Ok(());
    }
    let why =
        format!("Precondition failed: UID in precondition: {wanted}, UID in object meta: {found}");
    Err(Failure::conflict(&target.kind, &target.name, &why))
}

fn preconditions(target: &Target, live: &Value, new: &Value) -> Result<(), Failure> {
    let differs = |pointer: &str| {
        let wanted = object::text(new, pointer);
        !wanted.is_empty() && wanted != object::text(live, pointer)
    };
    if differs("/metadata/uid") {
        let wanted = Value::from(object::uid(new));
        let problem = Problem::invalid("metadata.uid", &wanted, "field is immutable");
        return Err(Failure::invalid(&target.kind, &target.name, &[problem]));
    }
    if differs("/metadata/resourceVersion") {
        return Err(Failure::modified(&target.kind, &target.name));
    }
    Ok(())
}

fn keep(live: &Value, new: &mut Value, pointer: &str) {
    match live.pointer(pointer) {
        Some(value) => object::set(new, pointer, value.clone()),
        None => drop(object::remove(new, pointer)),
    }
}

fn keep_all_but_status(live: &Value, new: &mut Value) {
    let status = new.get("status").cloned();
    *new = live.clone();
    match status {
        Some(status) => object::set(new, "/status", status),
        None => drop(object::remove(new, "/status")),
    }
}

fn without_metadata_and_status(object: &Value) -> Value {
    let mut object = object.clone();
    if let Some(map) = object.as_object_mut() {
        map.shift_remove("metadata");
        map.shift_remove("status");
    }
    object
}
