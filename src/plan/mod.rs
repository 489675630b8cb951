//! The changes that make the cluster match the manifests: from manifests, live objects and the API
//! server's dry runs to steps. Pure.

mod consistency;
mod mask;
mod normalise;
mod patch;

use serde_json::Value;

use crate::action::Action;
use crate::cluster::ResourceKind;
use crate::event::PlannedStep;
use crate::fields::Settlement;
use crate::object::ObjectRef;
use crate::report::{DiffReport, ObjectDiff};

pub use self::consistency::{Finding, findings, lonely_services};

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
            Some(live) if !normalise::same_ownership(live, &planned) => Action::Own,
            Some(_) => Action::Keep,
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
        self.takes() || self.sent.is_some()
    }

    /// The step as the first event shows it.
    #[must_use]
    pub fn summary(&self) -> PlannedStep {
        PlannedStep {
            object: self.target.reference.clone(),
            action: self.action,
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
        let created = self.implied_namespaces().map(|object| ObjectDiff {
            patch: patch::unified(
                &object,
                &ResourceKind::namespace(),
                None,
                &namespace_body(&object.name),
            ),
            object,
            action: Action::Create,
            settlement: Settlement::default(),
        });
        let steps = self.steps.iter().map(|step| ObjectDiff {
            object: step.target.reference.clone(),
            action: step.action,
            settlement: step.settlement.clone(),
            patch: match step.action {
                Action::Create | Action::Change => patch::unified(
                    &step.target.reference,
                    &step.target.kind,
                    step.live.as_ref(),
                    &step.planned,
                ),
                _ => String::new(),
            },
        });
        DiffReport {
            objects: created.chain(steps).collect(),
        }
    }
}

/// The value at a path such as `.spec.replicas`; `None` for a path into a list.
#[must_use]
pub fn value_at<'a>(object: &'a Value, path: &str) -> Option<&'a Value> {
    path.strip_prefix('.')?
        .split('.')
        .try_fold(object, |value, field| value.get(field))
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
