//! Documents → manifests: lists are flattened, and every object has what apply needs.
//!
//! Only what is cheap and certain is checked here; the API server's dry-run tells the rest.

use std::collections::HashMap;
use std::sync::Arc;

use kubectl_manifest::{
    Budget, Document, MOST_PROBLEMS, ProblemKind, name_problem, namespace_problem,
};
use serde_json::{Map, Value};

use super::{Manifest, ManifestError, Origin, Unbuilt};
use crate::object::ObjectRef;

/// As long as any name of Kubernetes may be, a DNS subdomain (RFC 1123).
const LONGEST_NAME: usize = 253;

/// Turns a document into manifests, one for each item if it is a list.
pub(super) fn collect(
    file: &Arc<str>,
    document: Document,
    budget: &mut Budget,
    manifests: &mut Vec<Manifest>,
    errors: &mut Vec<ManifestError>,
) {
    let origin = Origin {
        file: Arc::clone(file),
        document: document.number,
        line: document.line,
        item: Vec::new(),
    };
    match Unbuilt::document(&origin.file, &document.value) {
        Some(unbuilt) => errors.push(ManifestError::Unbuilt(unbuilt)),
        None => collect_value(document.value, origin, budget, manifests, errors),
    }
}

fn collect_value(
    value: Value,
    origin: Origin,
    budget: &mut Budget,
    manifests: &mut Vec<Manifest>,
    errors: &mut Vec<ManifestError>,
) {
    let Value::Object(mut object) = value else {
        errors.push(ManifestError::NotAnObject {
            origin,
            found: type_name(&value),
        });
        return;
    };
    let is_list = object
        .get("kind")
        .and_then(Value::as_str)
        .is_some_and(|k| k.ends_with("List"));
    match object.remove("items") {
        None if !budget.take_object() => errors.push(ManifestError::Text {
            position: origin.start(),
            problem: ProblemKind::TooMuchMemory(budget.refusal().unwrap_or_default()),
        }),
        None => match manifest(object, origin) {
            Ok(manifest) => manifests.push(manifest),
            Err(problems) => errors.extend(problems),
        },
        Some(_) if !is_list => errors.push(ManifestError::ItemsWithoutList { origin }),
        Some(Value::Null) => {}
        Some(Value::Array(items)) => {
            for (index, mut item) in items.into_iter().enumerate() {
                if errors.len() >= MOST_PROBLEMS {
                    return;
                }
                let mut origin = origin.clone();
                origin.item.push(index + 1);
                inherit_kind(&object, &mut item);
                collect_value(item, origin, budget, manifests, errors);
            }
        }
        Some(other) => errors.push(wrong_type(&origin, "items", "a list", &other)),
    }
}

/// Items of a typed list such as `ConfigMapList` may leave out their kind and version, as the API
/// server does (`decodeToList` in `apimachinery/pkg/apis/meta/v1/unstructured/helpers.go`).
fn inherit_kind(list: &Map<String, Value>, item: &mut Value) {
    let Some(item) = item.as_object_mut() else {
        return;
    };
    if !is_empty(item.get("kind")) || !is_empty(item.get("apiVersion")) {
        return;
    }
    let kind = list
        .get("kind")
        .and_then(Value::as_str)
        .and_then(|kind| kind.strip_suffix("List"));
    if let (Some(kind), Some(version)) = (kind, list.get("apiVersion"))
        && !kind.is_empty()
    {
        item.insert("apiVersion".to_owned(), version.clone());
        item.insert("kind".to_owned(), Value::from(kind));
    }
}

fn is_empty(field: Option<&Value>) -> bool {
    field.is_none_or(|field| field.as_str() == Some(""))
}

/// Refuses objects that are given more than once.
pub(super) fn refuse_duplicates(manifests: &[Manifest], errors: &mut Vec<ManifestError>) {
    let mut seen: HashMap<&ObjectRef, &Origin> = HashMap::new();
    for manifest in manifests {
        match seen.get(&manifest.reference) {
            None => {
                seen.insert(&manifest.reference, &manifest.origin);
            }
            Some(first) => errors.push(ManifestError::DuplicateObject {
                object: Box::new(manifest.reference.clone()),
                first: (*first).clone(),
                second: manifest.origin.clone(),
            }),
        }
    }
}

fn manifest(object: Map<String, Value>, origin: Origin) -> Result<Manifest, Vec<ManifestError>> {
    let mut checker = Checker {
        origin: &origin,
        errors: Vec::new(),
    };
    let api_version = checker.required(object.get("apiVersion"), "apiVersion");
    let kind = checker.required(object.get("kind"), "kind");
    let (group, version) = match api_version.split_once('/') {
        Some((group, version)) => (group, version),
        None => ("", api_version),
    };
    for (field, text) in [("apiVersion", api_version), ("kind", kind)] {
        if text.len() > LONGEST_NAME {
            checker.invalid(field, "is longer than any can be");
        }
    }
    if version.contains('/') || (version.is_empty() && !api_version.is_empty()) {
        checker.invalid("apiVersion", "must be `VERSION` or `GROUP/VERSION`");
    }
    let (name, namespace) = checker.metadata(object.get("metadata"), group, kind);
    let reference = ObjectRef {
        group: group.to_owned(),
        kind: kind.to_owned(),
        namespace: namespace.map(str::to_owned),
        name: name.to_owned(),
    };
    let version = version.to_owned();
    if checker.errors.is_empty() {
        Ok(Manifest {
            reference,
            version,
            value: Value::Object(object),
            origin,
            layer: 0,
        })
    } else {
        Err(checker.errors)
    }
}

/// Collects what is wrong with one object.
struct Checker<'origin> {
    origin: &'origin Origin,
    errors: Vec<ManifestError>,
}

impl Checker<'_> {
    /// The name and the namespace.
    fn metadata<'value>(
        &mut self,
        metadata: Option<&'value Value>,
        group: &str,
        kind: &str,
    ) -> (&'value str, Option<&'value str>) {
        let metadata = match metadata {
            Some(Value::Object(metadata)) => metadata,
            None | Some(Value::Null) => {
                self.missing("metadata.name");
                return ("", None);
            }
            Some(other) => {
                self.errors
                    .push(wrong_type(self.origin, "metadata", "a mapping", other));
                return ("", None);
            }
        };
        self.strings(metadata.get("labels"), "metadata.labels");
        self.strings(metadata.get("annotations"), "metadata.annotations");
        let namespace = self.string(metadata.get("namespace"), "metadata.namespace");
        if let Some(problem) = namespace.and_then(namespace_problem) {
            self.invalid("metadata.namespace", problem);
        }
        let generated = self.string(metadata.get("generateName"), "metadata.generateName");
        if is_empty(metadata.get("name")) && generated.is_some() {
            self.errors.push(ManifestError::GenerateName {
                origin: self.origin.clone(),
            });
            return ("", namespace);
        }
        let name = self.required(metadata.get("name"), "metadata.name");
        if let Some(problem) = name_problem(group, kind, name) {
            self.invalid("metadata.name", problem);
        }
        (name, namespace)
    }

    /// A string that must be there; empty if it is not.
    fn required<'value>(
        &mut self,
        value: Option<&'value Value>,
        field: &'static str,
    ) -> &'value str {
        let before = self.errors.len();
        let text = self.string(value, field);
        if text.is_none() && self.errors.len() == before {
            self.missing(field);
        }
        text.unwrap_or_default()
    }

    /// A string that may be missing; an empty one counts as missing, as in Go.
    fn string<'value>(&mut self, value: Option<&'value Value>, field: &str) -> Option<&'value str> {
        match value {
            None | Some(Value::Null) => None,
            Some(Value::String(text)) => Some(text.as_str()).filter(|text| !text.is_empty()),
            Some(other) => {
                self.errors
                    .push(wrong_type(self.origin, field, "a string", other));
                None
            }
        }
    }

    /// A mapping to strings, such as labels. A null is an empty string to the API server.
    fn strings(&mut self, value: Option<&Value>, field: &str) {
        match value {
            None | Some(Value::Null) => {}
            Some(Value::Object(entries)) => {
                for (key, value) in entries {
                    if self.errors.len() >= MOST_PROBLEMS {
                        return;
                    }
                    if !matches!(value, Value::String(_) | Value::Null) {
                        let key: String = key.chars().take(LONGEST_NAME).collect();
                        let field = format!("{field}[{key}]");
                        self.errors
                            .push(wrong_type(self.origin, &field, "a string", value));
                    }
                }
            }
            Some(other) => {
                self.errors
                    .push(wrong_type(self.origin, field, "a mapping", other));
            }
        }
    }

    fn missing(&mut self, field: &'static str) {
        self.errors.push(ManifestError::MissingField {
            origin: self.origin.clone(),
            field,
        });
    }

    fn invalid(&mut self, field: &'static str, problem: &'static str) {
        self.errors.push(ManifestError::InvalidField {
            origin: self.origin.clone(),
            field,
            problem,
        });
    }
}

fn wrong_type(
    origin: &Origin,
    field: &str,
    expected: &'static str,
    value: &Value,
) -> ManifestError {
    ManifestError::WrongType {
        origin: origin.clone(),
        field: field.to_owned(),
        expected,
        found: type_name(value),
    }
}

fn type_name(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean (quote it if it is meant as text)",
        Value::Number(_) => "a number (quote it if it is meant as text)",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "a mapping",
    }
}

#[cfg(test)]
mod tests;
