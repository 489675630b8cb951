//! `rollout unstick`, and the same in the commands that meet the trap.

use std::path::PathBuf;

use super::confirm::Protected;
use super::{Session, confirm, evidence};
use crate::cli::{EvidenceArgs, UnstickArgs};
use crate::diagnose::Cause;
use crate::error::CommandError;
use crate::ops::{self, Context, Workload};
use crate::report::{Report, RolloutReport, Steered, SteeringReport};
use crate::rollout::{RolloutState, StuckPod};

pub(super) async fn run(
    session: &Session<'_>,
    context: Context,
    workload: &Workload,
    arguments: &UnstickArgs,
) -> Result<Report, CommandError> {
    let protected = Protected::find(session, &context)?;
    let stuck = context
        .by_deadline(ops::find_stuck_pods(&context, workload))
        .await?;
    let mut report = SteeringReport {
        object: workload.reference(),
        steered: Steered::Nothing {
            reason: "has no pod that is stuck at a revision that nobody wants any more".to_owned(),
        },
        unstuck: Vec::new(),
        evidence: None,
        rollout: None,
    };
    if stuck.is_empty() {
        return Ok(Report::Steering(Box::new(report)));
    }
    confirm::possible(session)?;
    let lines = lines(&stuck);
    let context = confirm::ask(
        session,
        context,
        protected,
        "delete the pods that block the rollout",
        &lines,
    )
    .await?;
    report.evidence = evidence::save(&context, workload, &arguments.evidence).await?;
    report.unstuck = ops::unstick(&context, workload, &stuck).await?;
    report.steered = Steered::Unstuck;
    if !arguments.no_wait {
        report.rollout = Some(ops::rollout_status(&context, workload).await?);
    }
    Ok(Report::Steering(Box::new(report)))
}

/// A rollout that was followed to its end, and what had to be deleted for it.
pub(super) struct Healed {
    pub(super) rollout: RolloutReport,
    pub(super) unstuck: Vec<StuckPod>,
    pub(super) evidence: Option<PathBuf>,
}

impl Healed {
    /// A rollout for which nothing was deleted.
    pub(super) fn not(rollout: RolloutReport) -> Self {
        Self {
            rollout,
            unstuck: Vec::new(),
            evidence: None,
        }
    }
}

/// Ends a rollout that pods block: deletes them, and follows the rollout again. The user has agreed to that before; a
/// question would stand among the lines of the rollout.
pub(super) async fn heal(
    context: &Context,
    workload: &Workload,
    arguments: &EvidenceArgs,
    rollout: RolloutReport,
) -> Result<Healed, CommandError> {
    if !is_blocked(&rollout) {
        return Ok(Healed::not(rollout));
    }
    let context = context.clone().restarted();
    let looking = ops::find_stuck_pods(&context, workload);
    let stuck = context.by_deadline(looking).await?;
    if stuck.is_empty() {
        return Ok(Healed::not(rollout));
    }
    let evidence = evidence::save_or_warn(&context, workload, arguments).await;
    Ok(Healed {
        unstuck: ops::unstick(&context, workload, &stuck).await?,
        rollout: ops::rollout_status(&context, workload).await?,
        evidence,
    })
}

/// Whether a rollout has ended because pods block it.
fn is_blocked(rollout: &RolloutReport) -> bool {
    matches!(&rollout.progress.state, RolloutState::Failed { cause } if cause.cause == Cause::StuckRevision)
}

/// What is deleted, and why.
fn lines(stuck: &[StuckPod]) -> Vec<String> {
    let line = |pod: &StuckPod| {
        let why = &pod.cause.message;
        format!(
            "delete {}: it is at revision {}, and is made anew at {}; {why}",
            pod.pod, pod.revision, pod.wanted
        )
    };
    stuck.iter().map(line).collect()
}
