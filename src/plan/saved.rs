//! A plan as a file: what was shown, and the state of every object that it was shown for.
//!
//! Of the fields of objects, the file has only digests. They are salted, so that the digests of two plans
//! say nothing about each other. Beside them, it has what was shown of fields that other managers own,
//! which is never a value of a Secret.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};
use thiserror::Error;

use super::{Plan, Step, normalise};
use crate::action::Action;
use crate::fields::{FieldChoices, Settlement, leaves};
use crate::figures::hexadecimal;
use crate::object::ObjectRef;
use crate::replacement::{Adoption, Replacement};

/// At most this many fields are named in a sentence.
const NAMED_FIELDS: usize = 5;

/// A digest for each field of an object.
type Digests = BTreeMap<String, String>;

/// A saved plan.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SavedPlan {
    /// The version of its format.
    version: u32,
    /// The URL of the API server that it was made for.
    server: String,
    /// What was to be done about fields that other managers own.
    choices: Vec<String>,
    /// What was to be deleted.
    #[serde(flatten)]
    deleting: Deleting,
    salt: String,
    objects: Vec<SavedStep>,
}

/// What would be deleted: what left the manifests, and that of which the set takes the place.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deleting {
    /// Whether what left the manifests is deleted.
    pub prunes: bool,
    /// The objects with their UIDs.
    #[serde(rename = "deleted")]
    pub objects: BTreeSet<(ObjectRef, String)>,
}

/// What would be done to one object, and when.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct SavedStep {
    object: ObjectRef,
    action: Action,
    /// The manifest.
    manifest: Digests,
    /// The UID of the live object; `None` for one that did not exist.
    uid: Option<String>,
    /// What an apply can change in the live object.
    live: Digests,
    /// The same in the resulting object.
    planned: Digests,
    /// Why a new object would take its place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    replacement: Option<Replacement>,
    /// What it would take over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    adoption: Option<Adoption>,
    /// What would be done about fields that other managers own.
    #[serde(flatten)]
    settlement: Settlement,
}

/// Why a saved plan no longer holds.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Outdated {
    /// The plan is for another cluster.
    #[error("the plan is for the API server {planned}, not for {found}")]
    Server {
        /// The URL in the plan.
        planned: String,
        /// The URL of this run.
        found: String,
    },
    /// Other fields are to be taken, left or removed.
    #[error("the plan was made with {}, and this run has {}", list(.planned), list(.found))]
    Choices {
        /// The choices in the plan.
        planned: Vec<String>,
        /// The choices of this run.
        found: Vec<String>,
    },
    /// Only one of the plan and this run deletes what the manifests no longer contain.
    #[error("{}", pruning(*.0))]
    Pruning(bool),
    /// Other objects would be deleted.
    #[error("other objects would be deleted than when the plan was saved: {}", names(.0))]
    Deleted(Vec<ObjectRef>),
    /// The manifests contain an object that is not in the plan.
    #[error("`{0}` is not in the plan")]
    NotPlanned(ObjectRef),
    /// The manifests no longer contain an object.
    #[error("`{0}` is in the plan, but no longer in the manifests")]
    NotInSet(ObjectRef),
    /// An object has come, gone, or was made anew.
    #[error("`{object}` {how} since the plan was saved")]
    Identity {
        /// The object.
        object: ObjectRef,
        /// What happened to it, as a clause.
        how: &'static str,
    },
    /// Something about an object is no longer as it was.
    #[error("{what} of `{object}` has changed since the plan was saved{}", named(.fields))]
    Changed {
        /// The object.
        object: ObjectRef,
        /// What it is.
        what: State,
        /// The fields that differ.
        fields: Vec<String>,
    },
    /// Another object would be replaced, or other pods would be taken over.
    #[error("what would become of `{0}` and its pods has changed since the plan was saved")]
    Effects(ObjectRef),
    /// The same manifest would have another effect on the same object: its owners have changed.
    #[error("who owns the fields of `{0}` has changed since the plan was saved")]
    Owners(ObjectRef),
}

/// A state of an object that a plan rests on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// What the files say.
    Manifest,
    /// What the cluster has.
    Live,
    /// What the API server would store, with its defaults and what admission changes.
    Planned,
}

impl fmt::Display for State {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Manifest => "the manifest",
            Self::Live => "the live state",
            Self::Planned => "what the API server makes",
        })
    }
}

/// Such as `: .spec.replicas, .spec.template and 3 more`.
fn named(fields: &[String]) -> String {
    let shown: Vec<String> = fields.iter().take(NAMED_FIELDS).cloned().collect();
    let shown = shown.join(", ");
    match fields.len().saturating_sub(NAMED_FIELDS) {
        0 => format!(": {shown}"),
        more => format!(": {shown} and {more} more"),
    }
}

fn pruning(is_planned: bool) -> &'static str {
    if is_planned {
        "the plan was made with `--prune`, and this run has no `--prune`"
    } else {
        "the plan was made without `--prune`"
    }
}

fn names(objects: &[ObjectRef]) -> String {
    let names: Vec<String> = objects.iter().map(|it| format!("`{it}`")).collect();
    names.join(", ")
}

fn list(choices: &[String]) -> String {
    if choices.is_empty() {
        return "no choice about fields".to_owned();
    }
    let quoted: Vec<String> = choices.iter().map(|it| format!("`{it}`")).collect();
    quoted.join(", ")
}

impl SavedPlan {
    /// The version of the format that this program writes.
    pub const VERSION: u32 = 1;

    /// Saves a plan that was made with some choices. `salt` is any text that no other plan has.
    #[must_use]
    pub fn new(
        plan: &Plan,
        deleting: Deleting,
        choices: &FieldChoices,
        server: &str,
        salt: String,
    ) -> Self {
        Self {
            version: Self::VERSION,
            server: server.to_owned(),
            choices: choices.words(),
            deleting,
            objects: plan.steps.iter().map(|step| saved(step, &salt)).collect(),
            salt,
        }
    }

    /// What has changed since, so that the new plan would do something else than the saved one.
    #[must_use]
    pub fn moved(
        &self,
        plan: &Plan,
        deleting: &Deleting,
        choices: &FieldChoices,
        server: &str,
    ) -> Vec<Outdated> {
        if server != self.server {
            return vec![Outdated::Server {
                planned: self.server.clone(),
                found: server.to_owned(),
            }];
        }
        if choices.words() != self.choices {
            return vec![Outdated::Choices {
                planned: self.choices.clone(),
                found: choices.words(),
            }];
        }
        if deleting.prunes != self.deleting.prunes {
            return vec![Outdated::Pruning(self.deleting.prunes)];
        }
        let before: BTreeMap<&ObjectRef, &SavedStep> = self
            .objects
            .iter()
            .map(|step| (&step.object, step))
            .collect();
        let now: Vec<SavedStep> = plan
            .steps
            .iter()
            .map(|step| saved(step, &self.salt))
            .collect();
        let mut moved: Vec<Outdated> = now
            .iter()
            .filter_map(|now| match before.get(&now.object) {
                None => Some(Outdated::NotPlanned(now.object.clone())),
                Some(before) => difference(before, now),
            })
            .collect();
        let is_gone = |step: &&SavedStep| now.iter().all(|now| now.object != step.object);
        let gone = self.objects.iter().filter(is_gone);
        moved.extend(gone.map(|step| Outdated::NotInSet(step.object.clone())));
        let others = deleting
            .objects
            .symmetric_difference(&self.deleting.objects);
        let others: BTreeSet<ObjectRef> = others.map(|(object, _)| object.clone()).collect();
        if !others.is_empty() {
            moved.push(Outdated::Deleted(others.into_iter().collect()));
        }
        moved
    }
}

fn saved(step: &Step, salt: &str) -> SavedStep {
    let digests = |object: &Value| {
        let mut object = normalise::without_noise(object, &step.target.kind);
        normalise::forget_managers(&mut object);
        // What is left to other managers may change until the plan is carried out.
        for row in &step.settlement.yielded {
            row.path().remove_alone(&mut object);
        }
        let digest = |value: &Value| {
            let digest = Sha256::new().chain_update(salt);
            hexadecimal(&digest.chain_update(value.to_string()).finalize())
        };
        leaves(&object)
            .into_iter()
            .filter_map(|path| Some((path.to_string(), digest(path.get(&object)?))))
            .collect::<Digests>()
    };
    let live = step.live.as_ref();
    let uid = live.and_then(|live| live["metadata"]["uid"].as_str());
    let is_created = matches!(step.action, Action::Create | Action::Replace);
    SavedStep {
        object: step.target.reference.clone(),
        action: step.action,
        manifest: digests(&step.target.body),
        uid: uid.map(str::to_owned),
        live: live.map(digests).unwrap_or_default(),
        // Of what is created, the API server draws some values anew each time.
        planned: if is_created {
            Digests::new()
        } else {
            digests(&step.planned)
        },
        replacement: step.replacement.clone(),
        adoption: step.adoption.clone(),
        settlement: lasting(step.settlement.clone()),
    }
}

/// A settlement without what other managers change when they write the same fields again.
fn lasting(mut settlement: Settlement) -> Settlement {
    for row in &mut settlement.yielded {
        row.live = Value::Null;
    }
    let rows = settlement
        .taken
        .iter_mut()
        .chain(&mut settlement.yielded)
        .chain(&mut settlement.conflicts);
    let owners = rows.map(|row| &mut row.owner);
    let moved = settlement.moved.iter_mut();
    let (former, removed): (Vec<_>, Vec<_>) = moved
        .map(|moved| (&mut moved.owner, &mut moved.removed))
        .unzip();
    let undeclared = settlement.reverted.iter_mut();
    let undeclared = undeclared.chain(removed.into_iter().flatten());
    let undeclared = undeclared.flat_map(|field| &mut field.owners);
    for owner in owners.chain(former).chain(undeclared) {
        owner.time = None;
    }
    settlement
}

/// The first difference that explains the others.
fn difference(before: &SavedStep, now: &SavedStep) -> Option<Outdated> {
    let object = || now.object.clone();
    let changed = |what: State, before: &Digests, now: &Digests| {
        let names: BTreeSet<&String> = before.keys().chain(now.keys()).collect();
        let differing = names.into_iter();
        let differing = differing.filter(|name| before.get(*name) != now.get(*name));
        let fields: Vec<String> = differing.cloned().collect();
        (!fields.is_empty()).then(|| Outdated::Changed {
            object: object(),
            what,
            fields,
        })
    };
    let how = match (&before.uid, &now.uid) {
        (None, Some(_)) => Some("was created"),
        (Some(_), None) => Some("was deleted"),
        (Some(before), Some(now)) if before != now => Some("was deleted and created again"),
        _ => None,
    };
    let identity = how.map(|how| Outdated::Identity {
        object: object(),
        how,
    });
    // As text: what only a run knows about a field is not in the file.
    let rows = |step: &SavedStep| serde_json::to_value(&step.settlement).unwrap_or_default();
    let is_other = before.replacement != now.replacement || before.adoption != now.adoption;
    let effects = is_other.then(|| Outdated::Effects(object()));
    let owners = (before.action != now.action || rows(before) != rows(now))
        .then(|| Outdated::Owners(object()));
    changed(State::Manifest, &before.manifest, &now.manifest)
        .or(identity)
        .or_else(|| changed(State::Live, &before.live, &now.live))
        .or_else(|| changed(State::Planned, &before.planned, &now.planned))
        .or(effects)
        .or(owners)
}

#[cfg(test)]
mod tests;
