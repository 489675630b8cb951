//! A field that an apply would change and another manager owns, with what a person decides by.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::manager::{Manager, managers};
use super::migration::Moved;
use super::owner::{Operation, Owner};
use super::path::FieldPath;
use super::pattern::FieldPattern;
use super::undeclared::UndeclaredField;
use crate::object::ObjectRef;
use crate::secret::is_secret;

/// A field that two managers want to own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Conflict {
    /// Its path, such as `.spec.replicas`.
    pub field: String,
    /// Its live value; `null` if it cannot be shown, as those of Secrets.
    pub live: Value,
    /// The value that an apply would write; `null` if it cannot be shown.
    pub ours: Value,
    /// The other manager.
    #[serde(flatten)]
    pub owner: Owner,
    /// The path, element by element; empty if only its text is known.
    #[serde(skip)]
    pub(super) path: FieldPath,
    /// Whether the live object names the owner.
    #[serde(skip)]
    is_named: bool,
}

/// As much of a value as a line on a screen can show.
const SHOWN: usize = 60;

/// A value, as far as a line can show it; `None` if it must not be shown.
pub(super) fn shown(value: &Value) -> Option<String> {
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
    /// Its path, element by element; empty if only its text is known.
    #[must_use]
    pub fn path(&self) -> &FieldPath {
        &self.path
    }

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
            owner: manager.owner.clone(),
            path: path.clone(),
            is_named: true,
        }
    }

    /// A conflict that the API server reports over a field whose owner the live object does not name.
    pub(super) fn unseen(
        field: &str,
        manager: &str,
        path: Option<FieldPath>,
        live: &Value,
        ours: &Value,
    ) -> Self {
        let value = |object: &Value| {
            let value = path.as_ref().and_then(|path| path.get(object));
            value
                .filter(|_| !is_secret(ours))
                .cloned()
                .unwrap_or_default()
        };
        Self {
            field: field.to_owned(),
            live: value(live),
            ours: value(ours),
            owner: Owner {
                manager: manager.to_owned(),
                operation: Operation::Update,
                subresource: String::new(),
                time: None,
            },
            path: path.unwrap_or_default(),
            is_named: false,
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

    /// Whether the field can be left to its owner: only if the live object names that owner.
    #[must_use]
    pub fn can_be_yielded(&self) -> bool {
        self.is_named
    }
}

/// The conflicts that the API server reports, with what the live object says of their owners.
/// `reported` are pairs of a field's path and its manager; `ours` is the object that a forced apply
/// would leave.
#[must_use]
pub fn conflicts(reported: &[(String, String)], live: &Value, ours: &Value) -> Vec<Conflict> {
    let shows_values = !is_secret(ours);
    let managers = managers(live);
    let row = |(field, name): &(String, String)| {
        let mut named = managers
            .iter()
            .filter(|manager| manager.owner.manager == *name);
        let found = named.find_map(|manager| {
            let mut paths = manager.fields.iter();
            let path = paths.find(|path| path.to_string() == *field)?;
            Some(Conflict::over(path, manager, live, ours, shows_values))
        });
        found.unwrap_or_else(|| unseen(field, name, live, ours))
    };
    reported.iter().map(row).collect()
}

/// A conflict with a manager that the live object does not name: one that has written before the API
/// server kept managed fields, or after the object was read. Every field in conflict is one that a forced
/// apply owns.
fn unseen(field: &str, manager: &str, live: &Value, ours: &Value) -> Conflict {
    let fields = managers(ours)
        .into_iter()
        .flat_map(|manager| manager.fields);
    let path = fields.into_iter().find(|path| path.to_string() == field);
    Conflict::unseen(field, manager, path, live, ours)
}

/// Writes the live value into the body of an apply where a forced apply would not change it: then
/// there is no conflict, and the field has two owners. What neither of the two has is left out. Returns
/// whether there is such a field.
///
/// The API server compares what the manifest says with what the other manager owns before it sets
/// defaults, so a manager that has applied the very same manifest conflicts with us. It also remembers
/// who has applied an empty map or list, although it stores none.
pub fn share_equal_fields(
    conflicts: &[Conflict],
    live: &Value,
    planned: &Value,
    body: &mut Value,
) -> bool {
    let mut shares = false;
    for Conflict { path, .. } in conflicts {
        let live = path.get(live);
        let is_known = *path != FieldPath::default();
        if !is_known || live != path.get(planned) || live == path.get(body) {
            continue;
        }
        match live {
            Some(live) => path.set(body, live.clone()),
            None => path.remove_alone(body),
        }
        shares = true;
    }
    shares
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
    /// Fields that are in no manifest and that are taken away.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reverted: Vec<UndeclaredField>,
    /// What moves from the managers that wrote the object before.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub moved: Vec<Moved>,
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
        rows.any(|row| pattern.matches(object, &row.path, &row.owner.manager))
    }
}

impl fmt::Display for Conflict {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "`{}`", self.field)?;
        if let (Some(live), Some(ours)) = (self.live_text(), self.our_text()) {
            write!(formatter, " (live {live}, ours {ours})")?;
        }
        write!(formatter, " is owned by {}", self.owner)
    }
}
