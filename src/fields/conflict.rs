//! A field that an apply would change and another manager owns, with what a person decides by.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::manager::Manager;
use super::path::FieldPath;
use super::pattern::FieldPattern;
use crate::object::ObjectRef;

/// How a manager writes (`operation` of an entry of `managedFields`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Operation {
    /// It applied the field.
    Apply,
    /// It wrote the field in another way: an update or a patch.
    Update,
}

/// A field that two managers want to own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Conflict {
    /// Its path, such as `.spec.replicas`.
    pub field: String,
    /// Its live value; `null` if it cannot be shown, as those of Secrets.
    pub live: Value,
    /// The value that an apply would write; `null` if it cannot be shown.
    pub ours: Value,
    /// The name of the other manager.
    pub manager: String,
    /// How the other manager last wrote.
    pub operation: Operation,
    /// The subresource through which it wrote, such as `scale`; empty for the object itself.
    pub subresource: String,
    /// When it last wrote, if the API server says so.
    pub time: Option<Timestamp>,
    /// The path, element by element; empty if only its text is known.
    #[serde(skip)]
    pub(super) path: FieldPath,
}

/// As much of a value as a line on a screen can show.
const SHOWN: usize = 60;

fn shown(value: &Value) -> Option<String> {
    if value.is_null() {
        return None;
    }
    let text = value.to_string();
    let short: String = text.chars().take(SHOWN).collect();
    Some(if short.len() < text.len() {
        short + "…"
    } else {
        short
    })
}

impl Conflict {
    /// The conflict over a field that a manager owns. `shows_values` is false for a Secret.
    pub(super) fn over(
        path: &FieldPath,
        manager: &Manager,
        live: &Value,
        ours: &Value,
        shows_values: bool,
    ) -> Self {
        let value = |object: &Value| {
            let value = path.get(object).filter(|_| shows_values);
            value.cloned().unwrap_or_default()
        };
        Self {
            field: path.to_string(),
            live: value(live),
            ours: value(ours),
            manager: manager.name.clone(),
            operation: manager.operation,
            subresource: manager.subresource.clone(),
            time: manager.time,
            path: path.clone(),
        }
    }

    /// A conflict that the API server reports over a field whose owner the live object does not name:
    /// it was read too early.
    pub(super) fn unseen(field: &str, manager: &str) -> Self {
        Self {
            field: field.to_owned(),
            live: Value::Null,
            ours: Value::Null,
            manager: manager.to_owned(),
            operation: Operation::Update,
            subresource: String::new(),
            time: None,
            path: FieldPath::default(),
        }
    }

    /// The live value, as far as a line can show it.
    #[must_use]
    pub fn live_text(&self) -> Option<String> {
        shown(&self.live)
    }

    /// Our value, as far as a line can show it.
    #[must_use]
    pub fn our_text(&self) -> Option<String> {
        shown(&self.ours)
    }

    /// Whether the field can be left to its owner: only if its path in the object is known.
    #[must_use]
    pub fn can_be_yielded(&self) -> bool {
        self.path != FieldPath::default()
    }

    /// The owner: its name, and the subresource where it wrote one.
    #[must_use]
    pub fn owner(&self) -> String {
        match self.subresource.as_str() {
            "" => self.manager.clone(),
            subresource => format!("{} ({subresource})", self.manager),
        }
    }
}

/// What is done about the fields of an object that other managers own, too.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settlement {
    /// Fields that become ours.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub taken: Vec<Conflict>,
    /// Fields that are left to their managers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub yielded: Vec<Conflict>,
    /// Fields in conflict about which nothing is decided: an apply is refused.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub conflicts: Vec<Conflict>,
    /// Fields that were to be left to others, but that only we own.
    #[serde(skip)]
    pub alone: Vec<OwnedAlone>,
}

/// A field that cannot be left to another manager, because there is none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnedAlone {
    /// The pattern that names it.
    pub pattern: FieldPattern,
    /// Its path.
    pub field: String,
}

impl Settlement {
    /// Whether it leaves the fields that a pattern means to their managers.
    #[must_use]
    pub fn yields(&self, object: &ObjectRef, pattern: &FieldPattern) -> bool {
        let mut rows = self.yielded.iter();
        rows.any(|row| pattern.matches(object, &row.path, &row.manager))
    }
}

impl fmt::Display for Conflict {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "`{}`", self.field)?;
        if let (Some(live), Some(ours)) = (self.live_text(), self.our_text()) {
            write!(formatter, " (live {live}, ours {ours})")?;
        }
        write!(formatter, " is owned by {}", self.owner())
    }
}
