//! YAML and JSON manifests with the meaning that they have to kubectl 1.37: how a stream falls into
//! documents, and YAML 1.1 with the quirks of the library that kubectl uses. [`read_located`] is for other
//! files: it tells what is written, and where.
//!
//! Refused here although kubectl accepts it, each with an error that says why:
//! - a key given twice in one mapping (kubectl silently takes the last value);
//! - text after a document's end, `...` or a closing brace (kubectl silently ignores it);
//! - bytes that are not valid UTF-8 or UTF-16, half of a surrogate pair in JSON, and `!!binary`
//!   data that is not text (kubectl puts replacement characters in their place);
//! - forms within brackets and braces that YAML 1.1 and 1.2 read differently: `[?a]`, `[a:]`,
//!   `[!!str, a]` (see `src/yaml/flow.rs`);
//! - the raw characters U+0085, U+2028 and U+2029, line breaks in YAML 1.1 only, and U+FEFF in
//!   YAML behind the start of the file; escaped ones are fine;
//! - what the parser, which follows YAML 1.2, does not know: a comment right behind a quote, `\'`
//!   in double quotes, a block scalar that is not indented deeper than its key's line;
//! - the tag `!!timestamp`;
//! - nesting deeper than [`MAX_DEPTH`] and more than [`MAX_BYTES`], [`MAX_MEMORY`] or [`MAX_TEXT`].
//!
//! Accepted although kubectl refuses it, since its meaning is beyond doubt: lists within lists,
//! the escapes `\/` and `\ud83d\ude00` in YAML's double quotes, and a tab between tokens where
//! YAML 1.2 allows one.

mod budget;
mod document;
mod json;
mod name;
mod number;
mod problem;
mod text;
mod yaml;

use serde_json::Value;

pub use self::budget::{Budget, MAX_BYTES, MAX_MEMORY, MAX_TEXT};
pub use self::document::{Document, read};
pub use self::name::{name_problem, namespace_problem};
pub use self::number::from_float;
pub use self::problem::{Problem, ProblemKind};
pub use self::text::{DecodeError, decode};
pub use self::yaml::{Located, Written, read_located};

/// How many lists and mappings may stand within each other: as many as `serde_json`, and so a
/// client, can read back from the API server.
pub const MAX_DEPTH: usize = 127;

/// How many problems are told at most: a reader who has that many reads no more of them.
pub const MOST_PROBLEMS: usize = 100;

/// Reads a text that stands for one object, as kubectl reads its own configuration: what follows the
/// first document is ignored, and so are all but the last of several values of one key.
///
/// # Errors
/// The first problem; what stands there is not said, since it may be secret.
pub fn read_first(text: &str) -> Result<Option<Value>, Problem> {
    yaml::parse_first(text, &mut Budget::default())
}

/// The code of the README is a test.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
