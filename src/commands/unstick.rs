//! `rollout unstick`, and its offer by the commands that meet the trap.

use std::path::PathBuf;

use super::confirm::Protected;
use super::{Session, confirm, evidence};
use crate::cli::{EvidenceArgs, UnstickArgs};
use crate::diagnose::Cause;
use crate::error::CommandError;
use crate::ops::{self, Context, Workload};
use crate::report::{Report, RolloutReport, Steered, SteeringReport};
use crate::rollout::{RolloutState, StuckPod};

/// What is asked for.
const WHAT: &str = "delete the pods that block the rollout";

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
    let context = confirm::ask(session, context, protected, WHAT, &lines).await?;
    report.evidence = evidence::save(&context, workload, &arguments.evidence).await?;
    report.unstuck = ops::unstick(&context, workload, &stuck).await?;
    report.steered = Steered::Unstuck;
    if !arguments.no_wait {
        report.rollout = Some(ops::rollout_status(&context, workload).await?);
    }
    Ok(Report::Steering(Box::new(report)))
}

/// Whether stuck pods may be deleted.
pub(super) struct Consent<'a> {
    /// Whether they may be without a question.
    pub(super) is_given: bool,
    /// Where the evidence goes.
    pub(super) evidence: &'a EvidenceArgs,
}

/// A rollout that was followed to its end, and what had to be deleted for it.
pub(super) struct Healed {
    pub(super) rollout: RolloutReport,
    pub(super) unstuck: Vec<StuckPod>,
    pub(super) evidence: Option<PathBuf>,
}

/// Ends a rollout that pods block, if the user agrees: deletes them, and follows the rollout again. Without consent
/// the rollout has failed.
pub(super) async fn offer(
    session: &Session<'_>,
    context: &Context,
    workload: &Workload,
    consent: Consent<'_>,
    rollout: RolloutReport,
) -> Result<Healed, CommandError> {
    // `--yes` agrees to what the command was called for, and this is more.
    let may_ask = !session.cli.global.yes && session.ui.can_ask();
    let unhealed = Healed {
        rollout,
        unstuck: Vec::new(),
        evidence: None,
    };
    if !is_blocked(&unhealed.rollout) || !(consent.is_given || may_ask) {
        return Ok(unhealed);
    }
    let context = context.clone().restarted();
    let looking = ops::find_stuck_pods(&context, workload);
    let stuck = context.by_deadline(looking).await?;
    if stuck.is_empty() {
        return Ok(unhealed);
    }
    let context = if consent.is_given {
        context
    } else {
        let protected = Protected::find(session, &context)?;
        let lines = lines(&stuck);
        match confirm::ask(session, context, protected, WHAT, &lines).await {
            Ok(context) => context,
            // Whoever declines has seen why the rollout has failed.
            Err(_) => return Ok(unhealed),
        }
    };
    let evidence = evidence::save_or_warn(&context, workload, consent.evidence).await;
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
