//! Reads the inventory of a set from the cluster, and makes it a part of the set.

use std::collections::BTreeSet;

use futures::stream::{self, StreamExt, TryStreamExt};
use kube::core::GroupVersionKind;
use serde_json::Value;

use super::error::{OpsError, Problem};
use super::{CONCURRENCY, Context, DownOptions, DownPlan, Set, plan_down, preflight};
use crate::cluster::{ApplyMode, ClusterError, ResourceKind};
use crate::inventory::{Contents, Inventory};
use crate::manifest::{ManifestSet, Reference, references};
use crate::object::ObjectRef;
use crate::plan::{Plan, Step};
use crate::report::DownReport;
use crate::status::has_controller;

/// A set with its inventory.
pub(crate) struct Joined {
    /// The set, every object of which has the inventory's label, and the inventory itself.
    pub(crate) set: Set,
    /// What the inventory lists and the set no longer contains.
    pub(crate) dropped: ManifestSet,
}

/// The inventory of a set, if it has one. It is in the namespace of the command line or of the kubeconfig:
/// one that followed from the manifests would move with them.
fn inventory(context: &Context, set: &Set) -> Option<Inventory> {
    let named = context.namespace.as_deref();
    let namespace = named.unwrap_or(context.default_namespace()).to_owned();
    let name = set.inventory.as_ref()?.name.clone();
    Some(Inventory::new(namespace, name))
}

/// Adds its inventory to a set; `None` if it has none.
///
/// # Errors
/// A failed request, or that the inventory belongs to another tool.
pub(crate) async fn join(context: &Context, set: &Set) -> Result<Option<Joined>, OpsError> {
    let Some(inventory) = inventory(context, set) else {
        return Ok(None);
    };
    let (targets, _) = preflight::resolve(context, set).await?;
    let mut of_set: BTreeSet<ObjectRef> = targets.into_iter().map(|it| it.reference).collect();
    let members = members(context, &inventory).await?;
    let members = ManifestSet::of_live(members.unwrap_or_default());
    let dropped = members.without(&of_set);
    of_set.extend(dropped.manifests().iter().map(|it| it.reference.clone()));
    let mut set = set.clone();
    for manifest in set.manifests.manifests_mut() {
        inventory.label(&mut manifest.value);
    }
    let object = inventory.manifest(&Contents::of(&of_set));
    set.manifests = set.manifests.with_first(object);
    Ok(Some(Joined { set, dropped }))
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
    let inventory = inventory(context, set).filter(|_| set.is_built_in);
    let Some(inventory) = inventory else {
        return plan_down(context, set, options).await;
    };
    let object = inventory.reference();
    let Some(members) = members(context, &inventory).await? else {
        let namespace = object.namespace.as_deref().unwrap_or_default();
        let reason = format!("it does not exist in namespace `{namespace}`");
        let problem = Problem::ForeignInventory { object, reason };
        return Err(OpsError::Preflight(vec![problem]));
    };
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

/// The live objects with the inventory's label, of the kinds and in the namespaces that it names; `None` if
/// there is no inventory.
async fn members(context: &Context, inventory: &Inventory) -> Result<Option<Vec<Value>>, OpsError> {
    let object = inventory.reference();
    let doing = || format!("read the inventory `{object}`");
    let kind = ResourceKind::known("", "v1", "ConfigMap", "configmaps", true);
    let namespace = object.namespace.as_deref();
    let read = context.cluster.get::<Value>(&kind, namespace, &object.name);
    let Some(live) = read.await.map_err(OpsError::while_doing(doing()))? else {
        return Ok(None);
    };
    let contents = inventory.contents(&live).map_err(|reason| {
        let object = object.clone();
        OpsError::Preflight(vec![Problem::ForeignInventory { object, reason }])
    })?;
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
    let members = members.filter(|object| !has_controller(object));
    Ok(Some(members.collect()))
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
    let Some(inventory) = inventory(context, set) else {
        return Ok(report);
    };
    let object = inventory.reference();
    let is_inventory = |reference: &ObjectRef| *reference == object;
    let of_set = plan.steps.iter().map(|step| &step.target.reference);
    let dropped = plan.dropped.manifests().iter().map(|it| &it.reference);
    let left = dropped.filter(|object| !report.deleted.contains(object));
    let left = of_set.filter(|it| !is_inventory(it)).chain(left);
    let contents = Contents::of(left);
    let mut steps = plan.steps.iter();
    if let Some(step) = steps.find(|step| is_inventory(&step.target.reference)) {
        let mut target = step.target.clone();
        target.body = inventory.manifest(&contents);
        let applied = context.apply(&target, ApplyMode::Store).await;
        applied.map_err(OpsError::while_doing(format!(
            "write the inventory `{object}`"
        )))?;
    }
    Ok(report)
}
