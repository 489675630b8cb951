//! The changes that make the cluster match the manifests: from manifests, live objects and the API
//! server's dry runs to steps. Pure.

mod blame;
mod config_digest;
mod consistency;
mod limits;
mod mask;
mod normalise;
mod patch;
mod saved;
mod selection;
mod storage;
mod yaml;

use serde_json::Value;

use crate::action::Action;
use crate::cluster::ResourceKind;
use crate::event::PlannedStep;
use crate::fields::{Ownership, Settlement, UndeclaredField, changes};
use crate::manifest::ManifestSet;
use crate::object::ObjectRef;
use crate::replacement::{Adoption, Replacement};
use crate::report::{BlamedLine, DiffReport, ObjectDiff};

use self::patch::Comparison;

pub use self::blame::blame;
pub use self::config_digest::{Used, mark, mark_again, used_by};
pub use self::consistency::{Finding, findings, lonely_services};
pub use self::limits::{LimitFacts, limit_risks};
pub use self::saved::{Deleting, Outdated, SavedPlan, State};
pub use self::selection::selects;
pub use self::storage::{StorageFacts, claims_of_pods, storage_risks};

/// One object of the set, with its API path.
#[derive(Debug, Clone)]
pub struct Target {
    /// The object, with its effective namespace.
    pub reference: ObjectRef,
    /// Its API path.
    pub kind: ResourceKind,
    /// The body to apply.
    pub body: Value,
    /// Whether the kind is already served; if not, a definition in the set defines it.
    pub is_served: bool,
    /// Its layer in the set ([`Manifest::layer`](crate::manifest::Manifest::layer)).
    pub layer: usize,
}

/// The planned change of one object.
#[derive(Debug, Clone)]
pub struct Step {
    /// The object.
    pub target: Target,
    /// The action.
    pub action: Action,
    /// The live object; `None` if it does not exist. Once the step was carried out, the stored one.
    pub live: Option<Value>,
    /// The resulting object, or the manifest itself if no dry run was possible.
    pub planned: Value,
    /// The body to send, if that is not the manifest's: without what is left to other managers, and
    /// with the live values of fields that both own.
    pub sent: Option<Value>,
    /// What is done about fields that other managers own.
    pub settlement: Settlement,
    /// The operations of a JSON patch by which fields move from the managers that wrote the object before.
    pub migration: Vec<Value>,
    /// Why a new object takes its place, if one does.
    pub replacement: Option<Replacement>,
    /// What it takes over from an earlier object.
    pub adoption: Option<Adoption>,
    /// Who owns the fields of an object that is changed.
    pub ownership: Ownership,
    /// The fields that are live but in no manifest, if they were looked for.
    pub undeclared: Vec<UndeclaredField>,
    /// The other managers that own fields of the manifest, if they were looked for.
    pub co_owners: Vec<String>,
    /// The live object line by line, if that was asked for.
    pub blame: Vec<BlamedLine>,
}

impl Step {
    /// Decides the action for an object.
    ///
    /// `applied` is the API server's answer to a dry run of the apply; `None` if none was
    /// possible, because the namespace or the kind does not exist yet.
    #[must_use]
    pub fn new(target: Target, mut live: Option<Value>, applied: Option<Value>) -> Self {
        let mut planned = applied.unwrap_or_else(|| target.body.clone());
        let action = match &live {
            None => Action::Create,
            Some(live) if !normalise::same(live, &planned, &target.kind) => Action::Change,
            Some(live) if normalise::same_ownership(live, &planned) => Action::Keep,
            Some(live) if normalise::gives_up(live, &planned) => Action::Release,
            Some(_) => Action::Own,
        };
        let ownership = match &live {
            Some(live) if action == Action::Change => Ownership::new(live, Some(&planned)),
            _ => Ownership::default(),
        };
        // Managed fields are the larger half of most objects, and are not needed any more.
        live.as_mut().map(normalise::forget_managers);
        normalise::forget_managers(&mut planned);
        Self {
            target,
            action,
            live,
            planned,
            sent: None,
            settlement: Settlement::default(),
            migration: Vec::new(),
            replacement: None,
            adoption: None,
            ownership,
            undeclared: Vec::new(),
            co_owners: Vec::new(),
            blame: Vec::new(),
        }
    }

    /// The step as a diff, with Secret values masked.
    fn diff(&self) -> ObjectDiff {
        let object = self.target.reference.clone();
        let (patch, changes) = match self.action {
            Action::Create | Action::Change | Action::Replace => {
                let live = self.live.as_ref();
                let states = Comparison::new(&self.target.kind, live, &self.planned);
                let changes = states.changes(&self.ownership);
                (states.unified(&object, &self.ownership), changes)
            }
            _ => Default::default(),
        };
        ObjectDiff {
            patch,
            changes,
            undeclared: self.undeclared.clone(),
            co_owners: self.co_owners.clone(),
            blame: self.blame.clone(),
            replacement: self.replacement.clone(),
            adoption: self.adoption.clone(),
            settlement: self.settlement.clone(),
            ..ObjectDiff::new(object, self.action)
        }
    }

    /// Whether it takes fields from other managers, so that the apply has to be forced.
    #[must_use]
    pub fn takes(&self) -> bool {
        !self.settlement.taken.is_empty()
    }

    /// Whether it is right only for the state of the object that it was planned with: with other owners,
    /// other fields would be taken, or a field that is left out would have none.
    #[must_use]
    pub fn is_bound_to_version(&self) -> bool {
        let is_patched = !self.settlement.reverted.is_empty() || !self.migration.is_empty();
        self.takes() || self.sent.is_some() || is_patched
    }

    /// The target as it is sent.
    #[must_use]
    pub fn applied(&self) -> Target {
        let mut target = self.target.clone();
        if let Some(body) = &self.sent {
            target.body = body.clone();
        }
        target
    }

    /// The same object, deleted and created again.
    #[must_use]
    pub fn replaced(mut self, replacement: Replacement) -> Self {
        self.action = Action::Replace;
        self.replacement = Some(replacement);
        self
    }

    /// Whether a live object is still as it was when this was planned.
    #[must_use]
    pub fn is_as_planned(&self, live: &Value) -> bool {
        let mut live = live.clone();
        normalise::forget_managers(&mut live);
        let mut planned_with = self.live.iter();
        planned_with.any(|known| normalise::same(known, &live, &self.target.kind))
    }

    /// Forgets what moves from former managers: it has moved, or that was never shown.
    pub fn forget_move(&mut self) {
        self.migration.clear();
        self.settlement.moved.clear();
    }

    /// Whether it has the same effects as an earlier step for the same object. What has moved since need not
    /// move any more.
    #[must_use]
    pub fn does_the_same_as(&self, other: &Self) -> bool {
        let mut settlement = other.settlement.clone();
        if self.migration.is_empty() {
            settlement.moved.clear();
        }
        let is_same = || normalise::same(&self.planned, &other.planned, &self.target.kind);
        // What others change meanwhile beside it does not change what it does.
        let only_moves = !other.takes() && other.sent.is_none() && settlement.reverted.is_empty();
        let has_same_effects = || self.effects(&other.ownership) == other.effects(&other.ownership);
        self.sent == other.sent
            && self.replacement == other.replacement
            && self.adoption == other.adoption
            && self.settlement == settlement
            && (is_same() || only_moves && has_same_effects())
    }

    /// The fields that it changes, with both values.
    fn effects(&self, ownership: &Ownership) -> Vec<(String, Value, Value)> {
        let bare = |object| normalise::without_noise(object, &self.target.kind);
        let live = self.live.as_ref().map(bare).unwrap_or_default();
        changes(&live, &bare(&self.planned), ownership)
            .into_iter()
            .map(|change| (change.field, change.before, change.after))
            .collect()
    }

    /// The step as the first event shows it.
    #[must_use]
    pub fn summary(&self) -> PlannedStep {
        PlannedStep {
            object: self.target.reference.clone(),
            action: self.action,
            replacement: self.replacement.clone(),
            adoption: self.adoption.clone(),
            settlement: self.settlement.clone(),
        }
    }
}

/// All steps, and the namespaces that they need.
#[derive(Debug, Clone, Default)]
pub struct Plan {
    /// Missing namespaces, which are created first.
    pub absent_namespaces: Vec<String>,
    /// One step for every object, layer after layer.
    pub steps: Vec<Step>,
    /// What the inventory lists and the set no longer contains.
    pub dropped: ManifestSet,
    /// Workloads outside of the set that it takes the place of.
    pub removed: ManifestSet,
}

impl Plan {
    /// The plan as the first event shows it, including the namespaces to create.
    #[must_use]
    pub fn summary(&self) -> Vec<PlannedStep> {
        let namespaces = self
            .implied_namespaces()
            .map(|object| PlannedStep::new(object, Action::Create));
        namespaces
            .chain(self.steps.iter().map(Step::summary))
            .collect()
    }

    /// What the inventory lists and the set no longer contains.
    #[must_use]
    pub fn dropped(&self) -> Vec<ObjectRef> {
        let dropped = self.dropped.manifests().iter();
        dropped.map(|it| it.reference.clone()).collect()
    }

    /// The namespaces to create that are no objects of the set.
    fn implied_namespaces(&self) -> impl Iterator<Item = ObjectRef> {
        let namespaces = self.absent_namespaces.iter();
        namespaces
            .map(|name| namespace_reference(name))
            .filter(|namespace| {
                let mut steps = self.steps.iter();
                !steps.any(|step| step.target.reference == *namespace)
            })
    }

    /// Whether the plan writes anything.
    #[must_use]
    pub fn writes(&self) -> bool {
        !self.absent_namespaces.is_empty()
            || self.steps.iter().any(|step| step.action != Action::Keep)
    }

    /// The plan as diffs, with Secret values masked.
    #[must_use]
    pub fn diff(&self) -> DiffReport {
        let created = self.implied_namespaces().map(|object| {
            let kind = ResourceKind::namespace();
            let states = Comparison::new(&kind, None, &namespace_body(&object.name));
            ObjectDiff {
                patch: states.unified(&object, &Ownership::default()),
                ..ObjectDiff::new(object, Action::Create)
            }
        });
        let steps = self.steps.iter().map(Step::diff);
        DiffReport {
            objects: created.chain(steps).collect(),
            dropped: self.dropped(),
            ..DiffReport::default()
        }
    }
}

/// Drops the fields that other managers own, from an object that is only compared.
pub fn forget_other_managers(object: &mut Value) {
    normalise::forget_other_managers(object);
}

/// The identity of a namespace.
#[must_use]
pub fn namespace_reference(name: &str) -> ObjectRef {
    ObjectRef::new("", "Namespace", None, name)
}

/// The annotation of a namespace that `up` created, so that `down` may delete it.
pub const CREATED_ANNOTATION: &str = "cryptoctl/created";

/// A namespace that is created because an object needs it.
#[must_use]
pub fn namespace_body(name: &str) -> Value {
    serde_json::json!({
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {"name": name, "annotations": {CREATED_ANNOTATION: "by `cryptoctl up`"}},
    })
}

#[cfg(test)]
mod tests;
