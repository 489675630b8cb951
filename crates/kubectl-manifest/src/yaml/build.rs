//! Parser events → a JSON value: anchors, merge keys, keys given twice, and the budget.

use std::collections::HashMap;

use granit_parser::{Event, Marker, Parser, ScalarStyle, Span, StrInput, Tag};
use serde_json::{Map, Value};

use super::flow::FlowContext;
use super::scalar::Scalar;
use super::{Spanned, key, parser, scalar};
use crate::budget::{Budget, fitted};
use crate::problem::{Problem, ProblemKind};
use crate::{MAX_DEPTH, MOST_PROBLEMS};

/// A node with as much of its type as a merge or a key needs.
#[derive(Clone)]
enum Node {
    Scalar(Scalar),
    Sequence(Vec<Value>),
    Mapping(Map<String, Value>),
}

/// In which lines the keys of a mapping stand, while it is read.
#[derive(Default)]
struct Written {
    lines: HashMap<String, usize>,
    /// What they have cost.
    cost: usize,
}

impl Written {
    fn pay(&mut self, budget: &mut Budget, key: &str) -> bool {
        let cost = 2 * size_of::<(String, usize)>() + key.len();
        self.cost += cost;
        budget.take(cost)
    }
}

/// Builds one document's value.
pub(super) struct Builder<'text, 'budget> {
    text: &'text str,
    parser: Parser<'text, StrInput<'text>>,
    flow: FlowContext,
    /// How many collections are open.
    depth: usize,
    budget: &'budget mut Budget,
    /// The anchored nodes that are complete, so an alias within its own anchor finds none.
    anchors: HashMap<usize, Node>,
    /// What is wrong but does not keep the rest from being read.
    problems: Vec<Problem>,
    last_key_wins: bool,
}

impl<'text, 'budget> Builder<'text, 'budget> {
    pub(super) fn new(text: &'text str, budget: &'budget mut Budget) -> Self {
        Self {
            text,
            parser: parser(text),
            flow: FlowContext::default(),
            depth: 0,
            budget,
            anchors: HashMap::new(),
            problems: Vec::new(),
            last_key_wins: false,
        }
    }

    /// The document's value and the line in which its content starts.
    pub(super) fn document(mut self) -> Result<Option<(usize, Value)>, Vec<Problem>> {
        match self.read_document() {
            Ok(document) if self.problems.is_empty() => Ok(document),
            Ok(document) if self.last_key_wins && self.has_only_duplicates() => Ok(document),
            Ok(_) => Err(self.problems),
            Err(problem) => {
                self.problems.push(problem);
                Err(self.problems)
            }
        }
    }

    /// Takes the last value of a key that is given twice, as kubectl does.
    pub(super) fn last_key_wins(self) -> Self {
        Self {
            last_key_wins: true,
            ..self
        }
    }

    fn has_only_duplicates(&self) -> bool {
        self.problems
            .iter()
            .all(|problem| matches!(problem.kind, ProblemKind::DuplicateKey { .. }))
    }

    fn read_document(&mut self) -> Result<Option<(usize, Value)>, Problem> {
        let mut document = None;
        loop {
            let (event, span) = self.next()?;
            match event {
                Event::StreamStart | Event::DocumentEnd => {}
                Event::StreamEnd => return Ok(document),
                Event::DocumentStart(..) if document.is_some() => return Err(ignored(span)),
                // The lines with separators are gone, as far as kubectl takes them for lines.
                Event::DocumentStart(true, _) => {
                    return Err(Problem::other(
                        span,
                        "a carriage return alone does not end a line before `---` to kubectl",
                    ));
                }
                Event::DocumentStart(..) => {
                    let first = self.next()?;
                    let start = first.1.start;
                    if self.follows_document_end(start) {
                        return Err(ignored(first.1));
                    }
                    document = Some((start.line(), self.value(first)?));
                }
                _ => return Err(unexpected(span)),
            }
        }
    }

    /// Whether `...` stands before the first document, where our parser skips it.
    fn follows_document_end(&self, start: Marker) -> bool {
        let before = start
            .byte_offset()
            .and_then(|offset| self.text.get(..offset));
        before
            .unwrap_or_default()
            .lines()
            .any(|line| line.starts_with("..."))
    }

    fn next(&mut self) -> Result<Spanned<'text>, Problem> {
        let Some(event) = self.parser.next_event() else {
            return Err(unexpected(Span::default()));
        };
        let (event, span) = event?;
        self.flow
            .observe(&event, span, self.text)
            .map_err(|reason| Problem::other(span, reason))?;
        Ok((event, span))
    }

    fn value(&mut self, event: Spanned<'text>) -> Result<Value, Problem> {
        let span = event.1;
        match self.node(event)? {
            Node::Sequence(items) => Ok(Value::Array(items)),
            Node::Mapping(map) => Ok(Value::Object(map)),
            Node::Scalar(scalar) => scalar.into_value().ok_or_else(|| {
                Problem::other(
                    span,
                    "infinity and NaN cannot be sent: JSON has no such numbers",
                )
            }),
        }
    }

    /// The node that starts with this event.
    fn node(&mut self, (event, span): Spanned<'text>) -> Result<Node, Problem> {
        let (node, anchor) = match event {
            Event::Alias(anchor) => return self.alias(anchor, span),
            Event::Scalar(text, style, anchor, tag) => {
                let tag = tag.map(|tag| full_name(&tag));
                let is_affordable = self.budget.take_text(text.len());
                self.afforded(is_affordable, span)?;
                let scalar = scalar::resolve(&text, tag.as_deref(), style == ScalarStyle::Plain)
                    .map_err(|reason| Problem::other(span, reason))?;
                (Node::Scalar(scalar), anchor)
            }
            // Tags of collections say nothing to kubectl's library.
            Event::SequenceStart(_, anchor, _) => {
                self.descend(span)?;
                (Node::Sequence(self.sequence()?), anchor)
            }
            Event::MappingStart(_, anchor, _) => {
                self.descend(span)?;
                (Node::Mapping(self.mapping()?), anchor)
            }
            _ => return Err(unexpected(span)),
        };
        if anchor > 0 {
            let is_affordable = pay_for_copy(self.budget, &node);
            self.afforded(is_affordable, span)?;
            self.anchors.insert(anchor, node.clone());
        }
        Ok(node)
    }

    fn descend(&mut self, span: Span) -> Result<(), Problem> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(Problem::other(span, "nested too deeply"));
        }
        let is_affordable = self.budget.take_collection();
        self.afforded(is_affordable, span)
    }

    fn alias(&mut self, anchor: usize, span: Span) -> Result<Node, Problem> {
        let Some(node) = self.anchors.get(&anchor) else {
            return Err(Problem::other(
                span,
                "an alias stands within the value that it repeats",
            ));
        };
        // Paid for before it is copied.
        if pay_for_copy(self.budget, node) {
            Ok(node.clone())
        } else {
            Err(self.refused(span))
        }
    }

    fn sequence(&mut self) -> Result<Vec<Value>, Problem> {
        let mut items = Vec::new();
        loop {
            match self.next()? {
                (Event::SequenceEnd, _) => {
                    self.depth -= 1;
                    items.shrink_to_fit();
                    return Ok(items);
                }
                event => {
                    let is_affordable = self.budget.take_item();
                    self.afforded(is_affordable, event.1)?;
                    items.push(self.value(event)?);
                }
            }
        }
    }

    fn mapping(&mut self) -> Result<Map<String, Value>, Problem> {
        let mut map = Map::new();
        // Only keys written in this very mapping can be given twice: what comes through a merge
        // may be replaced.
        let mut written = Written::default();
        loop {
            let (event, span) = match self.next()? {
                (Event::MappingEnd, _) => {
                    self.depth -= 1;
                    self.budget.give_back(written.cost);
                    return Ok(fitted(map));
                }
                event => event,
            };
            if is_merge_key(&event) {
                let value = self.next()?;
                self.merge(value, &mut map)?;
                continue;
            }
            let key = match self.node((event, span))? {
                Node::Scalar(scalar) => key::to_string(scalar),
                Node::Sequence(_) | Node::Mapping(_) => {
                    Err("a key is a list or a mapping, which JSON does not have")
                }
            };
            let key = key.map_err(|reason| Problem::other(span, reason))?;
            let is_affordable = self.budget.take_entry(&key) && written.pay(self.budget, &key);
            self.afforded(is_affordable, span)?;
            let value = self.next()?;
            let value = self.value(value)?;
            if let Some(first_line) = written.lines.insert(key.clone(), span.start.line()) {
                let problem = Problem::at(
                    span,
                    ProblemKind::DuplicateKey {
                        first_line: Some(first_line),
                    },
                );
                if self.problems.len() == MOST_PROBLEMS {
                    return Err(problem);
                }
                self.problems.push(problem);
            }
            map.insert(key, value);
        }
    }

    /// Merges what stands after `<<` (`merge` in `decode.go`). Unlike the specification of merge
    /// keys, it replaces what was written *before* it; what is written after it wins.
    fn merge(
        &mut self,
        (event, span): Spanned<'text>,
        map: &mut Map<String, Value>,
    ) -> Result<(), Problem> {
        let wrong = || Problem::other(span, "`<<` needs a mapping, or a list of mappings");
        match event {
            Event::MappingStart(..) | Event::Alias(_) => match self.node((event, span))? {
                Node::Mapping(source) => map.extend(source),
                Node::Scalar(_) | Node::Sequence(_) => return Err(wrong()),
            },
            Event::SequenceStart(..) => {
                let mut sources = Vec::new();
                loop {
                    match self.next()? {
                        (Event::SequenceEnd, _) => break,
                        event => match self.node(event)? {
                            Node::Mapping(source) => sources.push(source),
                            Node::Scalar(_) | Node::Sequence(_) => return Err(wrong()),
                        },
                    }
                }
                // The first of several mappings wins.
                sources
                    .into_iter()
                    .rev()
                    .for_each(|source| map.extend(source));
            }
            _ => return Err(wrong()),
        }
        Ok(())
    }

    fn afforded(&self, is_affordable: bool, span: Span) -> Result<(), Problem> {
        if is_affordable {
            Ok(())
        } else {
            Err(self.refused(span))
        }
    }

    fn refused(&self, span: Span) -> Problem {
        let reason = self.budget.refusal().unwrap_or_default();
        Problem::at(span, ProblemKind::TooMuchMemory(reason))
    }
}

/// Takes from the budget what a copy of a node costs.
fn pay_for_copy(budget: &mut Budget, node: &Node) -> bool {
    match node {
        Node::Scalar(Scalar::String(text)) => budget.take_text(text.len()),
        Node::Scalar(_) => true,
        Node::Sequence(items) => budget.take_copy_of_list(items),
        Node::Mapping(map) => budget.take_copy_of_mapping(map),
    }
}

/// Whether a key is `<<`, unquoted or tagged as a merge key (`isMerge` in `decode.go`).
fn is_merge_key(event: &Event<'_>) -> bool {
    let Event::Scalar(text, style, _, tag) = event else {
        return false;
    };
    text == "<<"
        && match tag.as_deref().map(full_name).as_deref() {
            None => *style == ScalarStyle::Plain,
            Some(tag) => tag == "!" || tag == "tag:yaml.org,2002:merge",
        }
}

fn full_name(tag: &Tag) -> String {
    format!("{}{}", tag.handle(), tag.suffix())
}

fn ignored(span: Span) -> Problem {
    Problem::other(
        span,
        "kubectl silently ignores what follows the document's end `...`: separate documents with \
         `---`",
    )
}

fn unexpected(span: Span) -> Problem {
    Problem::other(span, "the document ends too early")
}
