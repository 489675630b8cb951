//! Namespaces are deleted last: only those that `up` created, and only if nothing else is in them.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{Doomed, DownOptions, DownPlan, delete, kept, some_of};
use crate::cluster::{ClusterError, ResourceKind};
use crate::object::ObjectRef;
use crate::ops::Context;
use crate::ops::error::OpsError;
use crate::plan::{CREATED_ANNOTATION, namespace_reference};
use crate::report::DownReport;
use crate::status::is_being_deleted;

/// Decides whether a namespace is deleted.
///
/// # Errors
/// A failed request.
pub(super) async fn plan(
    context: &Context,
    name: &str,
    options: DownOptions,
    plan: &mut DownPlan,
) -> Result<(), OpsError> {
    let reference = namespace_reference(name);
    let kind = ResourceKind::namespace();
    let live = match context.cluster.get::<Value>(&kind, None, name).await {
        Ok(Some(live)) => live,
        // A namespace that cannot be read is not deleted.
        Ok(None) | Err(ClusterError::Forbidden { .. }) => return Ok(()),
        Err(error) => return Err(OpsError::while_doing(format!("read `{reference}`"))(error)),
    };
    let is_ours = !live["metadata"]["annotations"][CREATED_ANNOTATION].is_null();
    let is_leaving = is_being_deleted(&live);
    let reason = if is_leaving && is_ours {
        None
    } else if is_leaving {
        context.warn(format!("`{reference}` is already being deleted"));
        return Ok(());
    } else if !is_ours {
        Some("it was not created by `cryptoctl up`".to_owned())
    } else if !options.delete_data {
        Some("`--delete-data` deletes it if nothing else is in it".to_owned())
    } else {
        let doomed = plan.layers.iter().flatten();
        let ours = doomed.map(|doomed| doomed.object.clone()).collect();
        foreign(context, &reference, &ours).await?
    };
    if let Some(reason) = reason {
        plan.report.kept.push(kept(reference, reason));
        return Ok(());
    }
    plan.namespaces.push(Doomed::of(reference, kind, &live));
    Ok(())
}

/// Why a namespace is kept: it contains something other than `ours`.
async fn foreign(
    context: &Context,
    namespace: &ObjectRef,
    ours: &BTreeSet<ObjectRef>,
) -> Result<Option<String>, OpsError> {
    let contents = context.cluster.contents(&namespace.name).await;
    let doing = format!("list what else is in `{namespace}`");
    let names: Vec<String> = contents
        .map_err(OpsError::while_doing(doing))?
        .iter()
        .filter(|object| !ours.contains(object))
        .map(|object| format!("`{object}`"))
        .collect();
    let names = (!names.is_empty()).then(|| some_of(&names));
    Ok(names.map(|names| format!("it also contains {names}")))
}

/// Deletes a namespace, unless something was created in it since the plan was made.
///
/// # Errors
/// A failed request.
pub(super) async fn delete(
    context: &Context,
    doomed: Doomed,
    report: &mut DownReport,
) -> Result<(), OpsError> {
    let reference = doomed.object.clone();
    if doomed.is_leaving {
        return delete::layer(context, vec![doomed], report).await;
    }
    if !report.is_complete() {
        report.not_deleted.push(reference);
        return Ok(());
    }
    let ours = BTreeSet::new();
    let looking = foreign(context, &reference, &ours);
    match context.by_deadline(looking).await? {
        Some(reason) => report.kept.push(kept(reference, reason)),
        None => delete::layer(context, vec![doomed], report).await?,
    }
    Ok(())
}
