//! The fields that move to this program from the managers that wrote an object before: `kubectl apply`,
//! and whom the user names.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::choices::FieldChoices;
use super::conflict::Conflict;
use super::manager::{Manager, managers};
use super::owner::{EXPERIMENT_MANAGER, FIELD_MANAGER, Operation, Owner, ROLLOUT_MANAGER};
use super::ownership::is_divided;
use super::path::FieldPath;
use super::tree::tree;
use super::undeclared::UndeclaredField;
use crate::secret::LAST_APPLIED;

/// The manager of `kubectl apply` without `--server-side` (kubectl `pkg/cmd/apply/apply.go`,
/// `FieldManagerClientSideApply`).
const CLIENT_SIDE_APPLY: &str = "kubectl-client-side-apply";

/// What the names of kubectl's managers begin with; older versions are called just that.
const KUBECTL: &str = "kubectl";

/// A field manager whose fields are to be taken over, by name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FormerManager(String);

/// Why a manager cannot be taken over, as a clause.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotTakenOver {
    /// It has no name.
    #[error("the name is empty")]
    Empty,
    /// It is this program.
    #[error("`{FIELD_MANAGER}` is this program")]
    Own,
    /// It is an experiment, which puts its fields back by itself.
    #[error("`{EXPERIMENT_MANAGER}` is an experiment; `cryptoctl chaos --restore` undoes it")]
    Experiment,
    /// It is a part of Kubernetes.
    #[error("`{0}` is a part of Kubernetes and would write its fields again")]
    Machinery(String),
}

impl FromStr for FormerManager {
    type Err = NotTakenOver;

    fn from_str(text: &str) -> Result<Self, NotTakenOver> {
        match text {
            "" => Err(NotTakenOver::Empty),
            FIELD_MANAGER => Err(NotTakenOver::Own),
            EXPERIMENT_MANAGER => Err(NotTakenOver::Experiment),
            name if Owner::is_machinery_name(name) => Err(NotTakenOver::Machinery(name.to_owned())),
            name => Ok(Self(name.to_owned())),
        }
    }
}

impl fmt::Display for FormerManager {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl FormerManager {
    /// Whether an owner has its name.
    #[must_use]
    pub fn is(&self, owner: &Owner) -> bool {
        owner.manager == self.0
    }
}

/// The managers of an object whose fields move.
#[derive(Debug, Clone, Default)]
pub struct Former {
    client_side: BTreeSet<String>,
    named: Vec<FormerManager>,
    /// Whether a run was interrupted that had made the object under the manager of roll-outs.
    is_unfinished: bool,
}

/// What moves from one manager.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Moved {
    /// The manager.
    #[serde(flatten)]
    pub owner: Owner,
    /// How many of its fields the manifest declares: they become ours.
    pub fields: usize,
    /// The fields that only it had set and that no manifest declares: they go.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub removed: Vec<UndeclaredField>,
    /// Whether the annotation goes in which `kubectl apply` keeps a copy of its manifest.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub forgets_last_applied: bool,
}

/// How the fields of an object move.
#[derive(Debug, Clone, Default)]
pub struct Migration {
    /// What moves, a row for each manager.
    pub moved: Vec<Moved>,
    /// The same as operations of a JSON patch (RFC 6902). They change no value but the annotation of
    /// `kubectl apply`.
    pub operations: Vec<Value>,
}

impl Former {
    /// The former managers of a live object; `None` if there is none.
    ///
    /// So is this program itself where it has made a StatefulSet anew and was interrupted before it left the
    /// fields to their owners.
    ///
    /// `kubectl apply` is known by its name, and as what has written the annotation that it keeps (kubectl
    /// `pkg/cmd/apply/apply.go`, `migrateToSSAIfNecessary`).
    #[must_use]
    pub fn of(live: &Value, choices: &FieldChoices) -> Option<Self> {
        let copy = last_applied();
        let applies = |entry: &Value| {
            let owner = Owner::new(entry);
            let is_update = owner.operation == Operation::Update && owner.subresource.is_empty();
            let is_kubectl = owner.manager.starts_with(KUBECTL);
            let wrote_copy = || super::manager::manager(entry).fields.contains(&copy);
            let applies = is_kubectl && (owner.manager == CLIENT_SIDE_APPLY || wrote_copy());
            (is_update && applies).then_some(owner.manager)
        };
        let named = choices.taken_over.iter().chain(&choices.always_taken_over);
        let former = Self {
            client_side: entries(live).filter_map(applies).collect(),
            named: named.cloned().collect(),
            is_unfinished: managers(live).iter().any(is_maker),
        };
        let is_there = entries(live).any(|entry| former.has(&Owner::new(entry)));
        is_there.then_some(former)
    }

    /// Whether the fields of an owner move. Nobody but a controller writes the status.
    #[must_use]
    pub fn has(&self, owner: &Owner) -> bool {
        let is_client_side = owner.operation == Operation::Update
            && owner.subresource.is_empty()
            && self.client_side.contains(&owner.manager);
        let is_named = self.named.iter().any(|former| former.is(owner));
        let is_maker = self.is_unfinished && owner.manager == ROLLOUT_MANAGER;
        is_client_side || is_maker || is_named && owner.subresource != "status"
    }

    /// The live object as if everything had moved, to see who else owns what.
    #[must_use]
    pub fn as_ours(&self, live: &Value) -> Value {
        let mut live = live.clone();
        let entries = live["metadata"]["managedFields"].as_array_mut();
        for entry in entries.into_iter().flatten() {
            if self.has(&Owner::new(entry)) {
                entry["manager"] = FIELD_MANAGER.into();
                entry["operation"] = "Apply".into();
                entry["subresource"] = "".into();
            }
        }
        live
    }

    /// Drops the conflicts that end when the fields have moved.
    pub fn settle(&self, live: &Value, conflicts: &mut Vec<Conflict>) {
        let managers = managers(live);
        conflicts.retain(|row| {
            let owning = managers.iter().filter(|manager| {
                manager.owner.manager == row.owner.manager && manager.fields.contains(&row.path)
            });
            let mut owning = owning.peekable();
            owning.peek().is_none() || owning.any(|manager| !self.has(&manager.owner))
        });
    }

    /// How the fields move. Of the undeclared fields, those go along that no other manager has set: the
    /// apply removes what we own and do not declare. Everything else that a former manager owns is a default
    /// or allocated by the API server, and belongs to nobody from then on.
    #[must_use]
    pub fn migration(
        &self,
        live: &Value,
        declared: &Value,
        undeclared: &mut Vec<UndeclaredField>,
    ) -> Migration {
        let is_leaving = |owner: &Owner| self.has(owner) || owner.is_ours();
        let (mut removed, rest) = std::mem::take(undeclared)
            .into_iter()
            .partition(|field: &UndeclaredField| field.owners.iter().all(is_leaving));
        *undeclared = rest;
        let all = managers(live);
        let former = || all.iter().filter(|manager| self.has(&manager.owner));
        let others = || all.iter().filter(|manager| !is_leaving(&manager.owner));
        let copy = last_applied();
        let forgets_last_applied = copy.get(live).is_some()
            && copy.get(declared).is_none()
            && !others().any(|manager| manager.fields.contains(&copy));
        let is_ours = |path: &FieldPath| {
            let mut removed = removed.iter();
            path.get(declared).is_some() || removed.any(|field| path.is_in(field.path()))
        };
        let fields = former().flat_map(|manager| &manager.fields);
        let fields: Vec<&FieldPath> = fields.filter(|path| is_ours(path)).collect();
        let mut operations = vec![json!({
            "op": "replace",
            "path": "/metadata/managedFields",
            "value": self.managed_fields(live, &fields),
        })];
        if forgets_last_applied {
            let place = LAST_APPLIED.replace('/', "~1");
            let path = format!("/metadata/annotations/{place}");
            operations.push(json!({"op": "remove", "path": path}));
        }
        let row = |manager: &Manager| Moved {
            owner: manager.owner.clone(),
            fields: declared_fields(manager, declared).count(),
            removed: removed
                .extract_if(.., |field| field.owners.contains(&manager.owner))
                .collect(),
            forgets_last_applied: false,
        };
        let mut moved: Vec<Moved> = former().map(row).collect();
        let wrote_copy = |manager: &Manager| manager.fields.contains(&copy);
        let writer = former().position(wrote_copy).unwrap_or_default();
        if let Some(row) = moved.get_mut(writer) {
            row.forgets_last_applied = forgets_last_applied;
        }
        Migration { moved, operations }
    }

    /// The managed fields once these have moved. Paths that lead nowhere were written in another version of
    /// the kind, and cannot be told in this one.
    fn managed_fields(&self, live: &Value, moving: &[&FieldPath]) -> Vec<Value> {
        let (mut own, mut rest) = (Vec::new(), Vec::new());
        let mut time = Value::Null;
        for entry in entries(live) {
            let owner = Owner::new(entry);
            if owner.is_ours() || self.has(&owner) {
                // Times in this form are in order.
                if entry["time"].as_str() > time.as_str() {
                    time = entry["time"].clone();
                }
            } else {
                rest.push(entry.clone());
            }
            if owner.is_ours() {
                own.extend(super::manager::manager(entry).fields);
            }
        }
        let leads = |path: &&FieldPath| path.get(live).is_some();
        let fields = own.iter().chain(moving.iter().copied());
        let mut fields = tree(fields.filter(leads));
        let is_empty = |fields: &Value| fields.as_object().is_none_or(Map::is_empty);
        if is_empty(&fields) && rest.is_empty() {
            // An empty list would be taken for none at all (apimachinery
            // `pkg/util/managedfields/internal/skipnonapplied.go`).
            let former = managers(live).into_iter().flat_map(|it| it.fields);
            fields = tree(&former.collect::<Vec<_>>());
        }
        if !is_empty(&fields) {
            let mut entry = Map::new();
            let texts = [
                ("manager", FIELD_MANAGER.into()),
                ("operation", "Apply".into()),
                ("apiVersion", live["apiVersion"].clone()),
                ("time", time),
                ("fieldsType", "FieldsV1".into()),
                ("fieldsV1", fields),
            ];
            let known = texts.into_iter().filter(|(_, value)| !value.is_null());
            entry.extend(known.map(|(name, value)| (name.to_owned(), value)));
            rest.push(Value::Object(entry));
        }
        rest
    }
}

impl Migration {
    /// The fields that go, whoever had set them.
    pub fn removed(&self) -> impl Iterator<Item = &UndeclaredField> {
        self.moved.iter().flat_map(|row| &row.removed)
    }

    /// Takes the annotation that goes out of an object that is only compared: it says no more than who owns
    /// what.
    pub fn forget_last_applied(&self, object: &mut Value) {
        if self.moved.iter().any(|row| row.forgets_last_applied) {
            last_applied().remove(object);
        }
    }
}

/// Whether a manager has made a StatefulSet, and not only marked it: it owns what nobody but we would.
fn is_maker(manager: &Manager) -> bool {
    let service = FieldPath::of_fields(&["spec", "serviceName"]);
    manager.owner.manager == ROLLOUT_MANAGER && manager.fields.contains(&service)
}

/// The managers beside this program and Kubernetes itself that own fields which a manifest declares.
#[must_use]
pub fn co_owners(live: &Value, declared: &Value) -> Vec<String> {
    let all = managers(live);
    let owning = all.iter().filter(|manager| {
        !manager.owner.is_machinery() && declared_fields(manager, declared).next().is_some()
    });
    let names: BTreeSet<&String> = owning.map(|manager| &manager.owner.manager).collect();
    names.into_iter().cloned().collect()
}

/// The fields of a manager that a manifest declares, without the maps and lists around them.
fn declared_fields<'a>(
    manager: &'a Manager,
    declared: &Value,
) -> impl Iterator<Item = &'a FieldPath> {
    let alone = std::slice::from_ref(manager);
    let fields = manager.fields.iter();
    fields.filter(move |path| path.get(declared).is_some() && !is_divided(path, alone))
}

fn entries(live: &Value) -> impl Iterator<Item = &Value> {
    let entries = live["metadata"]["managedFields"].as_array();
    entries.into_iter().flatten()
}

/// The path of the annotation that `kubectl apply` keeps.
fn last_applied() -> FieldPath {
    FieldPath::of_fields(&["metadata", "annotations", LAST_APPLIED])
}

#[cfg(test)]
mod tests;
