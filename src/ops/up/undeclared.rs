//! Fields that are live but in no manifest: finds them, and takes away those that were named.

use serde_json::{Value, json};

use super::elsewhere;
use crate::cluster::ClusterError;
use crate::fields::{FieldChoices, UndeclaredField, forget_defaults, removals, undeclared};
use crate::ops::Context;
use crate::plan::Target;

/// The undeclared fields of a live object, without those that have their default values.
pub(crate) async fn find(context: &Context, target: &Target, live: &Value) -> Vec<UndeclaredField> {
    let mut found = undeclared(live, &target.body, None);
    if found.is_empty() {
        return found;
    }
    if let Some(fresh) = elsewhere::fresh(context, target).await {
        return undeclared(live, &target.body, Some(&fresh));
    }
    // What comes back when it is removed is a default, too.
    match remove(context, target, live, &found, &[], Removal::DryRun).await {
        Ok(removed) => forget_defaults(&mut found, live, &removed),
        Err(_) => context.warn(format!(
            "the defaults of `{}` are not known: what is listed as undeclared may be a default",
            target.reference
        )),
    }
    found
}

/// Whether fields are taken away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Removal {
    /// The API server only says what would be left.
    DryRun,
    /// They are taken away, from the state in which the object was read.
    Store,
}

/// Those that were named to be taken away.
pub(crate) fn named(
    target: &Target,
    undeclared: &[UndeclaredField],
    choices: &FieldChoices,
) -> Vec<UndeclaredField> {
    let is_named = |field: &&UndeclaredField| {
        let mut patterns = choices.reverted.iter();
        patterns.any(|pattern| field.is_meant_by(&target.reference, pattern))
    };
    undeclared.iter().filter(is_named).cloned().collect()
}

/// Takes fields away from an object, after other operations of a JSON patch, or only tries to.
///
/// # Errors
/// A refusal, or [`ClusterError::Conflict`] if the object has changed since it was read.
pub(crate) async fn remove(
    context: &Context,
    target: &Target,
    live: &Value,
    fields: &[UndeclaredField],
    before: &[Value],
    removal: Removal,
) -> Result<Value, ClusterError> {
    let version = &live["metadata"]["resourceVersion"];
    // Another version is a conflict: there, the items of lists may be at other places.
    let bound = json!({"op": "replace", "path": "/metadata/resourceVersion", "value": version});
    let removals = removals(fields, live);
    let removals = removals
        .iter()
        .map(|path| json!({"op": "remove", "path": path}));
    let is_dry_run = removal == Removal::DryRun;
    let bound = (!is_dry_run).then_some(bound);
    let before = bound.into_iter().chain(before.iter().cloned());
    let patch: Vec<Value> = before.chain(removals).collect();
    let object = &target.reference;
    let namespace = object.namespace.as_deref();
    let patched = context
        .cluster
        .json_patch(&target.kind, namespace, &object.name, &patch, is_dry_run)
        .await;
    match patched {
        // The patch does not fit the object any more (`pkg/endpoints/handlers/patch.go`, `applyJSPatch`).
        Err(ClusterError::Refused {
            code: 422,
            message,
            fields,
            ..
        }) if fields.is_empty() => Err(ClusterError::Conflict { message }),
        patched => patched,
    }
}

/// The planned object without the fields that are taken away: with the values that the API server
/// sets in their places.
pub(crate) fn without(mut planned: Value, removed: &Value, fields: &[UndeclaredField]) -> Value {
    for field in fields {
        match field.path().get(removed) {
            Some(default) => field.path().set(&mut planned, default.clone()),
            None => field.path().remove_as_in(removed, &mut planned),
        }
    }
    planned
}
