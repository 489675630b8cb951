//! Reads the inventory of a set from the cluster, and makes it a part of the set.

mod write;

use std::collections::BTreeSet;

pub(crate) use self::write::grow;

use futures::stream::{self, StreamExt, TryStreamExt};
use kube::core::GroupVersionKind;
use serde_json::Value;

use super::error::{OpsError, Problem};
use super::{CONCURRENCY, Context, DownOptions, DownPlan, Set, plan_down};
use crate::cluster::{ClusterError, ResourceKind};
use crate::inventory::{Contents, Inventory};
use crate::manifest::{ManifestSet, Reference, references};
use crate::object::ObjectRef;
use crate::plan::{Plan, Step, Target};
use crate::report::DownReport;
use crate::status::has_controller;

/// The inventory of a set, if it has one. It is in the namespace of the command line or of the kubeconfig:
/// one that followed from the manifests would move with them.
pub(crate) fn of(context: &Context, set: &Set) -> Option<Inventory> {
    let named = context.namespace.as_deref();
    let namespace = named.unwrap_or(context.default_namespace()).to_owned();
    let name = set.inventory.as_ref()?.name.clone();
    Some(Inventory::new(namespace, name))
}

/// The same set with its inventory, of which every other object becomes a part.
pub(crate) fn join(inventory: &Inventory, set: &Set) -> Set {
    let mut set = set.clone();
    for manifest in set.manifests.manifests_mut() {
        inventory.label(&mut manifest.value);
    }
    let object = inventory.manifest(&Contents::default());
    set.manifests = set.manifests.with_first(object);
    set
}

/// Lets the inventory list where the objects of its set are, beside what it lists already. Returns what it
/// lists and the set no longer contains.
///
/// # Errors
/// A failed request, or that the inventory belongs to another tool.
pub(crate) async fn list_set(
    context: &Context,
    inventory: &Inventory,
    targets: &mut [Target],
) -> Result<ManifestSet, OpsError> {
    let object = inventory.reference();
    let references = targets.iter().map(|target| &target.reference);
    let of_set: BTreeSet<ObjectRef> = references.filter(|it| **it != object).cloned().collect();
    let listed = read(context, inventory).await?.unwrap_or_default();
    let members = members(context, inventory, &listed).await?;
    let contents = listed.and(&Contents::of(&of_set));
    let mut targets = targets.iter_mut();
    if let Some(target) = targets.find(|target| target.reference == object) {
        target.body = inventory.manifest(&contents);
    }
    Ok(ManifestSet::of_live(members).without(&of_set))
}

/// What `down` would delete: the set, or, if no manifests are named, what its inventory lists.
///
/// # Errors
/// As [`plan_down`], or that the inventory does not exist or belongs to another tool.
pub async fn plan_down_listed(
    context: &Context,
    set: &Set,
    options: DownOptions,
) -> Result<DownPlan, OpsError> {
    let inventory = of(context, set).filter(|_| set.is_built_in);
    let Some(inventory) = inventory else {
        return plan_down(context, set, options).await;
    };
    let object = inventory.reference();
    let Some(listed) = read(context, &inventory).await? else {
        let namespace = object.namespace.as_deref().unwrap_or_default();
        let reason = format!("it does not exist in namespace `{namespace}`");
        let problem = Problem::ForeignInventory { object, reason };
        return Err(OpsError::Preflight(vec![problem]));
    };
    let members = members(context, &inventory, &listed).await?;
    let inventory = inventory.manifest(&Contents::default());
    let listed = Set {
        manifests: ManifestSet::of_live(members).with_first(inventory),
        ..set.clone()
    };
    let mut plan = plan_down(context, &listed, options).await?;
    let mut kept = plan.kept().iter();
    if kept.any(|kept| !kept.object.is("", "Namespace")) {
        plan.keep(&object, "it lists what is kept");
    }
    Ok(plan)
}

/// What an inventory lists; `None` if it does not exist.
async fn read(context: &Context, inventory: &Inventory) -> Result<Option<Contents>, OpsError> {
    let object = inventory.reference();
    let live = write::live(context, &object).await;
    let live = live.map_err(OpsError::while_doing(reading(inventory)))?;
    let contents = live.map(|live| inventory.contents(&live)).transpose();
    contents
        .map_err(|reason| OpsError::Preflight(vec![Problem::ForeignInventory { object, reason }]))
}

fn reading(inventory: &Inventory) -> String {
    format!("read the inventory `{}`", inventory.reference())
}

/// The live objects with the inventory's label, of these kinds and in these namespaces.
async fn members(
    context: &Context,
    inventory: &Inventory,
    contents: &Contents,
) -> Result<Vec<Value>, OpsError> {
    let doing = || reading(inventory);
    if contents.kinds.is_empty() {
        return Ok(Vec::new());
    }
    let versions = context.cluster.preferred_versions().await;
    let versions = versions.map_err(OpsError::while_doing(doing()))?;
    let mut places: Vec<(ResourceKind, Option<String>)> = Vec::new();
    for (kind, group) in &contents.kinds {
        let Some(version) = versions.get(group) else {
            continue;
        };
        let kind = GroupVersionKind::gvk(group, version, kind);
        let found = context.kinds.find(&context.cluster, &kind).await;
        match found.map_err(OpsError::while_doing(doing()))? {
            Some(kind) if kind.namespaced => {
                let namespaces = contents.namespaces.iter();
                places.extend(namespaces.map(|name| (kind.clone(), Some(name.clone()))));
            }
            Some(kind) => places.push((kind, None)),
            // A kind that is not served has no objects.
            None => {}
        }
    }
    let selector = inventory.selector();
    let lists: Vec<Vec<Value>> = stream::iter(places)
        .map(|(kind, namespace)| list(context, kind, namespace, &selector))
        .buffered(CONCURRENCY)
        .try_collect()
        .await
        .map_err(OpsError::while_doing(doing()))?;
    // Controllers copy labels to what they make.
    let members = lists.into_iter().flatten();
    Ok(members.filter(|object| !has_controller(object)).collect())
}

async fn list(
    context: &Context,
    kind: ResourceKind,
    namespace: Option<String>,
    selector: &str,
) -> Result<Vec<Value>, ClusterError> {
    let cluster = &context.cluster;
    let listed = cluster.list::<Value>(&kind, namespace.as_deref(), Some(selector), None);
    let mut objects = listed.await?;
    for object in &mut objects {
        // The items of a list do not say what they are.
        object["apiVersion"] = Value::from(kind.resource.api_version.clone());
        object["kind"] = Value::from(kind.resource.kind.clone());
    }
    Ok(objects)
}

/// What `up --prune` would delete in the end, and what it would keep; nothing without `--prune`.
///
/// # Errors
/// As [`plan_down`].
pub async fn plan_prune(
    context: &Context,
    set: &Set,
    plan: &Plan,
    options: DownOptions,
) -> Result<DownPlan, OpsError> {
    if !set.prunes() {
        return Ok(DownPlan::default());
    }
    let needed: BTreeSet<ObjectRef> = plan.steps.iter().flat_map(named_by).collect();
    for object in plan.dropped().iter().filter(|it| needed.contains(it)) {
        context.warn(format!(
            "`{object}` is no longer in the manifests, but an object of the set names it: it is not pruned"
        ));
    }
    let dropped = Set {
        manifests: plan.dropped.clone().without(&needed),
        inventory: None,
        ..set.clone()
    };
    let mut prune = plan_down(context, &dropped, options).await?;
    prune.forget_kept(|object| !plan.dropped().contains(object));
    Ok(prune)
}

/// The objects that an object of the set names.
fn named_by(step: &Step) -> Vec<ObjectRef> {
    let object = &step.target.reference;
    let of = |reference: Reference<'_>| {
        let namespace = reference.namespace.or(object.namespace.as_deref());
        ObjectRef::new(reference.group, reference.kind, namespace, reference.name)
    };
    let references = references(object, &step.planned);
    references.into_iter().map(of).collect()
}

/// Deletes what is no longer in the manifests, and takes it out of the inventory once it is gone.
///
/// # Errors
/// [`OpsError`]; the events tell what was already deleted.
pub async fn prune(
    context: &Context,
    set: &Set,
    plan: &Plan,
    prune: DownPlan,
) -> Result<DownReport, OpsError> {
    let report = super::down(context, prune).await?;
    let Some(inventory) = of(context, set) else {
        return Ok(report);
    };
    let object = inventory.reference();
    let of_set = plan.steps.iter().map(|step| &step.target.reference);
    let dropped = plan.dropped.manifests().iter().map(|it| &it.reference);
    let left = dropped.filter(|object| !report.deleted.contains(object));
    let left = Contents::of(of_set.filter(|it| **it != object).chain(left));
    let mut steps = plan.steps.iter();
    let step = steps.find(|step| step.target.reference == object);
    let listed = step.and_then(|step| inventory.contents(&step.target.body).ok());
    let listed = listed.unwrap_or_default();
    let gone = listed.clone().without(&left);
    let doing = || format!("write the inventory `{object}`");
    let shrunk = write::change(context, &inventory, |before| before.without(&gone)).await;
    shrunk.map_err(OpsError::while_doing(doing()))?;
    // What another run has made meanwhile where nothing seemed to be left.
    let members = ManifestSet::of_live(members(context, &inventory, &listed).await?);
    let found = Contents::of(members.manifests().iter().map(|it| &it.reference));
    let grown = write::change(context, &inventory, |before| before.and(&found)).await;
    grown.map_err(OpsError::while_doing(doing()))?;
    Ok(report)
}

/// Lists where the objects of a set are, if another run has taken that out of the inventory while they were
/// written.
///
/// # Errors
/// A failed request.
pub(crate) async fn list_again(
    context: &Context,
    inventory: &Inventory,
    plan: &Plan,
) -> Result<(), OpsError> {
    let object = inventory.reference();
    let of_set = plan.steps.iter().map(|step| &step.target.reference);
    let of_set = Contents::of(of_set.filter(|it| **it != object));
    let written = write::change(context, inventory, |before| before.and(&of_set)).await;
    written.map_err(OpsError::while_doing(format!(
        "write the inventory `{object}`"
    )))?;
    Ok(())
}
