//! Reads the inventory of a set from the cluster, and makes it a part of the set.

use std::collections::BTreeSet;

use futures::stream::{self, StreamExt, TryStreamExt};
use serde_json::Value;

use super::error::{OpsError, Problem};
use super::{CONCURRENCY, Context, DownOptions, DownPlan, Set, Workload, plan_down, preflight};
use crate::cluster::ResourceKind;
use crate::inventory::{Contents, Inventory};
use crate::manifest::ManifestSet;
use crate::object::ObjectRef;
use crate::plan::Plan;
use crate::report::DownReport;

/// A set with its inventory.
pub(crate) struct Joined {
    /// The set, every object of which has the inventory's label, and the inventory itself.
    pub(crate) set: Set,
    /// What the inventory lists and the set no longer contains.
    pub(crate) dropped: ManifestSet,
}

/// The inventory of a set, if it has one.
fn inventory(context: &Context, set: &Set) -> Option<Inventory> {
    let namespace = Workload::namespace_of(context, set, None);
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

/// What `down` would delete: the set with its inventory and everything that this lists. If no manifests are
/// named, what it lists is the set.
///
/// # Errors
/// As [`plan_down`], or that there is neither a set nor an inventory, or that it belongs to another tool.
pub async fn plan_down_listed(
    context: &Context,
    set: &Set,
    options: DownOptions,
) -> Result<DownPlan, OpsError> {
    let Some(inventory) = inventory(context, set) else {
        return plan_down(context, set, options).await;
    };
    let object = inventory.reference();
    let members = members(context, &inventory).await?;
    if members.is_none() && set.is_built_in {
        let reason = "it does not exist, and no manifests are named".to_owned();
        let problem = Problem::ForeignInventory { object, reason };
        return Err(OpsError::Preflight(vec![problem]));
    }
    let members = members.unwrap_or_default();
    let manifests = if set.is_built_in {
        ManifestSet::of_live(members)
    } else {
        set.manifests.clone().with(members)
    };
    let listed = Set {
        manifests: manifests.with_first(inventory.manifest(&Contents::default())),
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
    let mut places: Vec<(ResourceKind, Option<String>)> = Vec::new();
    for (kind, group) in &contents.kinds {
        let found = context.kinds.find_in_group(&context.cluster, group, kind);
        match found.await.map_err(OpsError::while_doing(doing()))? {
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
    let members = lists.into_iter().flatten().filter(is_own);
    Ok(Some(members.collect()))
}

async fn list(
    context: &Context,
    kind: ResourceKind,
    namespace: Option<String>,
    selector: &str,
) -> Result<Vec<Value>, crate::cluster::ClusterError> {
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

/// Whether nobody else looks after an object: controllers copy labels to what they make.
fn is_own(object: &Value) -> bool {
    let owners = object["metadata"]["ownerReferences"].as_array();
    let mut owners = owners.into_iter().flatten();
    !owners.any(|owner| owner["controller"] == true)
}

/// What `up --prune` would delete in the end, and what it would keep.
///
/// # Errors
/// As [`plan_down`].
pub async fn plan_prune(
    context: &Context,
    set: &Set,
    plan: &Plan,
    options: DownOptions,
) -> Result<DownPlan, OpsError> {
    let dropped = Set {
        manifests: plan.dropped.clone(),
        inventory: None,
        ..set.clone()
    };
    plan_down(context, &dropped, options).await
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
        let applied = context
            .apply(&target, crate::cluster::ApplyMode::Store)
            .await;
        applied.map_err(OpsError::while_doing(format!(
            "write the inventory `{object}`"
        )))?;
    }
    Ok(report)
}
