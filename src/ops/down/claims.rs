//! The claims that a StatefulSet made from its templates.

use k8s_openapi::api::apps::v1::StatefulSet;
use serde_json::Value;

use super::{Doomed, DownOptions, DownPlan, kept};
use crate::cluster::ResourceKind;
use crate::json;
use crate::object::ObjectRef;
use crate::ops::Context;
use crate::ops::error::OpsError;
use crate::ops::workload::pod_selector;
use crate::status::is_being_deleted;

/// Why a claim or a volume is kept.
pub(super) const HOLDS_DATA: &str = "it holds data; `--delete-data` deletes it";

/// The claims of a StatefulSet's templates: either kept, or deleted after it.
///
/// # Errors
/// [`OpsError::WouldDeleteData`], or a failed request.
pub(super) async fn of_templates(
    context: &Context,
    reference: &ObjectRef,
    live: Value,
    options: DownOptions,
    plan: &mut DownPlan,
) -> Result<Vec<Doomed>, OpsError> {
    let Ok(set) = json::from_value::<StatefulSet>(live) else {
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
    let namespace = reference.namespace.as_deref();
    let selector = pod_selector(&set);
    let listed = context
        .cluster
        .list::<Value>(&kind, namespace, Some(&selector), None);
    let claims = listed.await.map_err(OpsError::while_doing(format!(
        "list the claims of `{reference}`"
    )))?;
    let prefixes: Vec<String> = templates
        .iter()
        .filter_map(|template| template.metadata.name.as_ref())
        .map(|template| format!("{template}-{}-", reference.name))
        .collect();
    let mut doomed = Vec::new();
    for claim in claims {
        let name = claim["metadata"]["name"].as_str().unwrap_or_default();
        let is_of_template = prefixes.iter().any(|prefix| {
            name.strip_prefix(prefix.as_str())
                .is_some_and(|ordinal| ordinal.parse::<u32>().is_ok())
        });
        if !is_of_template {
            continue;
        }
        let object = ObjectRef::new("", "PersistentVolumeClaim", namespace, name);
        if options.delete_data || is_being_deleted(&claim) {
            doomed.push(Doomed::of(object, kind.clone(), &claim));
        } else {
            plan.report.kept.push(kept(object, HOLDS_DATA));
        }
    }
    Ok(doomed)
}
