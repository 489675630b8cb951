//! The grammar in which a person names fields: `[KIND/NAME:]PATH[@MANAGER]`.

use std::fmt;
use std::str::FromStr;

use crate::object::ObjectRef;

/// A pattern of fields: of which objects, where, and of which manager.
///
/// The path is written as the API server writes it. It means the field and everything below it; a `*`
/// stands for one element of the path. `*` in front of the colon means every object, and `KIND/*`
/// every object of a kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldPattern {
    object: Option<ObjectPattern>,
    path: String,
    manager: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum ObjectPattern {
    All,
    Named { kind: String, name: String },
}

/// Why a text is no pattern, as a clause.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadPattern {
    /// The path does not begin with a dot.
    #[error("the path must begin with a dot, such as `.spec.replicas`")]
    NoDot,
    /// What stands in front of the colon names no object.
    #[error("only `KIND/NAME`, `KIND/*` or `*` can stand in front of the colon")]
    NoObject,
    /// Nothing follows the `@`.
    #[error("a manager must follow the `@`")]
    NoManager,
    /// A bracket or a quotation mark is not closed.
    #[error("a bracket or quotation mark is not closed")]
    Open,
    /// An element of the path is empty.
    #[error("an element of the path is empty")]
    Empty,
}

impl FromStr for FieldPattern {
    type Err = BadPattern;

    fn from_str(text: &str) -> Result<Self, BadPattern> {
        // The group of a kind has dots too: `statefulset.apps/web:.spec`.
        let (object, rest) = if text.starts_with('.') {
            (None, text)
        } else {
            let (object, _) = text.split_once(":.").ok_or(BadPattern::NoDot)?;
            (Some(object), &text[object.len() + 1..])
        };
        let object = object.map(ObjectPattern::from_str).transpose()?;
        let elements = elements(rest)?;
        let length: usize = elements.iter().map(|element| element.len()).sum();
        let (path, manager) = rest.split_at(length);
        if elements.iter().any(|element| *element == ".") {
            return Err(BadPattern::Empty);
        }
        let manager = match manager.strip_prefix('@') {
            Some("") => return Err(BadPattern::NoManager),
            manager => manager.map(str::to_owned),
        };
        Ok(Self {
            object,
            path: path.to_owned(),
            manager,
        })
    }
}

impl FromStr for ObjectPattern {
    type Err = BadPattern;

    fn from_str(text: &str) -> Result<Self, BadPattern> {
        match text.split_once('/') {
            None if text == "*" => Ok(Self::All),
            Some((kind, name)) if !kind.is_empty() && !name.is_empty() => Ok(Self::Named {
                kind: kind.to_lowercase(),
                name: name.to_owned(),
            }),
            _ => Err(BadPattern::NoObject),
        }
    }
}

impl fmt::Display for FieldPattern {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.object {
            None => {}
            Some(ObjectPattern::All) => formatter.write_str("*:")?,
            Some(ObjectPattern::Named { kind, name }) => write!(formatter, "{kind}/{name}:")?,
        }
        formatter.write_str(&self.path)?;
        match &self.manager {
            Some(manager) => write!(formatter, "@{manager}"),
            None => Ok(()),
        }
    }
}

impl FieldPattern {
    /// The pattern that means one field of an object, whoever owns it.
    #[must_use]
    pub fn exactly(object: &ObjectRef, path: &str) -> Self {
        Self {
            object: Some(ObjectPattern::Named {
                kind: object.kind.to_lowercase(),
                name: object.name.clone(),
            }),
            path: path.to_owned(),
            manager: None,
        }
    }

    /// Whether it means a field of an object that a manager owns.
    #[must_use]
    pub fn matches(&self, object: &ObjectRef, path: &str, manager: &str) -> bool {
        self.means(object, path) && self.manager.as_deref().is_none_or(|own| own == manager)
    }

    /// The same, whoever owns it.
    #[must_use]
    pub fn means(&self, object: &ObjectRef, path: &str) -> bool {
        self.is_of(object) && self.is_above(path)
    }

    /// Whether it means fields of an object.
    fn is_of(&self, object: &ObjectRef) -> bool {
        match &self.object {
            None | Some(ObjectPattern::All) => true,
            Some(ObjectPattern::Named { kind, name }) => {
                let own = object.kind.to_lowercase();
                let is_kind = *kind == own || *kind == format!("{own}.{}", object.group);
                is_kind && (name == "*" || *name == object.name)
            }
        }
    }

    /// Whether it means the field at a path, or a field above it.
    fn is_above(&self, path: &str) -> bool {
        let (Ok(own), Ok(path)) = (elements(&self.path), elements(path)) else {
            return false;
        };
        own.len() <= path.len()
            && own
                .iter()
                .zip(path)
                .all(|(own, element)| matches!(*own, ".*" | "[*]") || *own == element)
    }
}

/// The elements of a path, up to an `@` outside of brackets. Dots inside of a map's key, as labels
/// have, divide it into several elements, in a pattern and in a path alike.
fn elements(text: &str) -> Result<Vec<&str>, BadPattern> {
    let mut found = Vec::new();
    let mut start = 0;
    let (mut is_in_brackets, mut is_quoted, mut is_escaped) = (false, false, false);
    for (place, character) in text.char_indices() {
        match character {
            _ if is_escaped => is_escaped = false,
            '\\' if is_quoted => is_escaped = true,
            '"' if is_in_brackets => is_quoted = !is_quoted,
            _ if is_quoted => {}
            ']' => is_in_brackets = false,
            '[' | '.' | '@' if !is_in_brackets => {
                if start < place {
                    found.push(&text[start..place]);
                }
                start = place;
                is_in_brackets = character == '[';
                if character == '@' {
                    break;
                }
            }
            _ => {}
        }
    }
    if is_in_brackets || is_quoted {
        return Err(BadPattern::Open);
    }
    let rest = &text[start..];
    if !rest.is_empty() && !rest.starts_with('@') {
        found.push(rest);
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    const IMAGE: &str = ".spec.template.spec.containers[name=\"a.b@c]\"].image";

    fn web() -> ObjectRef {
        ObjectRef::new("apps", "StatefulSet", Some("shop"), "web")
    }

    fn matches(pattern: &str, path: &str) -> bool {
        let pattern: FieldPattern = pattern.parse().unwrap();
        pattern.matches(&web(), path, "kubectl")
    }

    #[test]
    fn a_pattern_reads_as_it_was_written() {
        for text in [
            ".spec.replicas",
            "*:.spec.replicas",
            "statefulset/web:.spec.replicas@kubectl-edit",
            "statefulset.apps/*:.spec",
            IMAGE,
            ".metadata.labels.app.kubernetes.io/name",
            ".spec.ports[port=80,protocol=\"TCP\"].port@a@b",
        ] {
            let pattern: FieldPattern = text.parse().unwrap();
            assert_eq!(pattern.to_string(), text);
        }
        assert_eq!(
            FieldPattern::exactly(&web(), ".spec.replicas").to_string(),
            "statefulset/web:.spec.replicas"
        );
    }

    #[test]
    fn what_is_no_pattern_is_refused_with_its_reason() {
        let table = [
            ("", BadPattern::NoDot),
            ("spec.replicas", BadPattern::NoDot),
            ("statefulset/web", BadPattern::NoDot),
            ("web:.spec", BadPattern::NoObject),
            ("statefulset/:.spec", BadPattern::NoObject),
            (".spec.replicas@", BadPattern::NoManager),
            (".spec.containers[name=\"a", BadPattern::Open),
            (".spec..replicas", BadPattern::Empty),
            (".", BadPattern::Empty),
        ];
        for (text, reason) in table {
            assert_eq!(text.parse::<FieldPattern>(), Err(reason), "{text}");
        }
    }

    #[test]
    fn a_pattern_means_a_field_and_what_is_below_it() {
        let table = [
            (".spec.replicas", ".spec.replicas", true),
            (".spec", ".spec.replicas", true),
            (".spec.replicas", ".spec", false),
            (".spec.rep", ".spec.replicas", false),
            (".spec.template.spec.containers[*].image", IMAGE, true),
            (".spec.template.spec.containers.image", IMAGE, false),
            (".spec.*.spec", IMAGE, true),
            (
                ".metadata.labels.app.kubernetes.io/name",
                ".metadata.labels.app.kubernetes.io/name",
                true,
            ),
            ("*:.spec.replicas", ".spec.replicas", true),
            ("statefulset/web:.spec", ".spec.replicas", true),
            ("StatefulSet.apps/*:.spec", ".spec.replicas", true),
            ("statefulset/other:.spec", ".spec.replicas", false),
            ("deployment/web:.spec", ".spec.replicas", false),
            (".spec.replicas@kubectl", ".spec.replicas", true),
            (".spec.replicas@kubectl-edit", ".spec.replicas", false),
        ];
        for (pattern, path, expected) in table {
            assert_eq!(matches(pattern, path), expected, "{pattern} {path}");
        }
    }
}
