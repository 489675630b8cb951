//! The report of `diff`.

use serde::{Deserialize, Serialize};

use crate::action::Action;
use crate::exit::Outcome;
use crate::fields::{FieldChange, Owner, Settlement, UndeclaredField};
use crate::object::ObjectRef;
use crate::replacement::{Adoption, Replacement};

/// One object and how it would change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ObjectDiff {
    /// The object.
    pub object: ObjectRef,
    /// What `up` would do to it.
    pub action: Action,
    /// A unified diff from live to planned, Secret values masked; empty when nothing changes. A removed
    /// line ends with the owners of its field, as a comment.
    pub patch: String,
    /// The fields that differ; empty for an object that is created.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub changes: Vec<FieldChange>,
    /// The fields that are live but in no manifest.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub undeclared: Vec<UndeclaredField>,
    /// The managers beside this program and Kubernetes itself that own fields of the manifest.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub co_owners: Vec<String>,
    /// The live object line by line, if that was asked for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub blame: Vec<BlamedLine>,
    /// Why a new object takes its place, if one does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replacement: Option<Replacement>,
    /// What it takes over from an earlier object.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub adoption: Option<Adoption>,
    /// What is done about fields that other managers own.
    #[serde(flatten)]
    pub settlement: Settlement,
}

impl ObjectDiff {
    /// An object of which nothing but the action is known.
    #[must_use]
    pub fn new(object: ObjectRef, action: Action) -> Self {
        Self {
            object,
            action,
            patch: String::new(),
            changes: Vec::new(),
            undeclared: Vec::new(),
            co_owners: Vec::new(),
            blame: Vec::new(),
            replacement: None,
            adoption: None,
            settlement: Settlement::default(),
        }
    }
}

/// A line of an object's YAML.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BlamedLine {
    /// The line.
    pub text: String,
    /// The path of the field that is written there; empty where the fields below say it.
    pub field: String,
    /// Who owns it. Nobody owns what the API server has set by itself.
    pub owners: Vec<Owner>,
    /// Whether the field starts on an earlier line: this one is a part of a long text.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub continues: bool,
}

impl BlamedLine {
    /// A line of which nothing is known yet.
    #[must_use]
    pub fn new(text: &str) -> Self {
        Self {
            text: text.to_owned(),
            ..Self::default()
        }
    }

    /// Whether a field starts here, so that its owners can be named beside it.
    #[must_use]
    pub fn starts_a_field(&self) -> bool {
        !self.field.is_empty() && !self.continues
    }

    /// The owners in a few words.
    #[must_use]
    pub fn owners_in_words(&self) -> String {
        if self.owners.is_empty() {
            return "server default".to_owned();
        }
        Owner::short_list(&self.owners)
    }
}

/// How `diff` shows the objects.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DiffView {
    /// Every difference as a patch.
    #[default]
    Patch,
    /// One line for each object.
    Brief,
    /// Every live object as a whole, each line with its owners.
    Blame,
}

/// The changes that `up` would make.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DiffReport {
    /// How they are shown.
    #[serde(default)]
    pub view: DiffView,
    /// Whether an undeclared field is a difference.
    #[serde(default)]
    pub counts_undeclared: bool,
    /// Every object of the set, in apply order.
    pub objects: Vec<ObjectDiff>,
    /// Whether what the set no longer contains would be deleted.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub prunes: bool,
    /// What the inventory lists, the set no longer contains, and would stay.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub dropped: Vec<ObjectRef>,
    /// What can be done about conflicts and undeclared fields: commands to paste.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hints: Vec<String>,
}

impl DiffReport {
    /// Same or different; a change of field ownership alone is no difference.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        let differs = |diff: &ObjectDiff| {
            // A conflict over equal values is one: `up` would be refused.
            !diff.settlement.conflicts.is_empty()
                || self.counts_undeclared && !diff.undeclared.is_empty()
                || matches!(
                    diff.action,
                    Action::Create | Action::Change | Action::Replace | Action::Delete
                )
        };
        if self.objects.iter().any(differs) {
            Outcome::Different
        } else {
            Outcome::Success
        }
    }
}
