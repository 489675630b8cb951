//! Breaks a workload on purpose, follows its recovery, and proves that the data survived:
//! steady state, fault, continuous probing, recovery, steady state.

mod attempt;
mod compare;
mod fault;
mod judge;
mod phases;
mod plan;
mod probe;
mod prober;
mod process;
mod record;
mod recovery;
mod request;
mod restoration;
mod run;
mod safety;
mod services;
mod steady;

pub use self::plan::{ChaosPlan, plan_chaos};
pub use self::request::{ChaosRequest, OlderRun};
pub use self::restoration::restore;

use self::compare::compare;
use self::run::Run;
use super::Context;
use super::error::OpsError;
use super::verify::verify;
use crate::event::EventKind;
use crate::exit::Outcome;
use crate::report::{Availability, ChaosReport, Observed, Prober, VerifyReport};

/// Carries out an experiment as it was settled and agreed to.
///
/// The time of the context holds for the first steady state, and anew for each fault with its recovery.
///
/// # Errors
/// [`OpsError`] when nothing was broken; what happens after the first fault is in the report.
pub async fn chaos(context: &Context, plan: &ChaosPlan) -> Result<ChaosReport, OpsError> {
    context.stop.heed();
    let before = verify(context, &plan.workload, &plan.request.verification).await?;
    context.emit(EventKind::Experiment {
        object: plan.workload.reference(),
        experiment: plan.experiment.clone(),
        replicas: names(&before),
        what: plan.what.clone(),
        reach: plan.reach.clone(),
    });
    let mut observed = Observed {
        experiment: plan.experiment.clone(),
        before,
        kills: Vec::new(),
        after: None,
        cause: None,
        availability: Availability::default(),
        prober: Prober {
            interval_ms: plan.experiment.probe_interval_ms,
            largest_gap_ms: 0,
        },
        compared: Vec::new(),
        refusals: Vec::new(),
        is_stopped: false,
        doubts: Vec::new(),
        failures: Vec::new(),
        not_restored: Vec::new(),
    };
    if observed.before.verdict != Outcome::Success {
        return Ok(ChaosReport::new(observed));
    }
    let mut run = Run::begin(context, plan, &observed.before).await?;
    observed.refusals = run.objections().await?;
    if observed.refusals.is_empty() && !plan.request.is_rehearsal {
        run.warm_up(&mut observed).await;
        let from_ms = context.emitter.elapsed_ms();
        if !observed.refusals.is_empty() {
            return Ok(ChaosReport::new(observed));
        }
        if observed.experiment.fault.is_some() {
            Box::pin(run.faults(&mut observed)).await?;
            if observed.after.is_some() {
                observed.doubts.extend(run.others_change().await);
            }
        } else {
            run.control(&mut observed).await;
        }
        (observed.availability, observed.prober) = run.prober.end(from_ms);
        observed.failures.extend(run.prober.wrong());
        observed.doubts.extend(run.prober.cut());
        observed.compared = compare(plan, &observed.kills);
    }
    Ok(ChaosReport::new(observed))
}

/// The replicas of a verification, by ordinal.
fn names(report: &VerifyReport) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for answer in &report.replicas {
        if !names.contains(&answer.pod) {
            names.push(answer.pod.clone());
        }
    }
    names
}
