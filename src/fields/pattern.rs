//! The grammar in which a person names fields: `[KIND/NAME:]PATH[@MANAGER]`.

use std::fmt;
use std::str::FromStr;

use super::owner::EXPERIMENT_MANAGER;
use super::path::FieldPath;
use crate::object::{ObjectRef, is_kind};

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
    /// It means every field.
    #[error("it means every field: name at least one element of the path")]
    Everything,
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
        // A key of a map may begin with a dot: `.data..dockerconfigjson`.
        if [elements.first(), elements.last()].contains(&Some(&".")) {
            return Err(BadPattern::Empty);
        }
        if elements.iter().all(|element| *element == ".*") {
            return Err(BadPattern::Everything);
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
        let (kind, name) = (object.kind_with_group(), object.name.clone());
        Self {
            object: Some(ObjectPattern::Named { kind, name }),
            path: path.to_owned(),
            manager: None,
        }
    }

    /// The pattern that means a field of any object as far as one manager owns it.
    pub(super) fn written_by(path: &str, manager: &str) -> Self {
        Self {
            object: Some(ObjectPattern::All),
            path: path.to_owned(),
            manager: Some(manager.to_owned()),
        }
    }

    /// Whether it means a field of an object that a manager owns. The fields of an experiment are
    /// meant only by its name: it puts them back by itself.
    #[must_use]
    pub fn matches(&self, object: &ObjectRef, path: &FieldPath, manager: &str) -> bool {
        let is_owner = match self.manager.as_deref() {
            Some(own) => own == manager,
            None => manager != EXPERIMENT_MANAGER,
        };
        is_owner && self.means(object, path)
    }

    /// Whether it means a field of an object, whoever owns it.
    #[must_use]
    pub fn means(&self, object: &ObjectRef, path: &FieldPath) -> bool {
        self.is_of(object) && self.is_above(path)
    }

    /// Whether it means fields of an object. A kind without its group is one of Kubernetes itself.
    #[must_use]
    pub fn is_of(&self, object: &ObjectRef) -> bool {
        match &self.object {
            None | Some(ObjectPattern::All) => true,
            Some(ObjectPattern::Named { kind, name }) => {
                is_kind(kind, object) && (name == "*" || *name == object.name)
            }
        }
    }

    /// Whether it means the field at a path, or a field above it: it has to end where an element ends,
    /// because a key of a map may contain dots.
    fn is_above(&self, path: &FieldPath) -> bool {
        let mut rest = self.path.as_str();
        for element in path.elements() {
            if rest.is_empty() {
                return true;
            }
            let after = rest.strip_prefix(element.as_str()).or_else(|| {
                let any = if element.starts_with('.') {
                    ".*"
                } else {
                    "[*]"
                };
                let after = rest.strip_prefix(any)?;
                (after.is_empty() || after.starts_with(['.', '['])).then_some(after)
            });
            match after {
                Some(after) => rest = after,
                None => return false,
            }
        }
        rest.is_empty()
    }
}

/// The elements of a pattern's path, up to an `@` outside of brackets.
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

    /// The path that leads through these elements of `fieldsV1`.
    fn path(elements: &[&str]) -> FieldPath {
        let mut fields = serde_json::json!({});
        for element in elements.iter().rev() {
            fields = serde_json::json!({ *element: fields });
        }
        super::super::path::paths(&fields).pop().unwrap()
    }

    fn image() -> FieldPath {
        let api = "k:{\"name\":\"a.b@c]\"}";
        path(&[
            "f:spec",
            "f:template",
            "f:spec",
            "f:containers",
            api,
            "f:image",
        ])
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
            ".data..dockerconfigjson",
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
            ("..spec", BadPattern::Empty),
            (".spec.", BadPattern::Empty),
            (".", BadPattern::Empty),
            (".*", BadPattern::Everything),
            ("*:.*", BadPattern::Everything),
        ];
        for (text, reason) in table {
            assert_eq!(text.parse::<FieldPattern>(), Err(reason), "{text}");
        }
    }

    #[test]
    fn a_pattern_means_a_field_and_what_is_below_it() {
        let replicas = || path(&["f:spec", "f:replicas"]);
        let named = || path(&["f:metadata", "f:labels", "f:app.kubernetes.io/name"]);
        let table = [
            (".spec.replicas", replicas(), true),
            (".spec", replicas(), true),
            (".spec.replicas", path(&["f:spec"]), false),
            (".spec.rep", replicas(), false),
            (".spec.replicasx", replicas(), false),
            (".spec.template.spec.containers[*].image", image(), true),
            (IMAGE, image(), true),
            (".spec.template.spec.containers.image", image(), false),
            (".spec.*.spec", image(), true),
            (".spec.*x", replicas(), false),
            (".metadata.labels.app.kubernetes.io/name", named(), true),
            (".metadata.labels.app", named(), false),
            (".data..env", path(&["f:data", "f:.env"]), true),
            ("*:.spec.replicas", replicas(), true),
            ("statefulset/web:.spec", replicas(), true),
            ("StatefulSet.apps/*:.spec", replicas(), true),
            ("statefulset/other:.spec", replicas(), false),
            ("deployment/web:.spec", replicas(), false),
            (".spec.replicas@kubectl", replicas(), true),
            (".spec.replicas@kubectl-edit", replicas(), false),
        ];
        for (text, path, expected) in table {
            let pattern: FieldPattern = text.parse().unwrap();
            let matches = pattern.matches(&web(), &path, "kubectl");
            assert_eq!(matches, expected, "{text} {path}");
        }
    }

    #[test]
    fn what_an_experiment_has_changed_is_meant_only_by_its_name() {
        let matches = |text: &str| {
            let pattern: FieldPattern = text.parse().unwrap();
            let replicas = path(&["f:spec", "f:replicas"]);
            pattern.matches(&web(), &replicas, EXPERIMENT_MANAGER)
        };
        assert!(!matches("*:.spec.replicas"));
        assert!(matches("*:.spec.replicas@cryptoctl-chaos"));
    }

    #[test]
    fn a_kind_of_another_group_needs_its_group() {
        let matches = |text: &str| {
            let pattern: FieldPattern = text.parse().unwrap();
            let service = ObjectRef::new("serving.knative.dev", "Service", Some("shop"), "web");
            pattern.is_of(&service)
        };
        assert!(!matches("service/web:.spec"));
        assert!(matches("service.serving.knative.dev/web:.spec"));
    }
}
