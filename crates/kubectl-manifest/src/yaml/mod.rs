//! YAML → JSON values, with the meaning that the text has to kubectl.
//!
//! The syntax is left to `granit-parser`, the event parser below serde-saphyr; what its events
//! mean is decided here, since kubectl decides it by YAML 1.1 as understood by its library
//! (`sigs.k8s.io/yaml` 1.6 on `go.yaml.in/yaml/v2` 2.4): its `resolve.go` for scalars, its
//! `decode.go` for merge keys and aliases, and `yaml.go` of the former for the way into JSON.

mod build;
mod flow;
mod key;
mod located;
mod scalar;

use granit_parser::{ErrorKind, Event, Parser, ScanError, Span, StrInput, options};
use serde_json::Value;

use self::build::Builder;
use crate::MAX_DEPTH;
use crate::budget::Budget;
use crate::problem::{Problem, ProblemKind};

pub use self::located::{Located, Written, read_located};

/// Reads a text that holds at most one document, and says in which line its content starts;
/// `None` for nothing but comments and white space.
pub(super) fn parse(
    text: &str,
    budget: &mut Budget,
) -> Result<Option<(usize, Value)>, Vec<Problem>> {
    refuse_ambiguous_characters(text)?;
    Builder::new(text, budget).document()
}

/// Reads a text that stands for one object, as kubectl reads its own configuration: what follows the
/// first document is ignored, and so are all but the last of several values of one key.
pub(super) fn parse_first(text: &str, budget: &mut Budget) -> Result<Option<Value>, Problem> {
    first_value(text, budget).map_err(|problems| {
        problems.into_iter().next().unwrap_or_else(|| Problem {
            kind: ProblemKind::Syntax("it is not valid YAML".to_owned()),
            line: 1,
            column: 1,
        })
    })
}

fn first_value(text: &str, budget: &mut Budget) -> Result<Option<Value>, Vec<Problem>> {
    let text = first_document(text.trim_start_matches('\u{feff}'));
    refuse_ambiguous_characters(text)?;
    let document = Builder::new(text, budget).last_key_wins().document()?;
    Ok(document.map(|(_, value)| value))
}

fn first_document(text: &str) -> &str {
    let mut start = 0;
    let mut offset = 0;
    let mut has_content = false;
    for line in text.split_inclusive('\n') {
        if line.trim_end() == "---" {
            if has_content {
                return &text[start..offset];
            }
            start = offset + line.len();
        }
        let content = line.trim();
        has_content |= !content.is_empty() && !content.starts_with('#') && content != "---";
        offset += line.len();
    }
    &text[start..]
}

/// Characters that mean something else to kubectl than to our parser: the first three end a line
/// in YAML 1.1 (§4.2) but not in 1.2, and a byte-order mark is text to kubectl at the start of
/// every document but the first. Escaped ones are the same to both.
const AMBIGUOUS: [char; 4] = ['\u{85}', '\u{2028}', '\u{2029}', '\u{feff}'];

fn refuse_ambiguous_characters(text: &str) -> Result<(), Vec<Problem>> {
    let Some(offset) = text.find(AMBIGUOUS) else {
        return Ok(());
    };
    let before = &text[..offset];
    let line_start = before.rfind('\n').map_or(0, |index| index + 1);
    Err(vec![Problem {
        kind: ProblemKind::Syntax(
            "U+0085, U+2028, U+2029 and U+FEFF have another meaning to kubectl (YAML 1.1) than \
             in YAML 1.2: write them escaped in double quotes"
                .to_owned(),
        ),
        line: before.matches('\n').count() + 1,
        column: before[line_start..].chars().count() + 1,
    }])
}

impl Problem {
    fn at(span: Span, kind: ProblemKind) -> Self {
        Self {
            kind,
            line: span.start.line(),
            column: span.start.col() + 1,
        }
    }

    fn other(span: Span, text: &str) -> Self {
        Self::at(span, ProblemKind::Syntax(text.to_owned()))
    }
}

impl From<ScanError> for Problem {
    fn from(error: ScanError) -> Self {
        let text = match error.kind() {
            ErrorKind::ExpectedDocumentStart => {
                "the document has ended before this; kubectl would silently ignore the rest"
                    .to_owned()
            }
            _ => error.info(),
        };
        Self {
            kind: ProblemKind::Syntax(text),
            line: error.marker().line(),
            column: error.marker().col() + 1,
        }
    }
}

/// The events of a text: the same syntax for every reader.
fn parser(text: &str) -> Parser<'_, StrInput<'_>> {
    let options = options! {
        disallow_directives: true,
        emit_comments: false,
        flow_nesting_limit: MAX_DEPTH,
        block_nesting_limit: MAX_DEPTH,
    };
    Parser::new_from_str_with_options(text, options)
}

/// A parser event with its place.
type Spanned<'text> = (Event<'text>, Span);

#[cfg(test)]
mod tests;
