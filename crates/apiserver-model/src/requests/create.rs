//! POST: a new object.

use serde_json::{Value, json};

use super::{Call, Target, validate};
use crate::failure::{Failure, Problem};
use crate::kinds::{self, Kind};
use crate::state::State;
use crate::store::Key;
use crate::{defaults, fields, metadata, object};

/// Creates the object of the body.
pub(super) fn create(state: &mut State, call: &Call, target: &Target) -> Result<Value, Failure> {
    if !target.name.is_empty() {
        return Err(Failure::method_not_allowed());
    }
    let mut object = call.object()?;
    object::drop_nulls(&mut object);
    validate::decoded(call, &target.kind, &mut object)?;
    prepare(state, target, &mut object)?;
    let writer = state.writer(&target.kind, &call.manager(), None);
    let object = fields::update(&json!({}), &object, &target.kind.schema, &writer);
    Ok(finish(state, call, target, object))
}

/// Everything before ownership: the checks, the identity, the defaults.
pub(super) fn prepare(
    state: &mut State,
    target: &Target,
    object: &mut Value,
) -> Result<(), Failure> {
    let kind = &target.kind;
    validate::belongs(target, object)?;
    object::set(object, "/apiVersion", kind.api_version());
    object::set(object, "/kind", kind.name.as_str());
    if kind.namespaced {
        namespace_accepts(state, kind, &target.namespace, object::name(object))?;
    }
    if kind.is("", "pods") {
        account_exists(state, kind, &target.namespace, object)?;
    }
    if object::name(object).is_empty() && !object::has(object, "/metadata/generateName") {
        let problem = Problem::required("metadata.name", "name or generateName is required");
        return Err(Failure::invalid(kind, "", &[problem]));
    }
    if object::has(object, "/metadata/resourceVersion") {
        return Err(Failure::bad_request(
            "resourceVersion should not be set on objects to be created",
        ));
    }
    if kind.has_status {
        object::remove(object, "/status");
    }
    metadata::complete(state, kind, &target.namespace, object);
    defaults::apply(kind, object);
    validate::created(kind, object)?;
    if state
        .store
        .get(&Key::new(kind, &target.namespace, object::name(object)))
        .is_some()
    {
        return Err(Failure::already_exists(kind, object::name(object)));
    }
    Ok(())
}

/// Stores it, unless it is a dry run.
pub(super) fn finish(state: &mut State, call: &Call, target: &Target, mut object: Value) -> Value {
    metadata::begin(&target.kind, &mut object);
    if call.is_dry_run() {
        return object;
    }
    let key = Key::new(&target.kind, &target.namespace, object::name(&object));
    let stored = state.store.put(key.clone(), object);
    if target
        .kind
        .is("apiextensions.k8s.io", "customresourcedefinitions")
    {
        establish(state, &key, &stored);
    }
    (*stored).clone()
}

/// The namespace lifecycle admission plugin (apiserver, pkg/admission/plugin/namespace/lifecycle).
fn namespace_accepts(
    state: &State,
    kind: &Kind,
    namespace: &str,
    name: &str,
) -> Result<(), Failure> {
    let namespaces = state.built_in("", "namespaces");
    let found = state.store.get(&Key::new(&namespaces, "", namespace));
    let found = found.ok_or_else(|| Failure::not_found(&namespaces, namespace))?;
    if !object::is_terminating(&found) {
        return Ok(());
    }
    let why = format!(
        "unable to create new content in namespace {namespace} because it is being terminated"
    );
    let mut failure = Failure::forbidden(kind, name, &why);
    let cause = json!({
        "reason": "NamespaceTerminating",
        "message": format!("namespace {namespace} is being terminated"),
        "field": "metadata.namespace",
    });
    failure.body["details"]["causes"] = vec![cause].into();
    Err(failure)
}

/// The admission plugin for the accounts of pods (kubernetes, plugin/pkg/admission/serviceaccount).
fn account_exists(state: &State, kind: &Kind, namespace: &str, pod: &Value) -> Result<(), Failure> {
    let account = match object::text(pod, "/spec/serviceAccountName") {
        "" => "default",
        named => named,
    };
    let key = Key::of("", "serviceaccounts", namespace, account);
    if state.store.get(&key).is_some() {
        return Ok(());
    }
    let why = format!(
        "error looking up service account {namespace}/{account}: serviceaccount {account:?} not found"
    );
    Err(Failure::forbidden(kind, object::name(pod), &why))
}

/// Serves the kind that a definition defines.
fn establish(state: &mut State, key: &Key, definition: &Value) {
    state.kinds.extend(kinds::defined_by(definition));
    let now = state.now.text();
    state.change_status(key, "kube-apiserver", |definition| {
        let names = definition["spec"]["names"].clone();
        object::set(definition, "/status/acceptedNames", names);
        let condition = |kind: &str, reason: &str, message: &str| {
            json!({
                "type": kind, "status": "True", "lastTransitionTime": now, "reason": reason, "message": message,
            })
        };
        let conditions = vec![
            condition("NamesAccepted", "NoConflicts", "no conflicts found"),
            condition("Established", "InitialNamesAccepted", "the initial names have been accepted"),
        ];
        object::set(definition, "/status/conditions", conditions);
    });
}
