//! What can be wrong with manifests.
//!
//! No text of a manifest is ever quoted, since it may be a Secret: an error says where and what,
//! and names at most the object, a field or a key of `metadata`.

use std::fmt;
use std::io;

use kubectl_manifest::ProblemKind;
use thiserror::Error;

use super::{Origin, Unbuilt};
use crate::object::ObjectRef;

/// A place in a manifest's text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Position {
    /// The file, or `standard input`.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
}

impl fmt::Display for Position {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:{}:{}", self.file, self.line, self.column)
    }
}

/// One thing that is wrong with a manifest, or with where it should come from.
#[derive(Debug, Error)]
pub enum ManifestError {
    /// The file or folder does not exist or cannot be read.
    #[error("cannot read `{name}`: {error}")]
    Unreadable {
        /// The file, the folder, or `standard input`.
        name: String,
        /// What the operating system says. Shown, therefore not a `source`.
        error: io::Error,
    },
    /// The folder holds no manifests.
    #[error(
        "folder `{folder}` holds no `.json`, `.yaml` or `.yml` file{}",
        if *.recursive { "" } else { " (its subfolders were not searched)" }
    )]
    EmptyFolder {
        /// The folder.
        folder: String,
        /// Whether its subfolders were searched too.
        recursive: bool,
    },
    /// Manifests have to be built from it first.
    #[error("{0}")]
    Unbuilt(Unbuilt),
    /// `-` was given more than once.
    #[error("standard input can be read only once, but `-` was given several times")]
    StandardInputTwice,
    /// The input is larger than is read.
    #[error("`{name}` exceeds the {limit} bytes that all manifests together may have")]
    TooLarge {
        /// The file that crossed the limit.
        name: String,
        /// The limit in bytes.
        limit: u64,
    },
    /// The bytes are not text.
    #[error("`{name}` is not text in {encoding}")]
    NotText {
        /// The file.
        name: String,
        /// The encoding that it claims to be in.
        encoding: &'static str,
    },
    /// The text cannot be read as manifests.
    #[error("{position}: {problem}")]
    Text {
        /// Where.
        position: Position,
        /// What is wrong; never a quotation.
        problem: ProblemKind,
    },
    /// The document is well-formed but not a mapping.
    #[error("{origin}: not a Kubernetes object, but {found}")]
    NotAnObject {
        /// The document.
        origin: Origin,
        /// What it is, such as `a list`.
        found: &'static str,
    },
    /// A field that every object needs is missing or empty.
    #[error("{origin}: field `{field}` is missing")]
    MissingField {
        /// The object.
        origin: Origin,
        /// The field's path.
        field: &'static str,
    },
    /// A field has a type that it cannot have.
    #[error("{origin}: field `{field}` must be {expected}, not {found}")]
    WrongType {
        /// The object.
        origin: Origin,
        /// The field's path.
        field: String,
        /// The type that it must have.
        expected: &'static str,
        /// The type that it has.
        found: &'static str,
    },
    /// A field has the right type and an impossible value.
    #[error("{origin}: field `{field}` {problem}")]
    InvalidField {
        /// The object.
        origin: Origin,
        /// The field's path.
        field: &'static str,
        /// What is wrong with its value.
        problem: &'static str,
    },
    /// The object has `metadata.generateName` in place of a name.
    #[error("{origin}: `metadata.generateName` is not possible, since apply needs a name")]
    GenerateName {
        /// The object.
        origin: Origin,
    },
    /// An object that is not a list has `items`; kubectl would apply these and drop the object.
    #[error("{origin}: has `items`, but its kind does not end in `List`")]
    ItemsWithoutList {
        /// The object.
        origin: Origin,
    },
    /// One object is in the set twice.
    #[error("{second}: `{object}` was already given in {first}")]
    DuplicateObject {
        /// The object.
        object: Box<ObjectRef>,
        /// Where it was given first.
        first: Origin,
        /// Where it was given again.
        second: Origin,
    },
    /// There is nothing to apply.
    #[error("no objects in {}", .files.join(", "))]
    NoObjects {
        /// The names of what was read.
        files: Vec<String>,
    },
}

/// Everything that is wrong with a set of manifests; never empty. Displays one problem a line.
#[derive(Debug, Error)]
#[error("{}", lines(.0))]
pub struct ManifestErrors(pub Vec<ManifestError>);

fn lines(errors: &[ManifestError]) -> String {
    errors
        .iter()
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join("\n")
}
