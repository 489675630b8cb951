//! Breaks a workload on purpose, follows its recovery and proves that the data survived: steady state,
//! fault, recovery, steady state, with continuous probes.

mod attempt;
mod blast_radius;
mod bystanders;
mod cordon;
mod fault;
mod judge;
mod lease;
mod older_run;
mod ownership;
mod phases;
mod probe;
mod prober;
mod process;
mod record;
mod recovery;
mod replica;
mod request;
mod restoration;
mod run;
mod safety;
mod scaling;
mod services;
mod steady;
mod targets;
mod template;

pub use self::request::{ChaosRequest, OlderRun};
pub use self::restoration::restore;
pub use self::targets::{ChaosPlan, plan};

use self::older_run::compare;
use self::run::Run;
use crate::event::EventKind;
use crate::exit::Outcome;
use crate::ops::Context;
use crate::ops::error::OpsError;
use crate::ops::verify::verify;
use crate::report::{ChaosReport, Observed, VerifyReport};

/// Runs an experiment as it was planned and confirmed.
///
/// The timeout of the context applies to the first steady state, and again to each fault with its
/// recovery.
///
/// # Errors
/// [`OpsError`] if nothing was broken; errors after the first fault are in the report.
pub async fn run(context: &Context, plan: &ChaosPlan) -> Result<ChaosReport, OpsError> {
    context.stop.heed();
    let before = verify(context, &plan.workload, &plan.verification).await?;
    context.emit(EventKind::Experiment {
        object: plan.workload.reference(),
        experiment: plan.experiment.clone(),
        replicas: names(&before),
        what: plan.what.clone(),
        blast_radius: plan.blast_radius.clone(),
    });
    let mut observed = Observed::new(plan.experiment.clone(), before);
    if observed.before.verdict != Outcome::Success {
        return Ok(ChaosReport::new(observed));
    }
    let mut run = Run::begin(context, plan, &observed.before).await?;
    observed.refusals = run.objections().await?;
    if observed.refusals.is_empty() && !plan.experiment.settings.dry_run {
        if plan.experiment.settings.fault.is_some() {
            let set = run.view.set()?;
            run.lease = context
                .by_deadline(lease::acquire(context, plan, &set))
                .await?;
        }
        let carried_out = Box::pin(carry_out(context, plan, &mut run, &mut observed)).await;
        if let Some(lease) = run.lease.take() {
            observed.doubts.extend(lease.objection());
            lease.release().await;
        }
        carried_out?;
    }
    Ok(ChaosReport::new(observed))
}

/// Probes, sends the faults and collects the observations.
async fn carry_out(
    context: &Context,
    plan: &ChaosPlan,
    run: &mut Run<'_>,
    observed: &mut Observed,
) -> Result<(), OpsError> {
    let began_ms = context.emitter.elapsed_ms();
    run.warm_up(observed).await;
    let wrong = run.prober.wrong();
    if !wrong.is_empty() && plan.experiment.settings.fault.is_some() {
        observed.refusals = wrong;
        observed.refusals.push("nothing was broken".to_owned());
        (observed.availability, observed.prober.largest_gap_ms) = run.prober.end(began_ms);
        return Ok(());
    }
    let from_ms = context.emitter.elapsed_ms();
    if !observed.refusals.is_empty() {
        return Ok(());
    }
    if observed.experiment.settings.fault.is_some() {
        run.faults(observed).await?;
        if observed.after.is_some() {
            observed.doubts.extend(run.others_change().await);
        }
    } else {
        run.control(observed).await;
        observed
            .doubts
            .extend(lease::other(context, &plan.workload).await);
    }
    (observed.availability, observed.prober.largest_gap_ms) = run.prober.end(from_ms);
    observed.failures.extend(run.prober.wrong());
    observed.doubts.extend(run.prober.cut());
    observed.disturbances = run.bystanders.seen();
    observed.compared = compare(plan, &observed.faults);
    Ok(())
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
