//! Brings the last good pod template of a workload back after its rollout has failed.

use super::{evidence, unstick};
use crate::cli::EvidenceArgs;
use crate::error::CommandError;
use crate::ops::{self, Context, OpsError, Workload};
use crate::report::{Steered, SteeringReport};
use crate::rollout::Goal;

/// Saves the evidence, goes back, and deletes the pods that are stuck on the way.
///
/// # Errors
/// A failed request, or evidence that cannot be saved.
pub(super) async fn run(
    context: &Context,
    workload: &Workload,
    arguments: &EvidenceArgs,
) -> Result<SteeringReport, CommandError> {
    let evidence = evidence::save_or_warn(context, workload, arguments).await;
    let steered = match ops::rollout_undo(context, workload, Goal::LastGood).await {
        Err(OpsError::Unable { reason, .. }) => Steered::NotUndone { reason },
        steered => steered?,
    };
    let mut report = SteeringReport {
        object: workload.reference(),
        steered,
        unstuck: Vec::new(),
        evidence,
        rollout: None,
    };
    if matches!(report.steered, Steered::Undone { .. }) {
        let rollout = ops::rollout_status(context, workload).await?;
        let healed = unstick::heal(context, workload, arguments, rollout).await?;
        report.unstuck = healed.unstuck;
        report.rollout = Some(healed.rollout);
    }
    Ok(report)
}
