//! Manifests: files in, Kubernetes objects out, in the order in which they are to be applied.
//!
//! Nothing here talks to a network. **A manifest means what it means to kubectl** 1.37: how a
//! stream falls into documents, and YAML 1.1 with the quirks of the library that kubectl uses
//! (see [`yaml`]). `tests/fixtures/manifests/yaml` holds the real kubectl's reading of a corpus
//! of tricky files; a unit test holds this module against it.
//!
//! Refused here although kubectl accepts it, each with an error that says why:
//! - a key given twice in one mapping (kubectl silently takes the last value);
//! - text after a document's end, `...` or a closing brace (kubectl silently ignores it);
//! - one object twice in a set, and an object with `items` whose kind is no list (kubectl would
//!   apply the items and drop the object);
//! - bytes that are not valid UTF-8 or UTF-16, half of a surrogate pair in JSON, and `!!binary`
//!   data that is not text (kubectl puts replacement characters in their place);
//! - forms within brackets and braces that YAML 1.1 and 1.2 read differently: `[?a]`, `[a:]`,
//!   `[!!str, a]` (see `yaml/flow.rs`);
//! - the raw characters U+0085, U+2028 and U+2029, line breaks in YAML 1.1 only, and U+FEFF in
//!   YAML behind the start of the file; escaped ones are fine;
//! - what the parser, which follows YAML 1.2, does not know: a comment right behind a quote, `\'`
//!   in double quotes, a block scalar that is not indented deeper than its key's line;
//! - the tag `!!timestamp`;
//! - nesting deeper than [`MAX_DEPTH`] and more than [`MAX_BYTES`], [`MAX_MEMORY`] or [`MAX_TEXT`];
//! - URLs and file name patterns in `-f`.
//!
//! Accepted although kubectl refuses it, since its meaning is beyond doubt: lists within lists,
//! the escapes `\/` and `\ud83d\ude00` in YAML's double quotes, and a tab between tokens where
//! YAML 1.2 allows one.

mod budget;
mod document;
mod edit;
mod error;
mod json;
mod name;
mod namespace;
mod number;
mod order;
mod reference;
mod source;
mod text;
mod unbuilt;
mod validate;
pub mod yaml;

use std::fmt;
use std::io::{self, Read};
use std::sync::Arc;

use kube::core::GroupVersionKind;
use serde_json::Value;

use self::budget::Budget;
use crate::memory;
use crate::object::ObjectRef;

pub use budget::{MAX_BYTES, MAX_MEMORY, MAX_TEXT};
pub use edit::{EditError, EditErrors, Edits, ImageEdit};
pub use error::{ManifestError, ManifestErrors, Position};
pub use name::namespace_problem;
pub use namespace::{NamespaceMismatch, Scope, resolve_namespace};
pub(crate) use reference::{Reference, pod_template, references};
pub use source::Source;
pub use unbuilt::Unbuilt;

/// How many lists and mappings may stand within each other: as many as `serde_json`, and so the
/// client, can read back from the API server.
pub const MAX_DEPTH: usize = 127;

/// How many problems are told at most: who has that many reads no more of them.
const MOST_ERRORS: usize = 100;

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
    fn new(manifests: Vec<Manifest>) -> Self {
        let mut slots: Vec<_> = manifests.into_iter().map(Some).collect();
        let order = {
            let present: Vec<&Manifest> = slots.iter().flatten().collect();
            order::layers(&present).concat()
        };
        let manifests = order
            .into_iter()
            .filter_map(|index| slots[index].take())
            .collect();
        Self { manifests }
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

    /// The indexes of [`Self::manifests`] in layers: what is in one layer does not refer to each
    /// other and can be applied at the same time, once everything in the layers before it is.
    /// What deletes them goes through the layers backwards.
    #[must_use]
    pub fn layers(&self) -> Vec<Vec<usize>> {
        order::layers(&self.manifests.iter().collect::<Vec<_>>())
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
        if errors.len() >= MOST_ERRORS || budget.is_spent() {
            break;
        }
        let name = input.name();
        let text = input
            .read(standard_input, &mut budget.bytes)
            .and_then(|bytes| text::decode(&name, bytes, &budget));
        match text {
            Ok(text) => {
                files.push(name.clone());
                for document in document::read(&name, &text, &mut budget, &mut errors) {
                    validate::collect(document, &mut budget, &mut manifests, &mut errors);
                    if errors.len() >= MOST_ERRORS {
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

/// Reads the YAML of a configuration file, with the meaning that it has to kubectl.
///
/// # Errors
/// The line, from 1, where it is no YAML; what stands there is not said, since it may be secret.
pub(crate) fn read_yaml(text: &str) -> Result<Option<Value>, usize> {
    match yaml::parse_first(text, &mut Budget::default()) {
        Ok(value) => Ok(value),
        Err(problems) => Err(problems.first().map_or(1, |problem| problem.line)),
    }
}

#[cfg(test)]
mod tests;
