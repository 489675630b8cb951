//! YAML → nodes with their positions. Scalars stay as written: the schema decides their type, not
//! their look.

use granit_parser::{Event, Parser, ScalarStyle, Span, StrInput, options};

use super::error::ConfigProblem;

/// Deeper than the schema; a limit for the recursion.
const DEEPEST: usize = 16;

/// A value and its position.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) place: Place,
    pub(super) value: Value,
}

/// A position in the file, both numbers from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) line: usize,
    pub(super) column: usize,
}

#[derive(Debug)]
pub(super) enum Value {
    /// Nothing was written, or `null` or `~`.
    Nothing,
    Scalar(String),
    List(Vec<Node>),
    Mapping(Vec<(Key, Node)>),
}

/// The key of a mapping, in `snake_case` regardless of its spelling.
#[derive(Debug)]
pub(super) struct Key {
    pub(super) name: String,
    pub(super) written: String,
    pub(super) place: Place,
}

impl Value {
    /// The type, in the words of an error.
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Nothing => "nothing",
            Self::Scalar(_) => "a single value",
            Self::List(_) => "a list",
            Self::Mapping(_) => "a mapping",
        }
    }
}

impl Place {
    fn of(span: Span) -> Self {
        Self {
            line: span.start.line(),
            column: span.start.col() + 1,
        }
    }

    pub(super) fn problem(self, message: impl Into<String>) -> ConfigProblem {
        ConfigProblem {
            line: self.line,
            column: self.column,
            message: message.into(),
        }
    }
}

/// The only document of a text; `None` for comments only.
pub(super) fn parse(text: &str) -> Result<Option<Node>, ConfigProblem> {
    let options = options! {
        disallow_directives: true,
        emit_comments: false,
        flow_nesting_limit: DEEPEST,
        block_nesting_limit: DEEPEST,
    };
    let mut tree = Tree {
        parser: Parser::new_from_str_with_options(text, options),
    };
    let mut document = None;
    loop {
        let (event, place) = tree.next()?;
        match event {
            Event::StreamEnd => return Ok(document),
            Event::DocumentStart(..) if document.is_some() => {
                return Err(place.problem("a second document starts here; only one is allowed"));
            }
            Event::DocumentStart(..) => {
                let (event, place) = tree.next()?;
                document = Some(tree.node(event, place)?);
            }
            _ => {}
        }
    }
}

struct Tree<'text> {
    parser: Parser<'text, StrInput<'text>>,
}

impl<'text> Tree<'text> {
    fn next(&mut self) -> Result<(Event<'text>, Place), ConfigProblem> {
        match self.parser.next_event() {
            Some(Ok((event, span))) => Ok((event, Place::of(span))),
            Some(Err(error)) => {
                let place = Place {
                    line: error.marker().line(),
                    column: error.marker().col() + 1,
                };
                Err(place.problem(format!("this is not YAML: {}", error.info())))
            }
            None => Ok((Event::StreamEnd, Place { line: 1, column: 1 })),
        }
    }

    fn node(&mut self, event: Event<'text>, place: Place) -> Result<Node, ConfigProblem> {
        let value = match event {
            Event::Scalar(.., Some(_))
            | Event::SequenceStart(.., Some(_))
            | Event::MappingStart(.., Some(_)) => {
                return Err(place.problem("tags (`!…`) are not supported here; leave this one out"));
            }
            Event::Scalar(text, ScalarStyle::Plain, ..)
                if matches!(&*text, "" | "~" | "null" | "Null" | "NULL") =>
            {
                Value::Nothing
            }
            Event::Scalar(text, ..) => Value::Scalar(text.into_owned()),
            Event::SequenceStart(..) => self.list()?,
            Event::MappingStart(..) => self.mapping()?,
            _ => {
                return Err(
                    place.problem("aliases (`*…`) are not supported here; repeat the value")
                );
            }
        };
        Ok(Node { place, value })
    }

    fn list(&mut self) -> Result<Value, ConfigProblem> {
        let mut items = Vec::new();
        loop {
            match self.next()? {
                (Event::SequenceEnd, _) => return Ok(Value::List(items)),
                (event, place) => items.push(self.node(event, place)?),
            }
        }
    }

    fn mapping(&mut self) -> Result<Value, ConfigProblem> {
        let mut entries = Vec::new();
        loop {
            let (event, place) = self.next()?;
            let written = match event {
                Event::MappingEnd => return Ok(Value::Mapping(entries)),
                Event::Scalar(text, ..) => text.into_owned(),
                _ => return Err(place.problem("a key must be a single word")),
            };
            let (event, value_place) = self.next()?;
            let node = self.node(event, value_place)?;
            let key = Key {
                name: written.replace('-', "_"),
                written,
                place,
            };
            entries.push((key, node));
        }
    }
}
