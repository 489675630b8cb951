//! A stream of text → its documents, by the rules of kubectl's `YAMLOrJSONDecoder`
//! (`apimachinery/pkg/util/yaml/decoder.go`).
//!
//! A stream that starts with `{` is read as JSON values one after the other. If the first or the
//! second of them turns out not to be JSON, the rest is YAML: `{a: b}` is a YAML document too.
//! YAML is first cut into documents at lines that start with `---`, and only then parsed; so
//! neither anchors nor directives reach from one document into the next.

use serde_json::Value;

use crate::budget::Budget;
use crate::problem::{Problem, ProblemKind};
use crate::{MOST_PROBLEMS, json, yaml};

/// After this many values, a JSON stream can no longer turn out to be YAML.
const UNAMBIGUOUS_JSON_VALUES: usize = 2;

const SEPARATOR: &str = "---";

/// A document that is not empty.
#[derive(Debug)]
pub struct Document {
    /// Its number in the stream, from 1.
    pub number: usize,
    /// The line in which it starts, from 1.
    pub line: usize,
    /// What it says.
    pub value: Value,
}

/// Reads all documents of a stream, and collects what is wrong with the others.
pub fn read(text: &str, budget: &mut Budget) -> (Vec<Document>, Vec<Problem>) {
    let mut reader = Reader {
        budget,
        problems: Vec::new(),
        documents: Vec::new(),
        rest: text,
        line: 1,
    };
    if text.trim_start_matches(json::WHITE_SPACE).starts_with('{') {
        reader.read_json();
    } else {
        reader.read_yaml();
    }
    (reader.documents, reader.problems)
}

struct Reader<'text, 'load> {
    budget: &'load mut Budget,
    problems: Vec<Problem>,
    documents: Vec<Document>,
    /// What is not read yet, and the line in which it starts.
    rest: &'text str,
    line: usize,
}

impl<'text> Reader<'text, '_> {
    fn read_json(&mut self) {
        let mut count = 0;
        while let Some(outcome) = json::read_first(self.rest, self.budget) {
            match outcome {
                Ok((value, length)) => {
                    let indent =
                        self.rest.len() - self.rest.trim_start_matches(json::WHITE_SPACE).len();
                    self.skip(indent);
                    self.push(self.line, value);
                    self.skip(length - indent);
                    count += 1;
                }
                Err(problem) => {
                    let ambiguous = count < UNAMBIGUOUS_JSON_VALUES
                        && matches!(problem.kind, json::ProblemKind::NotJson(_));
                    let error = self.json_error(problem);
                    if ambiguous {
                        self.read_yaml_instead(error);
                    } else {
                        self.problems.push(error);
                    }
                    return;
                }
            }
        }
    }

    /// Reads the rest as YAML. If that fails too, the error that counts is the one of the reader
    /// that came further, as it understood more of the text.
    fn read_yaml_instead(&mut self, json_error: Problem) {
        let before = self.problems.len();
        self.read_yaml();
        let place = |problem: &Problem| match problem.kind {
            ProblemKind::Syntax(_) => (problem.line, problem.column),
            _ => (usize::MAX, 0),
        };
        if let Some(first) = self.problems.get_mut(before)
            && place(first) <= place(&json_error)
        {
            *first = json_error;
        }
    }

    fn read_yaml(&mut self) {
        while self.problems.len() < MOST_PROBLEMS && !self.budget.is_spent() {
            let start = self.line;
            let (chunk, separator) = self.take_chunk();
            self.parse_yaml(chunk, start);
            let Some(after) = separator else { return };
            let after = after.trim();
            if !after.is_empty() && !after.starts_with('#') {
                self.problems.push(Problem {
                    kind: ProblemKind::Syntax(
                        "only a comment may follow `---` in its line, since kubectl takes \
                              nothing else"
                            .to_owned(),
                    ),
                    line: self.line - 1,
                    column: SEPARATOR.len() + 1,
                });
            }
        }
    }

    /// Takes the text up to the next separator line, and what follows `---` in that line; `None`
    /// where there is no further one.
    fn take_chunk(&mut self) -> (&'text str, Option<&'text str>) {
        let text = self.rest;
        let mut offset = 0;
        for line in text.split_inclusive('\n') {
            if let Some(after) = line.strip_prefix(SEPARATOR) {
                self.skip(offset + line.len());
                // A last separator line without a line break still counts as a line.
                if !line.ends_with('\n') {
                    self.line += 1;
                }
                return (&text[..offset], Some(after));
            }
            offset += line.len();
        }
        self.skip(text.len());
        (text, None)
    }

    fn parse_yaml(&mut self, chunk: &str, start: usize) {
        match yaml::parse(chunk, self.budget) {
            Ok(None | Some((_, Value::Null))) => {}
            Ok(Some((line, value))) => self.push(start + line - 1, value),
            Err(problems) => {
                let moved = |problem: Problem| Problem {
                    kind: match problem.kind {
                        ProblemKind::DuplicateKey { first_line } => ProblemKind::DuplicateKey {
                            first_line: first_line.map(|line| start + line - 1),
                        },
                        kind => kind,
                    },
                    line: start + problem.line - 1,
                    ..problem
                };
                self.problems.extend(problems.into_iter().map(moved));
            }
        }
    }

    fn json_error(&self, problem: json::Problem) -> Problem {
        // Only in its first line does the rest start somewhere else than in column 1; kubectl's
        // own JSON streams start each value in a line of its own, so this is left approximate.
        Problem {
            kind: match problem.kind {
                json::ProblemKind::NotJson(reason) => ProblemKind::Syntax(reason),
                json::ProblemKind::NumberOutOfRange => {
                    ProblemKind::Syntax("this number is out of range".to_owned())
                }
                json::ProblemKind::DuplicateKey => ProblemKind::DuplicateKey { first_line: None },
                json::ProblemKind::TooMuchMemory(reason) => ProblemKind::TooMuchMemory(reason),
            },
            line: self.line + problem.line - 1,
            column: problem.column,
        }
    }

    fn push(&mut self, line: usize, value: Value) {
        // What is no object has no place to be charged later.
        if !self.budget.take(size_of::<Document>()) {
            let reason = self.budget.refusal().unwrap_or_default();
            self.problems.push(Problem {
                kind: ProblemKind::TooMuchMemory(reason),
                line,
                column: 1,
            });
            return;
        }
        let number = self.documents.len() + 1;
        self.documents.push(Document {
            number,
            line,
            value,
        });
    }

    fn skip(&mut self, length: usize) {
        self.line += self.rest[..length].matches('\n').count();
        self.rest = &self.rest[length..];
    }
}
