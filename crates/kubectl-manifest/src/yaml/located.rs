//! YAML → values as they are written, each with its place.

use granit_parser::{Event, Parser, ScalarStyle, Span, StrInput};

use super::scalar::{self, Scalar};
use super::{Spanned, parser};
use crate::problem::{Problem, ProblemKind};

/// A value as it is written, and where it starts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Located {
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
    /// What is written there.
    pub value: Written,
}

/// What is written, before anything decides which type it has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Written {
    /// Nothing, or `null` or `~` without quotes.
    Null,
    /// Any other scalar: its text without quotes, its escapes resolved.
    Scalar(String),
    /// A list.
    Sequence(Vec<Located>),
    /// Keys with their values, in their order. No key is compared with another, so one may be
    /// there twice.
    Mapping(Vec<(Located, Located)>),
}

/// Reads the only document of a text as it is written; `None` for nothing but comments.
///
/// This is for a file with a schema of its own, such as a program's configuration: the schema decides
/// which type a scalar has, and can name the place of every value that it refuses. The syntax is YAML
/// 1.2, JSON included. Nothing is repeated, so the tree grows with the text and needs no budget; limit
/// the length of the text.
///
/// # Errors
/// The first problem: a mistake in the syntax, a second document, a tag or an alias.
pub fn read_located(text: &str) -> Result<Option<Located>, Problem> {
    let mut reader = Reader {
        parser: parser(text),
    };
    let mut document = None;
    loop {
        match reader.next()? {
            (Event::StreamStart | Event::DocumentEnd, _) => {}
            (Event::StreamEnd, _) => return Ok(document),
            (_, span) if document.is_some() => {
                let reason = "a second document starts here; only one is allowed";
                return Err(Problem::other(span, reason));
            }
            _ => {
                let first = reader.next()?;
                document = Some(reader.node(first)?);
            }
        }
    }
}

struct Reader<'text> {
    parser: Parser<'text, StrInput<'text>>,
}

impl<'text> Reader<'text> {
    fn next(&mut self) -> Result<Spanned<'text>, Problem> {
        let Some(event) = self.parser.next_event() else {
            return Ok((Event::StreamEnd, Span::default()));
        };
        event.map_err(|error| Problem {
            kind: ProblemKind::Syntax(format!("this is not YAML: {}", error.info())),
            ..Problem::from(error)
        })
    }

    /// The node that starts with this event.
    fn node(&mut self, (event, span): Spanned<'text>) -> Result<Located, Problem> {
        let value = match event {
            Event::Scalar(.., Some(_))
            | Event::SequenceStart(.., Some(_))
            | Event::MappingStart(.., Some(_)) => {
                let reason = "tags (`!…`) are not supported here; leave this one out";
                return Err(Problem::other(span, reason));
            }
            Event::Scalar(text, style, ..) => {
                match scalar::resolve(&text, None, style == ScalarStyle::Plain) {
                    Ok(Scalar::Null) => Written::Null,
                    _ => Written::Scalar(text.into_owned()),
                }
            }
            Event::SequenceStart(..) => {
                let mut items = Vec::new();
                loop {
                    match self.next()? {
                        (Event::SequenceEnd, _) => break Written::Sequence(items),
                        item => items.push(self.node(item)?),
                    }
                }
            }
            Event::MappingStart(..) => {
                let mut entries = Vec::new();
                loop {
                    match self.next()? {
                        (Event::MappingEnd, _) => break Written::Mapping(entries),
                        key => {
                            let key = self.node(key)?;
                            let value = self.next()?;
                            entries.push((key, self.node(value)?));
                        }
                    }
                }
            }
            _ => {
                let reason = "aliases (`*…`) are not supported here; repeat the value";
                return Err(Problem::other(span, reason));
            }
        };
        Ok(Located {
            line: span.start.line(),
            column: span.start.col() + 1,
            value,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(line: usize, column: usize, value: Written) -> Located {
        Located {
            line,
            column,
            value,
        }
    }

    fn scalar(line: usize, column: usize, text: &str) -> Located {
        at(line, column, Written::Scalar(text.to_owned()))
    }

    #[test]
    fn every_value_has_its_place_and_its_text() {
        let text = "# first\nmode: 0400\non: [yes, 'null', \"\\u00e4\"]\nmode:\n";
        let list = vec![
            scalar(3, 6, "yes"),
            scalar(3, 11, "null"),
            scalar(3, 19, "ä"),
        ];
        let entries = vec![
            (scalar(2, 1, "mode"), scalar(2, 7, "0400")),
            (scalar(3, 1, "on"), at(3, 5, Written::Sequence(list))),
            (scalar(4, 1, "mode"), at(4, 5, Written::Null)),
        ];
        let root = at(2, 1, Written::Mapping(entries));
        assert_eq!(read_located(text), Ok(Some(root)));
    }

    #[test]
    fn comments_are_no_document_and_a_separator_may_start_one() {
        assert_eq!(read_located("# nothing\n"), Ok(None));
        assert_eq!(read_located("---\na\n"), Ok(Some(scalar(2, 1, "a"))));
    }

    #[test]
    fn what_it_cannot_read_is_named_with_its_place() {
        let table = [
            ("a: [", "this is not YAML: "),
            ("a: !x b", "tags "),
            ("a: &x 1\nb: *x", "aliases "),
            ("a\n---\nb", "a second document "),
            ("a: b\n}", "this is not YAML: "),
        ];
        let last = |text: &str| text.lines().count();
        for (text, reason) in table {
            let problem = read_located(text).unwrap_err();
            assert!(problem.kind.to_string().starts_with(reason), "{problem:?}");
            assert!((1..=last(text)).contains(&problem.line), "{problem:?}");
        }
    }

    #[test]
    fn nesting_has_a_limit() {
        assert!(read_located(&"[".repeat(100_000)).is_err());
        assert!(read_located(&"- ".repeat(100_000)).is_err());
    }
}
