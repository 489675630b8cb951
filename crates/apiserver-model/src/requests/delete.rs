//! DELETE (apiserver, pkg/registry/rest/delete.go and pkg/registry/generic/registry/store.go).

use std::time::Duration;

use serde_json::{Value, json};

use super::{Call, Target};
use crate::failure::Failure;
use crate::kinds::Kind;
use crate::object::{self, has, is_terminating, number, text, uid};
use crate::state::State;
use crate::store::Key;

/// Kinds whose stores say `ReturnDeletedObject`; the others answer with a Status.
const RETURNED: &[&str] = &[
    "pods",
    "services",
    "persistentvolumeclaims",
    "persistentvolumes",
    "namespaces",
    "serviceaccounts",
    "storageclasses",
    "resourcequotas",
];

/// Deletes the object that the path names.
pub(super) fn delete(state: &mut State, call: &Call, target: &Target) -> Result<Value, Failure> {
    let mut options: Value = if call.body.is_empty() {
        json!({})
    } else {
        call.object()?
    };
    for (parameter, number) in [
        ("propagationPolicy", false),
        ("gracePeriodSeconds", true),
        ("dryRun", false),
    ] {
        match call.parameter(parameter) {
            "" => {}
            value if number => options[parameter] = json!(value.parse::<i64>().ok()),
            value => options[parameter] = json!(value),
        }
    }
    let live = state.live(target)?;
    preconditions(&target.kind, &live, &options)?;
    let dry_run =
        call.is_dry_run() || object::items(&options, "/dryRun").any(|value| value == "All");
    if target.kind.is("", "namespaces")
        && ["default", "kube-system", "kube-public"].contains(&target.name.as_str())
    {
        return Err(Failure::forbidden(
            &target.kind,
            &target.name,
            "this namespace may not be deleted",
        ));
    }
    let last = if dry_run {
        (*live).clone()
    } else {
        delete_now(state, &target.kind, &target.key(), &options)
    };
    let gone = state.store.get(&target.key()).is_none() || dry_run;
    if !gone || RETURNED.contains(&target.kind.resource.as_str()) {
        return Ok(last);
    }
    let mut details = target.kind.details(&target.name);
    details["uid"] = uid(&last).into();
    Ok(
        json!({ "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": details }),
    )
}

/// `BeforeDelete`.
pub(crate) fn preconditions(kind: &Kind, live: &Value, options: &Value) -> Result<(), Failure> {
    let wanted = text(options, "/preconditions/uid");
    if !wanted.is_empty() && wanted != uid(live) {
        let why = format!(
            "the UID in the precondition ({wanted}) does not match the UID in record ({}). The object might have been \
             deleted and then recreated",
            uid(live),
        );
        return Err(Failure::deletion_conflict(kind, object::name(live), &why));
    }
    let (wanted, found) = (
        text(options, "/preconditions/resourceVersion"),
        text(live, "/metadata/resourceVersion"),
    );
    if !wanted.is_empty() && wanted != found {
        let why = format!(
            "the ResourceVersion in the precondition ({wanted}) does not match the ResourceVersion in record ({found}). The \
             object might have been modified",
        );
        return Err(Failure::deletion_conflict(kind, object::name(live), &why));
    }
    Ok(())
}

/// Deletes an object, or marks it when something has to happen first. Returns its last state.
pub(crate) fn delete_now(state: &mut State, kind: &Kind, key: &Key, options: &Value) -> Value {
    let Some(live) = state.store.get(key) else {
        return Value::Null;
    };
    let mut new = (*live).clone();
    let finalizer = match text(options, "/propagationPolicy") {
        "Foreground" => Some("foregroundDeletion"),
        "Orphan" => Some("orphan"),
        _ => None,
    };
    if let Some(finalizer) = finalizer
        && !object::items(&new, "/metadata/finalizers").any(|found| found == finalizer)
    {
        let mut finalizers: Vec<Value> = object::items(&new, "/metadata/finalizers")
            .cloned()
            .collect();
        finalizers.push(finalizer.into());
        object::set(&mut new, "/metadata/finalizers", finalizers);
    }
    let grace = if kind.is("", "pods") {
        grace(&new, options)
    } else {
        0
    };
    let held =
        object::items(&new, "/metadata/finalizers").next().is_some() || kind.is("", "namespaces");
    if grace == 0 && !held {
        if kind.is("apiextensions.k8s.io", "customresourcedefinitions") {
            state.kinds.retain(|kind| {
                !kind.is(
                    text(&live, "/spec/group"),
                    text(&live, "/spec/names/plural"),
                )
            });
        }
        return state
            .store
            .remove(key)
            .map(|last| (*last).clone())
            .unwrap_or_default();
    }
    let shorter =
        number(&new, "/metadata/deletionGracePeriodSeconds").is_none_or(|current| grace < current);
    if !is_terminating(&new) || shorter {
        let delay = Duration::from_secs(grace.unsigned_abs());
        object::set(
            &mut new,
            "/metadata/deletionTimestamp",
            state.now.text_after(delay),
        );
        object::set(&mut new, "/metadata/deletionGracePeriodSeconds", grace);
        if let Some(generation) =
            number(&new, "/metadata/generation").filter(|_| !is_terminating(&live))
        {
            object::set(&mut new, "/metadata/generation", generation + 1);
        }
        if kind.is("", "namespaces") {
            object::remove(&mut new, "/metadata/deletionGracePeriodSeconds");
            object::set(&mut new, "/status/phase", "Terminating");
        }
    }
    if new == *live {
        new
    } else {
        (*state.store.put(key.clone(), new)).clone()
    }
}

/// kubernetes, pkg/registry/core/pod/strategy.go, `CheckGracefulDelete`.
fn grace(pod: &Value, options: &Value) -> i64 {
    let unstarted = !has(pod, "/spec/nodeName");
    if unstarted || ["Succeeded", "Failed"].contains(&text(pod, "/status/phase")) {
        return 0;
    }
    let wanted = number(options, "/gracePeriodSeconds");
    wanted
        .or_else(|| number(pod, "/spec/terminationGracePeriodSeconds"))
        .unwrap_or(30)
        .max(0)
}
