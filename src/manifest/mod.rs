//! Manifests: files in, Kubernetes objects out, in the order in which they are to be applied.
//!
//! Nothing here talks to a network. **A manifest means what it means to kubectl** 1.37: how a
//! stream falls into documents, and YAML 1.1 with the quirks of the library that kubectl uses. `tests/fixtures/manifests/yaml` holds the real kubectl's reading of a corpus
//! of tricky files; a unit test holds this module against it.
//!
//! Refused here although kubectl accepts it: one object twice in a set, an object with `items` whose kind
//! is no list (kubectl would apply the items and drop the object), and URLs and file name patterns in
//! `-f`. What the text means, and which texts are refused, says the crate `kubectl-manifest`.

mod edit;
mod error;
mod namespace;
mod order;
mod reference;
mod source;
mod string_data;
mod unbuilt;
mod validate;

use std::collections::BTreeSet;
use std::fmt;
use std::io::{self, Read};
use std::sync::Arc;

use kube::core::GroupVersionKind;
use kubectl_manifest::{Budget, DecodeError, Document, MAX_BYTES, MOST_PROBLEMS};
use serde_json::Value;

use crate::memory;
use crate::object::ObjectRef;

pub use edit::{EditError, EditErrors, Edits, ImageEdit};
pub use error::{ManifestError, ManifestErrors, Position};
pub use namespace::{NamespaceMismatch, Scope, resolve_namespace};
pub(crate) use reference::{Reference, pod_template, references};
pub use source::Source;
pub(crate) use string_data::move_to_data;
pub use unbuilt::Unbuilt;

/// How sources are read.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options {
    /// Whether a folder's subfolders are searched too (`-R`).
    pub recursive: bool,
}

/// Where a manifest was written.
///
/// Displays as `file:line`, with the item's number for an object out of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// The file, or `standard input`.
    pub file: Arc<str>,
    /// Which of the file's non-empty documents, from 1.
    pub document: usize,
    /// The line in which the document's content starts, from 1.
    pub line: usize,
    /// Which item of the list, from 1, where the document is a list; an index for each nesting.
    pub item: Vec<usize>,
}

impl Origin {
    /// Where it starts.
    fn start(&self) -> Position {
        Position {
            file: self.file.to_string(),
            line: self.line,
            column: 1,
        }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:{}", self.file, self.line)?;
        for item in &self.item {
            write!(formatter, ": item {item}")?;
        }
        Ok(())
    }
}

/// One object as written, and where it was written.
#[derive(Clone, Debug)]
pub struct Manifest {
    /// Which object this is, its namespace as written.
    pub reference: ObjectRef,
    /// The version of its kind, such as `v1`.
    pub version: String,
    /// The object, always a JSON object.
    pub value: Value,
    /// Where it was written.
    pub origin: Origin,
    /// Its place in the order of the set: what is in one layer does not refer to each other and can
    /// be applied at the same time, once everything in the layers before it is. What deletes objects
    /// goes through the layers backwards.
    pub layer: usize,
}

impl Manifest {
    /// The group, version and kind.
    #[must_use]
    pub fn gvk(&self) -> GroupVersionKind {
        GroupVersionKind {
            group: self.reference.group.clone(),
            version: self.version.clone(),
            kind: self.reference.kind.clone(),
        }
    }

    /// An object that stands in no file; `None` if it has no kind or no name.
    fn of_live(value: Value) -> Option<Self> {
        let text = |value: &Value| value.as_str().map(str::to_owned);
        let api_version = text(&value["apiVersion"])?;
        let (group, version) = api_version.split_once('/').unwrap_or(("", &api_version));
        let metadata = &value["metadata"];
        let namespace = text(&metadata["namespace"]);
        let (kind, name) = (text(&value["kind"])?, text(&metadata["name"])?);
        Some(Self {
            reference: ObjectRef::new(group, &kind, namespace.as_deref(), &name),
            version: version.to_owned(),
            origin: Origin {
                file: Arc::from("the cluster"),
                document: 1,
                line: 1,
                item: Vec::new(),
            },
            layer: 0,
            value,
        })
    }

    /// Puts the object into a namespace, or into none.
    pub fn set_namespace(&mut self, namespace: Option<&str>) {
        self.reference.namespace = namespace.map(str::to_owned);
        let Some(metadata) = self
            .value
            .get_mut("metadata")
            .and_then(Value::as_object_mut)
        else {
            return;
        };
        match namespace {
            Some(namespace) => {
                metadata.insert("namespace".to_owned(), Value::from(namespace));
            }
            None => {
                metadata.shift_remove("namespace");
            }
        }
    }
}

/// Manifests in the order in which they are to be applied; never the same object twice.
#[derive(Clone, Debug, Default)]
pub struct ManifestSet {
    manifests: Vec<Manifest>,
}

impl ManifestSet {
    fn new(mut manifests: Vec<Manifest>) -> Self {
        order::put_in_order(&mut manifests);
        Self { manifests }
    }

    /// Live objects in the order in which they would be applied.
    #[must_use]
    pub fn of_live(objects: impl IntoIterator<Item = Value>) -> Self {
        let objects = objects.into_iter();
        Self::new(objects.filter_map(Manifest::of_live).collect())
    }

    /// The same without these objects.
    #[must_use]
    pub fn without(mut self, objects: &BTreeSet<ObjectRef>) -> Self {
        self.manifests.retain(|it| !objects.contains(&it.reference));
        self
    }

    /// The same with one more object, in a layer of its own: after the namespaces of the set, and before
    /// everything else.
    #[must_use]
    pub fn with_first(mut self, object: Value) -> Self {
        let is_namespace = |manifest: &Manifest| manifest.reference.is("", "Namespace");
        let namespaces = self.manifests.iter().filter(|it| is_namespace(it));
        let first = namespaces.map(|it| it.layer + 1).max().unwrap_or(0);
        for manifest in &mut self.manifests {
            if !is_namespace(manifest) {
                manifest.layer += first + 1;
            }
        }
        let object = Manifest::of_live(object).map(|it| Manifest { layer: first, ..it });
        self.manifests.extend(object);
        self.manifests.sort_by_key(|manifest| manifest.layer);
        self
    }

    /// The manifests in apply order.
    #[must_use]
    pub fn manifests(&self) -> &[Manifest] {
        &self.manifests
    }

    /// The manifests in apply order, to be changed in place.
    pub fn manifests_mut(&mut self) -> &mut [Manifest] {
        &mut self.manifests
    }
}

/// Reads manifests and puts them in apply order.
///
/// # Errors
/// Everything that is wrong with all sources; nothing is returned unless all of it is right.
pub fn load(sources: &[Source], options: Options) -> Result<ManifestSet, ManifestErrors> {
    load_from(sources, options, &mut io::stdin())
}

/// Refuses objects that are given more than once now that the namespace of each is known.
///
/// # Errors
/// Every object that was given before, with both places.
pub fn refuse_duplicates(manifests: &[Manifest]) -> Result<(), ManifestErrors> {
    let mut errors = Vec::new();
    validate::refuse_duplicates(manifests, &mut errors);
    if errors.is_empty() {
        Ok(())
    } else {
        Err(ManifestErrors(errors))
    }
}

/// [`load`] with something else in the place of standard input.
fn load_from(
    sources: &[Source],
    options: Options,
    standard_input: &mut dyn Read,
) -> Result<ManifestSet, ManifestErrors> {
    let mut errors = Vec::new();
    let mut manifests = Vec::new();
    let mut files = Vec::new();
    let mut budget = Budget::default();
    for input in source::expand(sources, options, &mut errors) {
        if errors.len() >= MOST_PROBLEMS || budget.is_spent() {
            break;
        }
        let name = input.name();
        let text = input
            .read(standard_input, &mut budget.bytes)
            .and_then(|bytes| decode(&name, bytes, &budget));
        match text {
            Ok(text) => {
                files.push(name.clone());
                let file = Arc::from(name.as_str());
                for document in documents(&name, &text, &mut budget, &mut errors) {
                    validate::collect(&file, document, &mut budget, &mut manifests, &mut errors);
                    if errors.len() >= MOST_PROBLEMS {
                        break;
                    }
                }
            }
            Err(error) => errors.push(error),
        }
    }
    validate::refuse_duplicates(&manifests, &mut errors);
    if manifests.is_empty() && errors.is_empty() {
        errors.push(ManifestError::NoObjects { files });
    }
    if errors.is_empty() {
        let read = MAX_BYTES.saturating_sub(budget.bytes);
        memory::admit_manifests(usize::try_from(read).unwrap_or(usize::MAX));
        Ok(ManifestSet::new(manifests))
    } else {
        Err(ManifestErrors(errors))
    }
}

fn decode(name: &str, bytes: Vec<u8>, budget: &Budget) -> Result<String, ManifestError> {
    kubectl_manifest::decode(bytes, budget).map_err(|error| match error {
        DecodeError::TooLarge => ManifestError::TooLarge {
            name: name.to_owned(),
            limit: MAX_BYTES,
        },
        DecodeError::NotText(encoding) => ManifestError::NotText {
            name: name.to_owned(),
            encoding,
        },
    })
}

fn documents(
    name: &str,
    text: &str,
    budget: &mut Budget,
    errors: &mut Vec<ManifestError>,
) -> Vec<Document> {
    let (documents, problems) = kubectl_manifest::read(text, budget);
    errors.extend(problems.into_iter().map(|problem| ManifestError::Text {
        position: Position {
            file: name.to_owned(),
            line: problem.line,
            column: problem.column,
        },
        problem: problem.kind,
    }));
    documents
}

#[cfg(test)]
mod tests;
