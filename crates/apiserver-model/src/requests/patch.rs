//! PATCH: merge patches, JSON patches and server-side apply (apiserver, pkg/endpoints/handlers/patch.go).

use http::StatusCode;
use serde_json::{Map, Value, json};

use super::{Call, Target, create, json_patch, update, validate};
use crate::failure::{Failure, Problem};
use crate::fields::{self, Refused};
use crate::object;
use crate::state::State;

const MERGE: &str = "application/merge-patch+json";
const STRATEGIC: &str = "application/strategic-merge-patch+json";
const JSON: &str = "application/json-patch+json";
const APPLY: &str = "application/apply-patch+yaml";

/// Patches an object; an apply may create it.
pub(super) fn patch(
    state: &mut State,
    call: &Call,
    target: &Target,
) -> Result<(StatusCode, Value), Failure> {
    match call.content_type() {
        APPLY => apply(state, call, target),
        MERGE | STRATEGIC | JSON => {
            change(state, call, target).map(|object| (StatusCode::OK, object))
        }
        _ => Err(Failure::unsupported_media_type()),
    }
}

fn change(state: &mut State, call: &Call, target: &Target) -> Result<Value, Failure> {
    let live = state.live(target)?;
    let mut new = (*live).clone();
    match call.content_type() {
        JSON => {
            let operations: Vec<Value> = serde_json::from_slice(&call.body)
                .map_err(|error| Failure::bad_request(format!("error decoding patch: {error}")))?;
            json_patch::patch(&mut new, &operations)?;
        }
        STRATEGIC => {
            // Lists merge by their keys, as in server-side apply; `$patch` directives are not modelled.
            let patch = call.object()?;
            let mut plain = patch.clone();
            object::drop_nulls(&mut plain);
            new = fields::overlay(&new, &plain, &target.kind.schema);
            remove_nulls(&mut new, &patch);
        }
        _ => merge_json(&mut new, &call.object()?),
    }
    object::drop_nulls(&mut new);
    validate::decoded(call, &target.kind, &mut new)?;
    update::prepare(target, &live, &mut new)?;
    let writer = state.writer(&target.kind, &call.manager(), update::subresource(target));
    let new = fields::update(&live, &new, &target.kind.schema, &writer);
    Ok(update::finish(state, call, target, &live, new))
}

/// RFC 7396.
fn merge_json(target: &mut Value, patch: &Value) {
    let Value::Object(patch) = patch else {
        *target = patch.clone();
        return;
    };
    if !target.is_object() {
        *target = Value::Object(Map::new());
    }
    let map = target.as_object_mut().unwrap();
    for (name, value) in patch {
        if value.is_null() {
            map.shift_remove(name);
        } else {
            merge_json(map.entry(name.clone()).or_insert(Value::Null), value);
        }
    }
}

fn remove_nulls(target: &mut Value, patch: &Value) {
    let (Some(map), Some(patch)) = (target.as_object_mut(), patch.as_object()) else {
        return;
    };
    for (name, value) in patch {
        if value.is_null() {
            map.shift_remove(name);
        } else if let Some(below) = map.get_mut(name) {
            remove_nulls(below, value);
        }
    }
}

fn apply(state: &mut State, call: &Call, target: &Target) -> Result<(StatusCode, Value), Failure> {
    let manager = call.parameter("fieldManager");
    if manager.is_empty() {
        // apimachinery, pkg/apis/meta/v1/validation, `ValidatePatchOptions`.
        let problem = Problem::required("fieldManager", "is required for apply patch");
        return Err(invalid_options(&problem));
    }
    let mut applied = parse(&call.body)?;
    object::drop_nulls(&mut applied);
    validate::belongs(target, &applied)?;
    if object::has(&applied, "/metadata/managedFields") {
        return Err(Failure::bad_request("metadata.managedFields must be nil"));
    }
    let namespace = object::namespace(&applied).to_owned();
    let found = state.store.get(&target.key());
    // The strategies' GetResetFields: the main endpoint does not own the status, and the other way round.
    if target.subresource == "status" {
        object::remove(&mut applied, "/spec");
    } else if target.kind.has_status {
        object::remove(&mut applied, "/status");
    }
    object::set(&mut applied, "/metadata/name", target.name.as_str());
    if target.kind.namespaced {
        object::set(
            &mut applied,
            "/metadata/namespace",
            target.namespace.as_str(),
        );
    }
    let empty = json!({ "apiVersion": target.kind.api_version(), "kind": target.kind.name, "metadata": {} });
    let live = found.as_deref().unwrap_or(&empty);
    let writer = state.writer(&target.kind, manager, update::subresource(target));
    let merged = fields::apply(
        live,
        &applied,
        &target.kind.schema,
        &writer,
        call.flag("force"),
    )
    .map_err(|refused| refuse(target, &namespace, refused))?;
    match found {
        Some(live) => {
            let mut new = merged;
            let managers = new["metadata"]["managedFields"].clone();
            update::prepare(target, &live, &mut new)?;
            new["metadata"]["managedFields"] = managers;
            Ok((
                StatusCode::OK,
                update::finish(state, call, target, &live, new),
            ))
        }
        None if object::has(&merged, "/metadata/uid") => {
            let why = format!(
                "uid mismatch: the provided object specified uid {}, and no existing object was found",
                object::uid(&merged)
            );
            Err(Failure::conflict(&target.kind, &target.name, &why))
        }
        None if target.subresource.is_empty() => {
            let mut new = merged;
            let managers = new["metadata"]["managedFields"].clone();
            object::set(&mut new, "/metadata/name", target.name.as_str());
            // What updates may create has no version to compare with (apiserver, pkg/registry/generic/registry/store.go,
            // `Update`).
            object::remove(&mut new, "/metadata/resourceVersion");
            create::prepare(state, target, &mut new)?;
            new["metadata"]["managedFields"] = managers;
            Ok((
                StatusCode::CREATED,
                create::finish(state, call, target, new),
            ))
        }
        None => Err(Failure::not_found(&target.kind, &target.name)),
    }
}

/// JSON, or YAML as people write it.
fn parse(body: &[u8]) -> Result<Value, Failure> {
    serde_json::from_slice(body).or_else(|_| {
        let text = String::from_utf8_lossy(body);
        serde_saphyr::from_str(&text)
            .map_err(|error| Failure::bad_request(format!("error decoding YAML: {error}")))
    })
}

fn invalid_options(problem: &Problem) -> Failure {
    let message = format!(
        "PatchOptions.meta.k8s.io \"\" is invalid: {}: {}",
        problem.field, problem.message
    );
    let causes =
        json!([{ "reason": problem.reason, "message": problem.message, "field": problem.field }]);
    let details = json!({ "group": "meta.k8s.io", "kind": "PatchOptions", "causes": causes });
    Failure::new(
        StatusCode::UNPROCESSABLE_ENTITY,
        "Invalid",
        message,
        details,
    )
}

fn refuse(target: &Target, namespace: &str, refused: Refused) -> Failure {
    match refused {
        Refused::Conflicts(conflicts) => {
            let causes: Vec<Value> = conflicts
                .iter()
                .map(|conflict| {
                    let message = format!("conflict with {}", conflict.owner);
                    json!({ "reason": "FieldManagerConflict", "message": message, "field": conflict.path })
                })
                .collect();
            let message = fields::conflict_message(&conflicts);
            Failure::new(
                StatusCode::CONFLICT,
                "Conflict",
                message,
                json!({ "causes": causes }),
            )
        }
        Refused::Types(errors) => {
            // apimachinery, pkg/util/managedfields/internal/structuredmerge.go.
            let all = if let [only] = errors.as_slice() {
                only.clone()
            } else {
                format!("errors:\n  {}", errors.join("\n  "))
            };
            let kind = &target.kind;
            let message = format!(
                "failed to create typed patch object ({}/{}; {}/{}, Kind={}): {all}",
                namespace, target.name, kind.group, kind.version, kind.name,
            );
            let mut failure =
                Failure::new(StatusCode::INTERNAL_SERVER_ERROR, "", message, Value::Null);
            failure.body.as_object_mut().unwrap().shift_remove("reason");
            failure
        }
    }
}
