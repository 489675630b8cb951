//! Typed reading of nodes. A problem is noted and reading continues, so all problems are reported
//! at once.

use kubectl_manifest::{Located, Written};

use super::error::ConfigProblem;

/// Reads nodes and notes their problems.
#[derive(Default)]
pub(super) struct Reader {
    problems: Vec<ConfigProblem>,
}

/// The entries of a mapping by key: every key is known, and none occurs twice.
pub(super) struct Fields<'node> {
    /// The path of the mapping, such as `chaos`; empty at the top.
    path: String,
    node: &'node Located,
    entries: Vec<(&'static str, &'node Located)>,
}

impl<'node> Fields<'node> {
    /// The path of a key, as users write it.
    pub(super) fn path(&self, key: &str) -> String {
        if self.path.is_empty() {
            key.to_owned()
        } else {
            format!("{}.{key}", self.path)
        }
    }

    pub(super) fn get(&self, key: &str) -> Option<&'node Located> {
        let found = self.entries.iter().find(|(name, _)| *name == key);
        found.map(|(_, node)| *node)
    }
}

impl Reader {
    /// All problems, by line.
    pub(super) fn problems(mut self) -> Vec<ConfigProblem> {
        self.problems
            .sort_by_key(|problem| (problem.line, problem.column));
        self.problems
    }

    pub(super) fn note(&mut self, node: &Located, message: impl Into<String>) {
        self.problems.push(ConfigProblem {
            line: node.line,
            column: node.column,
            message: message.into(),
        });
    }

    /// A mapping with only these keys.
    pub(super) fn mapping<'node>(
        &mut self,
        node: &'node Located,
        path: &str,
        known: &[&'static str],
    ) -> Fields<'node> {
        let mut fields = Fields {
            path: path.to_owned(),
            node,
            entries: Vec::new(),
        };
        let Written::Mapping(entries) = &node.value else {
            let name = if path.is_empty() { "the file" } else { path };
            let message = format!(
                "`{name}` must be a mapping with keys such as `{}`, not {}",
                known.first().unwrap_or(&""),
                type_name(&node.value)
            );
            self.note(node, message);
            return fields;
        };
        for (key, value) in entries {
            let Written::Scalar(written) = &key.value else {
                self.note(key, "a key must be a single word");
                continue;
            };
            // A key may be written with hyphens.
            let wanted = written.replace('-', "_");
            let Some(name) = known.iter().find(|name| **name == wanted) else {
                let message = unknown(&fields.path(written), &wanted, known);
                self.note(key, message);
                continue;
            };
            if let Some(first) = fields.get(name) {
                let message = format!(
                    "`{}` was already given in line {}; keep one of them",
                    fields.path(name),
                    first.line
                );
                self.note(key, message);
                continue;
            }
            fields.entries.push((name, value));
        }
        fields
    }

    /// A mapping inside another.
    pub(super) fn section<'node>(
        &mut self,
        fields: &Fields<'node>,
        key: &'static str,
        known: &[&'static str],
    ) -> Option<Fields<'node>> {
        let node = fields.get(key)?;
        Some(self.mapping(node, &fields.path(key), known))
    }

    /// The items of a list, each with its path.
    pub(super) fn list<'node>(
        &mut self,
        fields: &Fields<'node>,
        key: &'static str,
    ) -> Vec<(String, &'node Located)> {
        let Some(node) = fields.get(key) else {
            return Vec::new();
        };
        let path = fields.path(key);
        let Written::Sequence(items) = &node.value else {
            let message = format!(
                "`{path}` must be a list, each entry after a `-`, not {}",
                type_name(&node.value)
            );
            self.note(node, message);
            return Vec::new();
        };
        let item = |(index, item)| (format!("{path}[{index}]"), item);
        items.iter().enumerate().map(item).collect()
    }

    /// A value with a parser, whose error says what is expected.
    pub(super) fn parsed<T>(
        &mut self,
        node: &Located,
        path: &str,
        parse: impl FnOnce(&str) -> Result<T, String>,
    ) -> Option<T> {
        let (given, expected) = match &node.value {
            Written::Scalar(text) => match parse(text) {
                Ok(value) => return Some(value),
                Err(expected) => (format!("`{}`", shortened(text)), expected),
            },
            other => {
                let expected = match parse("") {
                    Err(expected) => expected,
                    Ok(_) => "a single value".to_owned(),
                };
                (type_name(other).to_owned(), expected)
            }
        };
        self.note(node, format!("`{path}` must be {expected}; it is {given}"));
        None
    }

    /// The value of a key, if it exists and is valid.
    pub(super) fn value<T>(
        &mut self,
        fields: &Fields<'_>,
        key: &'static str,
        parse: impl FnOnce(&str) -> Result<T, String>,
    ) -> Option<T> {
        let node = fields.get(key)?;
        self.parsed(node, &fields.path(key), parse)
    }

    /// The value of a required key.
    pub(super) fn required<T>(
        &mut self,
        fields: &Fields<'_>,
        key: &'static str,
        parse: impl FnOnce(&str) -> Result<T, String>,
    ) -> Option<T> {
        if fields.get(key).is_none() {
            let message = format!("`{}` is missing but required here", fields.path(key));
            self.note(fields.node, message);
        }
        self.value(fields, key, parse)
    }
}

/// The type, in the words of an error.
fn type_name(value: &Written) -> &'static str {
    match value {
        Written::Null => "nothing",
        Written::Scalar(_) => "a single value",
        Written::Sequence(_) => "a list",
        Written::Mapping(_) => "a mapping",
    }
}

fn unknown(path: &str, name: &str, known: &[&str]) -> String {
    let keys: Vec<String> = known.iter().map(|key| format!("`{key}`")).collect();
    let keys = keys.join(", ");
    match similar::get_close_matches(name, known, 1, 0.7).first() {
        Some(close) => {
            format!("`{path}` is not a known key: did you mean `{close}`? The keys here are {keys}")
        }
        None => format!("`{path}` is not a known key; the keys here are {keys}"),
    }
}

/// A value, as errors show it.
const SHOWN: usize = 60;

fn shortened(text: &str) -> String {
    if text.chars().count() <= SHOWN {
        return text.to_owned();
    }
    let beginning: String = text.chars().take(SHOWN).collect();
    format!("{beginning}…")
}
