//! Takes a set away again: in reverse order, and never data that nobody asked to delete.

use std::collections::BTreeSet;

use k8s_openapi::api::apps::v1::StatefulSet;
use serde_json::Value;
use tokio::time::timeout_at;

use super::error::{OpsError, WriteFailure};
use super::workload::pod_selector;
use super::write::Write;
use super::{Context, Set, Workload, chaos, preflight};
use crate::action::Action;
use crate::cluster::{ClusterError, ResourceKind, Selector};
use crate::event::{EventKind, PlannedStep};
use crate::object::ObjectRef;
use crate::plan::{CREATED_ANNOTATION, Target, namespace_reference};
use crate::report::{DownReport, Kept};

/// How much `down` takes away.
#[derive(Debug, Clone, Copy)]
pub struct DownOptions {
    /// Claims, and namespaces that `up` created, go as well.
    pub delete_data: bool,
}

/// What will be deleted, what stays and why.
#[derive(Debug, Default)]
pub struct DownPlan {
    deletions: Vec<(Target, String)>,
    /// Each with the UID that was read when consent was asked.
    namespaces: Vec<(String, String)>,
    report: DownReport,
}

impl DownPlan {
    /// Whether there is anything to delete.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.deletions.is_empty() && self.namespaces.is_empty()
    }

    /// Every deletion in order, then what stays.
    #[must_use]
    pub fn steps(&self) -> Vec<PlannedStep> {
        let step = |object: &ObjectRef, action| PlannedStep {
            object: object.clone(),
            action,
        };
        self.deletions
            .iter()
            .map(|(target, _)| step(&target.reference, Action::Delete))
            .chain(
                self.namespaces
                    .iter()
                    .map(|(name, _)| step(&namespace_reference(name), Action::Delete)),
            )
            .chain(
                self.report
                    .kept
                    .iter()
                    .map(|kept| step(&kept.object, Action::Keep)),
            )
            .collect()
    }
}

/// Reads what there is to delete; nothing is deleted yet.
///
/// # Errors
/// [`OpsError::WouldDeleteData`] when a StatefulSet's retention policy would delete claims without
/// `--delete-data`, or a failed exchange.
pub async fn plan_down(
    context: &Context,
    set: &Set,
    options: DownOptions,
) -> Result<DownPlan, OpsError> {
    context.by_deadline(read(context, set, options)).await
}

async fn read(context: &Context, set: &Set, options: DownOptions) -> Result<DownPlan, OpsError> {
    // What nobody serves does not exist either.
    let (targets, _) = preflight::resolve(context, set).await?;
    let mut plan = DownPlan::default();
    let workloads: Vec<Workload> = targets
        .iter()
        .map(|target| &target.reference)
        .filter(|reference| reference.is("apps", "StatefulSet"))
        .map(Workload::from_reference)
        .collect();
    let mut namespaces: BTreeSet<String> = BTreeSet::new();
    for target in targets.into_iter().rev() {
        let reference = target.reference.clone();
        namespaces.extend(reference.namespace.clone());
        if reference.is("", "Namespace") {
            namespaces.insert(reference.name);
            continue;
        }
        let live: Option<Value> = context
            .cluster
            .get(
                &target.kind,
                reference.namespace.as_deref(),
                &reference.name,
            )
            .await
            .map_err(OpsError::while_doing(format!("read `{reference}`")))?;
        let Some(live) = live else {
            plan.report.absent.push(reference);
            continue;
        };
        if let Some(reason) = data_in(&reference).filter(|_| !options.delete_data) {
            let reason = reason.to_owned();
            plan.report.kept.push(Kept {
                object: reference,
                reason,
            });
            continue;
        }
        let uid = live["metadata"]["uid"]
            .as_str()
            .unwrap_or_default()
            .to_owned();
        let mut claims = Vec::new();
        if reference.is("apps", "StatefulSet") {
            claims = claims_of_templates(context, &reference, live, options, &mut plan).await?;
        }
        plan.deletions.push((target, uid));
        plan.deletions.extend(claims);
    }
    for name in namespaces {
        namespace(context, name, options, &mut plan).await?;
    }
    chaos::tell_of_cordoned(context, &workloads).await;
    Ok(plan)
}

/// What would be lost with an object, when it holds data.
fn data_in(reference: &ObjectRef) -> Option<&'static str> {
    match (reference.group.as_str(), reference.kind.as_str()) {
        ("", "PersistentVolumeClaim" | "PersistentVolume") => {
            Some("it holds data; `--delete-data` deletes it")
        }
        ("apiextensions.k8s.io", "CustomResourceDefinition") => Some(
            "every object of its kind in the whole cluster would go with it; `--delete-data` deletes it",
        ),
        _ => None,
    }
}

/// The claims that a StatefulSet made from its templates: kept, or deleted after it.
async fn claims_of_templates(
    context: &Context,
    reference: &ObjectRef,
    live: Value,
    options: DownOptions,
    plan: &mut DownPlan,
) -> Result<Vec<(Target, String)>, OpsError> {
    let Ok(set) = serde_json::from_value::<StatefulSet>(live) else {
        return Ok(Vec::new());
    };
    let templates = set.spec.volume_claim_templates.clone().unwrap_or_default();
    if templates.is_empty() {
        return Ok(Vec::new());
    }
    let policy = set.spec.persistent_volume_claim_retention_policy.as_ref();
    let deletes = policy.and_then(|policy| policy.when_deleted.as_deref()) == Some("Delete");
    if deletes && !options.delete_data {
        return Err(OpsError::WouldDeleteData {
            reason: format!(
                "deleting `{reference}` would delete its claims: its persistentVolumeClaimRetentionPolicy says `whenDeleted: Delete`"
            ),
        });
    }
    let kind = ResourceKind::claim();
    let claims: Vec<Value> = context
        .cluster
        .list(
            &kind,
            reference.namespace.as_deref(),
            Some(&pod_selector(&set)),
            None,
        )
        .await
        .map_err(OpsError::while_doing(format!(
            "list the claims of `{reference}`"
        )))?;
    let prefixes: Vec<String> = templates
        .iter()
        .filter_map(|template| template.metadata.name.as_ref())
        .map(|template| format!("{template}-{}-", reference.name))
        .collect();
    let mut deletions = Vec::new();
    for claim in claims {
        let name = claim["metadata"]["name"].as_str().unwrap_or_default();
        let is_of_template = prefixes.iter().any(|prefix| {
            name.strip_prefix(prefix.as_str())
                .is_some_and(|ordinal| ordinal.parse::<u32>().is_ok())
        });
        if !is_of_template {
            continue;
        }
        let object = ObjectRef::new(
            "",
            "PersistentVolumeClaim",
            reference.namespace.as_deref(),
            name,
        );
        if options.delete_data {
            let uid = claim["metadata"]["uid"]
                .as_str()
                .unwrap_or_default()
                .to_owned();
            let target = Target {
                reference: object,
                kind: kind.clone(),
                body: Value::Null,
                is_served: true,
            };
            deletions.push((target, uid));
        } else {
            let reason = "it holds data; `--delete-data` deletes it".to_owned();
            plan.report.kept.push(Kept { object, reason });
        }
    }
    Ok(deletions)
}

async fn namespace(
    context: &Context,
    name: String,
    options: DownOptions,
    plan: &mut DownPlan,
) -> Result<(), OpsError> {
    let object = namespace_reference(&name);
    let live = context
        .cluster
        .get::<Value>(&ResourceKind::namespace(), None, &name)
        .await;
    let live = match live {
        Ok(Some(live)) => live,
        // What may not even be read is certainly not deleted.
        Ok(None) | Err(ClusterError::Forbidden { .. }) => return Ok(()),
        Err(error) => return Err(OpsError::while_doing(format!("read `{object}`"))(error)),
    };
    let is_ours = !live["metadata"]["annotations"][CREATED_ANNOTATION].is_null();
    let reason = if !is_ours {
        "it was not created by `cryptoctl up`"
    } else if !options.delete_data {
        "`--delete-data` deletes it, if nothing else is in it"
    } else {
        let uid = live["metadata"]["uid"]
            .as_str()
            .unwrap_or_default()
            .to_owned();
        plan.namespaces.push((name, uid));
        return Ok(());
    };
    plan.report.kept.push(Kept {
        object,
        reason: reason.to_owned(),
    });
    Ok(())
}

/// Carries out a plan and waits until everything is gone.
///
/// # Errors
/// [`OpsError`]; what had been deleted by then is in the events.
pub async fn down(context: &Context, plan: DownPlan) -> Result<DownReport, OpsError> {
    let DownPlan {
        deletions,
        namespaces,
        mut report,
    } = plan;
    for (target, uid) in &deletions {
        delete(context, target, uid, &mut report).await?;
    }
    for (name, uid) in namespaces {
        delete_namespace(context, &name, &uid, &mut report).await?;
    }
    for kept in &report.kept {
        context.emit(EventKind::WriteFinished {
            object: kept.object.clone(),
            action: Action::Keep,
            result: crate::event::WriteResult::Done,
        });
    }
    Ok(report)
}

async fn delete(
    context: &Context,
    target: &Target,
    uid: &str,
    report: &mut DownReport,
) -> Result<(), OpsError> {
    let object = target.reference.clone();
    let namespace = object.namespace.as_deref();
    context.in_time()?;
    let write = Write::start(context, &object, Action::Delete);
    let deleting = context
        .cluster
        .delete(&target.kind, namespace, &object.name, uid);
    let deleted = context.by_deadline(async { Ok(deleting.await) }).await?;
    if let Err(source) = deleted {
        write.finish(Some(&source));
        return Err(OpsError::Writes(vec![WriteFailure { object, source }]));
    }
    if is_gone(context, target, uid).await? {
        write.finish(None);
        report.deleted.push(object);
    } else {
        report.remaining.push(object);
    }
    Ok(())
}

/// Waits until no object of this UID is left, or the deadline passes.
async fn is_gone(context: &Context, target: &Target, uid: &str) -> Result<bool, OpsError> {
    let object = &target.reference;
    let mut watched = context.cluster.watch::<Value>(
        &target.kind,
        object.namespace.as_deref(),
        Selector::name(&object.name),
    );
    while let Ok(changed) = timeout_at(context.deadline, watched.changed()).await {
        changed.map_err(OpsError::while_doing(format!("watch `{object}`")))?;
        let objects = watched.current().unwrap_or_default();
        if !objects
            .iter()
            .any(|object| object["metadata"]["uid"] == uid)
        {
            return Ok(true);
        }
    }
    Ok(false)
}

async fn delete_namespace(
    context: &Context,
    name: &str,
    uid: &str,
    report: &mut DownReport,
) -> Result<(), OpsError> {
    let object = namespace_reference(name);
    let doing = format!("look for what else is in `{object}`");
    let looking = async {
        let contents = context.cluster.contents(name).await;
        contents.map_err(OpsError::while_doing(doing))
    };
    let foreign = context.by_deadline(looking).await?;
    if !foreign.is_empty() {
        let names: Vec<String> = foreign
            .iter()
            .take(3)
            .map(|object| format!("`{object}`"))
            .collect();
        let more = foreign.len().saturating_sub(names.len());
        let more = if more > 0 {
            format!(" and {more} more")
        } else {
            String::new()
        };
        let reason = format!("something else is in it: {}{more}", names.join(", "));
        report.kept.push(Kept { object, reason });
        return Ok(());
    }
    let target = Target {
        reference: object,
        kind: ResourceKind::namespace(),
        body: Value::Null,
        is_served: true,
    };
    delete(context, &target, uid, report).await
}
