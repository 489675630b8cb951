//! Rules about objects, as far as the tests break them (kubernetes, pkg/apis/*/validation).

use serde_json::{Value, json};

use super::{Call, Target};
use crate::failure::{Failure, Problem};
use crate::kinds::Kind;
use crate::object::{has, items, name, namespace, set, text, texts};
use crate::schema;

/// `fieldValidation`: unknown fields are refused or dropped.
pub(super) fn decoded(call: &Call, kind: &Kind, object: &mut Value) -> Result<(), Failure> {
    let unknown = schema::unknown_fields(object, &kind.schema);
    if unknown.is_empty() {
        return Ok(());
    }
    if call.parameter("fieldValidation") == "Strict" {
        let list: Vec<String> = unknown
            .iter()
            .map(|field| format!("unknown field {field:?}"))
            .collect();
        return Err(Failure::bad_request(format!(
            "{0} in version {1:?} cannot be handled as a {0}: strict decoding error: {2}",
            kind.name,
            kind.version,
            list.join(", "),
        )));
    }
    schema::drop_unknown_fields(object, &kind.schema);
    Ok(())
}

/// The object is the one that the path names.
pub(super) fn belongs(target: &Target, object: &Value) -> Result<(), Failure> {
    let kind = &target.kind;
    let (version, found) = (text(object, "/apiVersion"), text(object, "/kind"));
    if !found.is_empty() && found != kind.name {
        let short = version.rsplit('/').next().unwrap_or_default();
        let package = kind
            .group
            .split('.')
            .next()
            .filter(|group| !group.is_empty())
            .unwrap_or("core");
        return Err(Failure::bad_request(format!(
            "{found} in version {version:?} cannot be handled as a {}: converting ({short}.{found}) to ({package}.{}): unknown conversion",
            kind.name, kind.name
        )));
    }
    if !version.is_empty() && version != kind.api_version() {
        return Err(Failure::bad_request(format!(
            "the API version in the data ({version}) does not match the expected API version ({})",
            kind.api_version(),
        )));
    }
    if !namespace(object).is_empty() && namespace(object) != target.namespace {
        return Err(Failure::bad_request(
            "the namespace of the provided object does not match the namespace sent on the request",
        ));
    }
    if !target.name.is_empty() && !name(object).is_empty() && name(object) != target.name {
        return Err(Failure::bad_request(format!(
            "the name of the object ({}) does not match the name on the URL ({})",
            name(object),
            target.name,
        )));
    }
    Ok(())
}

/// A new object.
pub(super) fn created(kind: &Kind, object: &Value) -> Result<(), Failure> {
    let mut problems = Vec::new();
    let is_label = |name: &str| {
        let inner = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-.".contains(c);
        name.chars().all(inner) && !name.starts_with(['-', '.']) && !name.ends_with(['-', '.'])
    };
    if !is_label(name(object)) && kind.group != "rbac.authorization.k8s.io" {
        let message = "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and \
                       must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is \
                       '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
        problems.push(Problem::invalid(
            "metadata.name",
            &json!(name(object)),
            message,
        ));
    }
    metadata(object, &mut problems);
    if kind.group == "apps" && has(object, "/spec/template") {
        selector(object, &mut problems);
        containers(
            object,
            "/spec/template/spec",
            "spec.template.spec",
            &mut problems,
        );
    }
    if kind.name == "Pod" {
        containers(object, "/spec", "spec", &mut problems);
    }
    if problems.is_empty() {
        Ok(())
    } else {
        Err(Failure::invalid(kind, name(object), &problems))
    }
}

/// Labels and finalizers (apimachinery, pkg/api/validation/objectmeta.go).
fn metadata(object: &Value, problems: &mut Vec<Problem>) {
    let is_value = |value: &str| {
        let inner = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        value.len() <= 63 && value.chars().all(inner)
    };
    for value in texts(object, "/metadata/labels").values() {
        if !is_value(value) {
            let message = "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.'";
            problems.push(Problem::invalid("metadata.labels", &json!(value), message));
        }
    }
    for name in items(object, "/metadata/finalizers").filter_map(Value::as_str) {
        let is_known = ["orphan", "foregroundDeletion", "kubernetes"].contains(&name);
        if !is_known && !name.contains('/') {
            let message = "name is neither a standard finalizer name nor is it fully qualified";
            problems.push(Problem::invalid(
                "metadata.finalizers",
                &json!(name),
                message,
            ));
        }
    }
}

fn selector(object: &Value, problems: &mut Vec<Problem>) {
    let wanted = texts(object, "/spec/selector/matchLabels");
    let labels = texts(object, "/spec/template/metadata/labels");
    if !has(object, "/spec/selector") {
        problems.push(Problem::required("spec.selector", ""));
    } else if wanted
        .iter()
        .any(|(key, value)| labels.get(key) != Some(value))
    {
        let message = "`selector` does not match template `labels`";
        problems.push(Problem::invalid(
            "spec.template.metadata.labels",
            &json!(labels),
            message,
        ));
    }
}

fn containers(object: &Value, pointer: &str, field: &str, problems: &mut Vec<Problem>) {
    let volumes = format!("{pointer}/volumes");
    if items(object, &format!("{pointer}/containers"))
        .next()
        .is_none()
    {
        problems.push(Problem::required(&format!("{field}.containers"), ""));
    }
    for (index, container) in items(object, &format!("{pointer}/containers")).enumerate() {
        if text(container, "/image").is_empty() {
            problems.push(Problem::required(
                &format!("{field}.containers[{index}].image"),
                "",
            ));
        }
        for (mount, found) in items(container, "/volumeMounts").enumerate() {
            let known = items(object, &volumes).chain(items(object, "/spec/volumeClaimTemplates"));
            let wanted = text(found, "/name");
            let mut names = known.map(|volume| match text(volume, "/metadata/name") {
                "" => text(volume, "/name"),
                name => name,
            });
            if !names.any(|name| name == wanted) {
                let field = format!("{field}.containers[{index}].volumeMounts[{mount}].name");
                let message = format!("Not found: {wanted:?}");
                problems.push(Problem {
                    field,
                    reason: "FieldValueNotFound",
                    message,
                });
            }
        }
    }
}

/// A changed object: what must stay as it is.
pub(super) fn updated(kind: &Kind, live: &Value, new: &Value) -> Result<(), Failure> {
    let mut problems = Vec::new();
    let changed = |pointer: &str| live.pointer(pointer) != new.pointer(pointer);
    match kind.name.as_str() {
        // kubernetes, pkg/apis/apps/validation, `ValidateStatefulSetUpdate`; until 1.36 it was one sentence about the spec.
        "StatefulSet" => {
            for field in [
                "selector",
                "volumeClaimTemplates",
                "serviceName",
                "podManagementPolicy",
            ] {
                if changed(&format!("/spec/{field}")) {
                    let (name, value) = (format!("spec.{field}"), &new["spec"][field]);
                    problems.push(Problem::invalid(&name, value, "field is immutable"));
                }
            }
        }
        "Deployment" | "DaemonSet" | "ReplicaSet" | "Job" if changed("/spec/selector") => {
            problems.push(Problem::invalid(
                "spec.selector",
                &new["spec"]["selector"],
                "field is immutable",
            ));
        }
        "Job" if changed("/spec/template") => {
            problems.push(Problem::invalid(
                "spec.template",
                &new["spec"]["template"],
                "field is immutable",
            ));
        }
        "Service" if changed("/spec/clusterIP") && !text(live, "/spec/clusterIP").is_empty() => {
            let message = "may not change once set";
            problems.push(Problem::invalid(
                "spec.clusterIPs[0]",
                &json!([text(new, "/spec/clusterIP")]),
                message,
            ));
        }
        "PersistentVolumeClaim" if only(live, CLAIM) != only(new, CLAIM) => {
            let message = "spec is immutable after creation except resources.requests and volumeAttributesClassName for \
                           bound claims";
            problems.push(Problem::forbidden("spec", message));
        }
        "ConfigMap" | "Secret" if live["immutable"] == true && changed("/data") => {
            problems.push(Problem::forbidden(
                "data",
                "field is immutable when `immutable` is set",
            ));
        }
        _ => {}
    }
    if problems.is_empty() {
        Ok(())
    } else {
        Err(Failure::invalid(kind, name(live), &problems))
    }
}

/// The fields of a claim's spec that may change; the binding itself writes the volume's name.
const CLAIM: &[&str] = &["resources", "volumeAttributesClassName", "volumeName"];

fn only(object: &Value, mutable: &[&str]) -> Value {
    let mut spec = object["spec"].clone();
    for field in mutable {
        if spec.get(*field).is_some() {
            set(&mut spec, &format!("/{field}"), Value::Null);
        }
    }
    if let Some(map) = spec.as_object_mut() {
        map.retain(|_, value| !value.is_null());
    }
    spec
}
