//! Deletes a set in reverse order, and never deletes data unless asked to.

mod claims;
mod custom_resources;
mod delete;
mod namespace;
mod permissions;
mod selection;

pub use self::selection::plan_down;

use serde_json::Value;

use super::Context;
use super::error::OpsError;
use crate::action::Action;
use crate::cluster::ResourceKind;
use crate::event::{EventKind, PlannedStep, WriteResult};
use crate::object::ObjectRef;
use crate::report::{DownReport, Kept};
use crate::status::is_being_deleted;

/// How much `down` deletes.
#[derive(Debug, Clone, Copy)]
pub struct DownOptions {
    /// Also delete claims, and namespaces that `up` created.
    pub delete_data: bool,
}

/// An object to delete, with the UID that was read before the user consented.
#[derive(Debug)]
struct Doomed {
    object: ObjectRef,
    kind: ResourceKind,
    uid: String,
    /// Whether it is already being deleted: then `down` only waits for it.
    is_leaving: bool,
}

impl Doomed {
    /// An object as it was read.
    fn of(object: ObjectRef, kind: ResourceKind, live: &Value) -> Self {
        Self {
            object,
            kind,
            uid: uid_of(live),
            is_leaving: is_being_deleted(live),
        }
    }
}

/// What will be deleted, and what is kept and why.
#[derive(Debug, Default)]
pub struct DownPlan {
    /// The objects of a layer are deleted together; the next layer starts when this one is gone.
    layers: Vec<Vec<Doomed>>,
    /// Deleted last.
    namespaces: Vec<Doomed>,
    /// Objects that are not in the set, but are deleted together with one of its definitions.
    along: Vec<Along>,
    report: DownReport,
}

/// An object that is not in the set, and the definition that it is deleted with.
#[derive(Debug)]
struct Along {
    object: ObjectRef,
    with: ObjectRef,
}

impl DownPlan {
    /// Whether there is anything to delete.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.doomed().next().is_none()
    }

    fn doomed(&self) -> impl Iterator<Item = &Doomed> {
        self.layers.iter().flatten().chain(&self.namespaces)
    }

    /// Every object to delete, in order.
    pub fn deletions(&self) -> impl Iterator<Item = &ObjectRef> {
        self.doomed().map(|doomed| &doomed.object)
    }

    /// Every object to delete with its UID.
    pub(crate) fn identities(&self) -> impl Iterator<Item = (ObjectRef, String)> {
        self.doomed()
            .map(|doomed| (doomed.object.clone(), doomed.uid.clone()))
    }

    /// Every deletion in order, then every kept object.
    #[must_use]
    pub fn steps(&self) -> Vec<PlannedStep> {
        let step = |object: &ObjectRef, action| PlannedStep::new(object.clone(), action);
        self.deletions()
            .map(|object| step(object, Action::Delete))
            .chain(
                self.report
                    .kept
                    .iter()
                    .map(|kept| step(&kept.object, Action::Keep)),
            )
            .collect()
    }

    /// Keeps an object that would be deleted.
    pub(crate) fn keep(&mut self, object: &ObjectRef, reason: &str) {
        for layer in &mut self.layers {
            layer.retain(|doomed| doomed.object != *object);
        }
        self.report.kept.push(kept(object.clone(), reason));
    }

    /// Says nothing of some of the objects that are kept.
    pub(crate) fn forget_kept(&mut self, is_forgotten: impl Fn(&ObjectRef) -> bool) {
        self.report.kept.retain(|kept| !is_forgotten(&kept.object));
    }

    /// The kept objects, and why.
    #[must_use]
    pub fn kept(&self) -> &[Kept] {
        &self.report.kept
    }

    /// One sentence for each object that is not in the set but is deleted with it.
    #[must_use]
    pub fn taken_along(&self) -> Vec<String> {
        const NAMED: usize = 10;
        let named = self.along.iter().take(NAMED).map(|Along { object, with }| {
            let object = placed(object);
            format!("{object} is not in this set, but is deleted with {with}")
        });
        let more = self.along.len().saturating_sub(NAMED);
        let more =
            (more > 0).then(|| format!("{more} more that are not in this set are deleted too"));
        named.chain(more).collect()
    }
}

/// Carries out a plan and waits until everything is gone.
///
/// # Errors
/// [`OpsError`]; the events tell what was already deleted.
pub async fn down(context: &Context, plan: DownPlan) -> Result<DownReport, OpsError> {
    let DownPlan {
        layers,
        namespaces,
        mut report,
        ..
    } = plan;
    for layer in layers {
        delete::layer(context, layer, &mut report).await?;
    }
    for doomed in namespaces {
        namespace::delete(context, doomed, &mut report).await?;
    }
    for kept in &report.kept {
        context.emit(EventKind::WriteFinished {
            object: kept.object.clone(),
            action: Action::Keep,
            result: WriteResult::Done,
        });
    }
    Ok(report)
}

/// An object that is kept, and why.
fn kept(object: ObjectRef, reason: impl Into<String>) -> Kept {
    Kept {
        object,
        reason: reason.into(),
    }
}

/// The UID of a live object.
fn uid_of(live: &Value) -> String {
    let uid = live["metadata"]["uid"].as_str();
    uid.unwrap_or_default().to_owned()
}

/// An object and its namespace.
pub(crate) fn placed(object: &ObjectRef) -> String {
    match &object.namespace {
        Some(namespace) => format!("{object} in namespace {namespace}"),
        None => object.to_string(),
    }
}

/// The first few names, and how many more there are.
fn some_of(all: &[String]) -> String {
    const NAMED: usize = 3;
    let named = all.get(..NAMED).unwrap_or(all).join(", ");
    match all.len().saturating_sub(NAMED) {
        0 => named,
        more => format!("{named} and {more} more"),
    }
}
