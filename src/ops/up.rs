//! `up` and `diff`: make the cluster what the manifests say, or show what that would change.

use serde_json::Value;

use super::error::OpsError;
use super::{Context, Set, apply, plan, preflight, wait};
use crate::event::EventKind;
use crate::plan::Plan;
use crate::report::{Applied, DiffReport, UpReport};

/// How far `up` goes.
#[derive(Debug, Clone, Copy)]
pub struct UpOptions {
    /// Only rehearse.
    pub dry_run: bool,
    /// Wait until everything is ready.
    pub wait: bool,
    /// Scaling down may delete claims, where the StatefulSet's retention policy says so.
    pub delete_data: bool,
}

/// Applies the set and waits for it.
///
/// # Errors
/// [`OpsError`]; what had been written by then is in the events.
pub async fn up(context: &Context, set: &Set, options: UpOptions) -> Result<UpReport, OpsError> {
    let mut planned = plan(context, set).await?;
    if !options.delete_data {
        refuse_to_delete_claims(&planned)?;
    }
    if planned.writes() {
        let problems = preflight::permissions(context, &planned, options.wait).await?;
        if !problems.is_empty() {
            return Err(OpsError::Preflight(problems));
        }
    }
    context.emit(EventKind::Planned {
        steps: planned.summary(),
    });
    if options.dry_run {
        return Ok(UpReport {
            objects: objects(&planned),
            dry_run: true,
            ..UpReport::default()
        });
    }
    let objects = objects(&planned);
    if !planned.absent_namespaces.is_empty() {
        apply::create_namespaces(context, &planned).await?;
        let created: Vec<String> = planned
            .absent_namespaces
            .iter()
            .map(|name| format!("namespace `{name}`"))
            .collect();
        let created = format!("{} was created", created.join(" and "));
        plan::rehearse_created(context, &mut planned, &created).await?;
    }
    let stored = apply::apply(context, &planned).await?;
    if !options.wait {
        return Ok(UpReport {
            objects,
            ..UpReport::default()
        });
    }
    let (rollouts, waited) = wait::everything(context, &planned, &stored).await?;
    Ok(UpReport {
        objects,
        rollouts,
        waited,
        dry_run: false,
    })
}

/// Compares the set with the cluster.
///
/// # Errors
/// [`OpsError`]; nothing is ever written.
pub async fn diff(context: &Context, set: &Set) -> Result<DiffReport, OpsError> {
    Ok(plan(context, set).await?.diff())
}

/// Refuses to scale a StatefulSet down when its retention policy deletes the claims of the replicas
/// that go (KEP-1847).
fn refuse_to_delete_claims(plan: &Plan) -> Result<(), OpsError> {
    for step in &plan.steps {
        let Some(live) = &step.live else { continue };
        let reference = &step.target.reference;
        let spec = &step.planned["spec"];
        let replicas = |object: &Value| object["spec"]["replicas"].as_i64().unwrap_or(1);
        let deletes = spec["persistentVolumeClaimRetentionPolicy"]["whenScaled"] == "Delete";
        let has_claims = spec["volumeClaimTemplates"]
            .as_array()
            .is_some_and(|list| !list.is_empty());
        if reference.is("apps", "StatefulSet")
            && deletes
            && has_claims
            && replicas(&step.planned) < replicas(live)
        {
            return Err(OpsError::WouldDeleteData {
                reason: format!(
                    "scaling `{reference}` from {} to {} would delete claims: its persistentVolumeClaimRetentionPolicy says `whenScaled: Delete`",
                    replicas(live),
                    replicas(&step.planned),
                ),
            });
        }
    }
    Ok(())
}

fn objects(plan: &Plan) -> Vec<Applied> {
    plan.summary()
        .into_iter()
        .map(|step| Applied {
            object: step.object,
            action: step.action,
        })
        .collect()
}
