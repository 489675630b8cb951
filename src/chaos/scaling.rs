//! Scales to zero and back, and returns `.spec.replicas` to its owners.

use k8s_openapi::api::apps::v1::StatefulSet;
use serde_json::json;

use super::ChaosPlan;
use super::ownership::{self, Owner};
use super::restoration::{BY, Change, annotation, by_experiment};
use crate::cluster::ResourceKind;
use crate::ops::change::change;
use crate::ops::error::OpsError;
use crate::ops::{Context, Workload};
use crate::report::Restored;
use crate::status::SCALED_FROM;

/// Beside [`SCALED_FROM`]: the owners of that number, as a JSON list.
const OWNERS: &str = "cryptoctl/chaos-replicas-owners";

/// Scales to zero and notes the number of replicas.
pub(super) async fn scale_to_zero(context: &Context, plan: &ChaosPlan) -> Result<Change, OpsError> {
    let (workload, identity) = (&plan.workload, &plan.identity);
    let object = workload.reference();
    let look = async || {
        let set = workload.read(context).await?;
        let replicas = set.spec.replicas.unwrap_or(1);
        if annotation(&set.metadata, SCALED_FROM).is_some() {
            // With our name, an earlier attempt scaled it and its response was lost.
            return match annotation(&set.metadata, BY) {
                Some(by) if by == identity => Ok(None),
                by => Err(OpsError::Occupied {
                    object: Box::new(object.clone()),
                    by: format!("`{}` scaled it to zero", by.unwrap_or("unknown")),
                }),
            };
        }
        let managed = set.metadata.managed_fields.as_deref().unwrap_or_default();
        let owners = serde_json::to_string(&ownership::owners(managed)).unwrap_or_default();
        let patch = json!({
            "metadata": {
                "resourceVersion": set.metadata.resource_version,
                "annotations": {SCALED_FROM: replicas.to_string(), OWNERS: owners, BY: identity},
            },
            "spec": {"replicas": 0},
        });
        Ok(Some((patch, ())))
    };
    let kind = ResourceKind::stateful_set();
    change(context, by_experiment(&kind, &object, "scale"), look).await?;
    Ok(Change::Scaled)
}

/// Scales back and returns `.spec.replicas` to its owners; for one experiment or, without a name, for any.
pub(super) async fn scale_back(
    context: &Context,
    workload: &Workload,
    by: Option<&str>,
) -> Result<Option<Restored>, OpsError> {
    let object = workload.reference();
    let kind = ResourceKind::stateful_set();
    let scale = async || {
        let set = workload.read(context).await?;
        let noted = noted(&set, by).and_then(|noted| noted.parse::<i32>().ok());
        let Some(replicas) = noted.filter(|noted| *noted != 0 && set.spec.replicas == Some(0))
        else {
            return Ok(None);
        };
        let patch = json!({
            "metadata": {"resourceVersion": set.metadata.resource_version},
            "spec": {"replicas": replicas},
        });
        Ok(Some((patch, format!("scaled back to {replicas}"))))
    };
    let scaled = change(context, by_experiment(&kind, &object, "scale back"), scale).await?;
    let return_it = async || {
        let set = workload.read(context).await?;
        let managed = set.metadata.managed_fields.as_deref().unwrap_or_default();
        let is_noted = noted(&set, by).is_some();
        // Without a note, an experiment of an earlier version still owns it.
        if !is_noted && (by.is_some() || !ownership::is_owned_by_experiment(managed)) {
            return Ok(None);
        }
        let owners = annotation(&set.metadata, OWNERS)
            .and_then(|owners| serde_json::from_str::<Vec<Owner>>(owners).ok())
            .unwrap_or_default();
        let mut patch = json!({
            "metadata": {
                "resourceVersion": set.metadata.resource_version,
                "annotations": {SCALED_FROM: null, OWNERS: null, BY: null},
            },
        });
        if ownership::is_owned_by_experiment(managed) {
            patch["metadata"]["managedFields"] = json!(ownership::given_back(managed, &owners));
        }
        let live = set.spec.replicas.unwrap_or(1);
        let what = if is_noted {
            format!("left at {live} replicas, because another client set that number since")
        } else {
            "is no longer owned by an experiment (`.spec.replicas`)".to_owned()
        };
        Ok(Some((patch, what)))
    };
    let given_back = change(
        context,
        by_experiment(&kind, &object, "give back"),
        return_it,
    )
    .await?;
    Ok(scaled.or(given_back).map(|what| Restored { object, what }))
}

/// The noted number of replicas to return to; of one experiment or, without a name, of any.
fn noted<'a>(set: &'a StatefulSet, by: Option<&str>) -> Option<&'a str> {
    let is_meant = by.is_none() || annotation(&set.metadata, BY) == by;
    annotation(&set.metadata, SCALED_FROM).filter(|_| is_meant)
}
