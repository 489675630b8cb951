//! Weighs the observations of an experiment: a proven failure outweighs a doubt, and a doubt outweighs
//! a success.

use std::collections::BTreeSet;

use super::disturbance::templates_explain;
use super::{ChaosVerdict, DataProof, FaultRecord, Observed, Percentiles, RecoveryPhase, Remade};
use crate::diagnose::Finality;
use crate::exit::Outcome;
use crate::fault::Proof;
use crate::figures::{count, took, took_both};
use crate::report::{ReplicaAvailability, VerifyReport};

/// The verdict and its reasons, one sentence each.
pub(super) fn weigh(observed: &Observed, data: &DataProof) -> (ChaosVerdict, Vec<String>) {
    if let Some(reasons) = refusals(observed) {
        return (ChaosVerdict::Refused, reasons);
    }
    if observed.experiment.settings.dry_run {
        let reason = "the workload is in its steady state, and no safety check objects";
        return (ChaosVerdict::DryRun, vec![reason.to_owned()]);
    }
    let (verdict, mut reasons) = decide(observed, data);
    reasons.extend(reconnected(observed));
    let disturbances = observed.disturbances.iter();
    reasons.extend(disturbances.map(|disturbance| disturbance.what.clone()));
    (verdict, reasons)
}

fn decide(observed: &Observed, data: &DataProof) -> (ChaosVerdict, Vec<String>) {
    let failures = failures(observed, data);
    if !failures.is_empty() {
        return (ChaosVerdict::Failed, failures);
    }
    let doubts = doubts(observed, data);
    if !doubts.is_empty() {
        return (ChaosVerdict::Inconclusive, doubts);
    }
    if observed.experiment.settings.fault.is_none() {
        let reason = "every replica answered every probe correctly, without any fault";
        return (ChaosVerdict::Undisturbed, vec![reason.to_owned()]);
    }
    let mut reasons = vec![survival(observed)];
    reasons.extend(blind(observed));
    (ChaosVerdict::Survived, reasons)
}

/// Errors that only clients with kept connections see, because the prober retries on a new one.
fn reconnected(observed: &Observed) -> Option<String> {
    let replicas = observed.availability.replicas.iter();
    let counts: Vec<(&str, u64)> = replicas
        .map(|replica| (replica.pod.as_str(), replica.probes.reconnected))
        .filter(|(_, count)| *count > 0)
        .collect();
    let total: u64 = counts.iter().map(|(_, count)| count).sum();
    let of_each: Vec<String> = counts
        .iter()
        .map(|(pod, count)| format!("`{pod}` {count}"))
        .collect();
    (total > 0).then(|| {
        format!(
            "clients that keep their connections would have seen {}: {}",
            count(total, "error"),
            of_each.join(", ")
        )
    })
}

fn survival(observed: &Observed) -> String {
    let faults = observed.experiment.repeat;
    let container = observed.experiment.container.as_deref();
    let pods = match (container, observed.faults.as_slice()) {
        (Some(container), [record]) => format!(
            "container `{container}` of `{}` is proven to have restarted",
            record.pod
        ),
        (_, [record]) => format!("`{}` is proven to be a new pod", record.pod),
        (_, records) if faults > 1 => format!("all {} faults are proven", records.len()),
        (_, records) => format!("all {} pods are proven to be new", records.len()),
    };
    format!("{pods}, and every replica serves the same data as before")
}

fn refusals(observed: &Observed) -> Option<Vec<String>> {
    if !observed.refusals.is_empty() {
        return Some(observed.refusals.clone());
    }
    let is_begun = observed.experiment.settings.fault.is_none() || !observed.faults.is_empty();
    let is_steady = observed.before.verdict == Outcome::Success;
    if is_steady || is_begun && observed.experiment.settings.fault.is_some() {
        return None;
    }
    let before = &observed.before;
    let mut reasons = vec![format!(
        "nothing was broken, because there was no steady state before the fault: {}",
        before.summary
    )];
    reasons.extend(
        before
            .findings
            .iter()
            .map(|finding| finding.message.clone()),
    );
    Some(reasons)
}

/// The proven failures of the workload.
fn failures(observed: &Observed, data: &DataProof) -> Vec<String> {
    let mut failures = observed.failures.clone();
    if data.preserved == Some(false) {
        failures.push("every replica serves different data than before the fault".to_owned());
    }
    if let Some(cause) = &observed.cause
        && cause.finality == Finality::Final
    {
        failures.push(cause.message.clone());
    }
    if let Some(after) = &observed.after
        && after.verdict == Outcome::Unhealthy
        && !templates_explain(observed)
    {
        failures.push(format!("after the recovery, {}", after.summary));
        failures.extend(after.findings.iter().map(|finding| finding.message.clone()));
    }
    // If others disturbed the run, its figures do not describe the fault.
    if !is_disturbed(observed) {
        failures.extend(exceeded_recovery(observed));
        failures.extend(exceeded_outage(observed));
        failures.extend(regressions(observed));
    }
    if observed.experiment.settings.fault.is_none() {
        failures.extend(noise(observed));
    }
    let mut unique: Vec<String> = Vec::new();
    for failure in failures {
        if !unique.contains(&failure) {
            unique.push(failure);
        }
    }
    unique
}

fn regressions(observed: &Observed) -> impl Iterator<Item = String> {
    let slower = observed
        .compared
        .iter()
        .filter(|compared| compared.is_regression);
    slower.map(|compared| {
        let (new, old) = took_both(compared.new_ms, compared.old_ms);
        format!(
            "`{}` took {new}, compared with {old} in the older run",
            compared.what
        )
    })
}

/// Whether others deleted a pod during the run.
fn is_disturbed(observed: &Observed) -> bool {
    let mut disturbances = observed.disturbances.iter();
    disturbances.any(|disturbance| disturbance.is_deleted)
}

/// The missed probes of a control run, in which nothing was broken.
fn noise(observed: &Observed) -> Vec<String> {
    let misses = observed.availability.replicas.iter().filter_map(|replica| {
        let missed = replica.probes.decided() - replica.probes.right;
        (missed > 0).then(|| {
            format!(
                "`{}` missed {missed} of {} probes without any fault: it gave no right answer for {}",
                replica.pod,
                replica.probes.decided(),
                replica.away_for()
            )
        })
    });
    misses.collect()
}

fn exceeded_recovery(observed: &Observed) -> Option<String> {
    let budget = observed.experiment.settings.max_recovery_ms?;
    let slowest = slowest_recovery(&observed.faults)?;
    let (slow, acceptable) = took_both(slowest, budget);
    (slowest.saturating_sub(observed.prober.leaves_open_ms()) > budget)
        .then(|| format!("recovery took {slow}; `--max-recovery` allows {acceptable}"))
}

fn slowest_recovery(faults: &[FaultRecord]) -> Option<u64> {
    let times = faults
        .iter()
        .filter_map(|record| record.phases.get(&RecoveryPhase::AllEqual).copied());
    Percentiles::of(times).map(|recovery| recovery.max)
}

/// A measured outage may be longer than the real one, by up to two intervals and a gap. Only an outage
/// that exceeds the budget by more than this uncertainty is proven.
fn exceeded_outage(observed: &Observed) -> Option<String> {
    let budget = observed.experiment.settings.max_outage_ms?;
    let longest = observed.availability.longest_outage()?;
    let outage = longest.longest_outage_ms;
    (outage.saturating_sub(observed.prober.leaves_open_ms()) > budget)
        .then(|| away(longest, budget, "`--max-outage` allows {}"))
}

/// The outages of a replica, and a judgement in which `{}` is replaced by the budget.
fn away(replica: &ReplicaAvailability, budget: u64, judged: &str) -> String {
    let (_, acceptable) = took_both(replica.longest_outage_ms, budget);
    let judged = judged.replace("{}", &acceptable);
    format!(
        "`{}` gave no right answer for {}; {judged}",
        replica.pod,
        replica.away_for()
    )
}

/// The reasons why the proof is incomplete.
fn doubts(observed: &Observed, data: &DataProof) -> Vec<String> {
    let mut doubts = Vec::new();
    if observed
        .after
        .as_ref()
        .is_some_and(|after| after.verdict != Outcome::Success)
        || data.preserved != Some(true)
    {
        doubts.extend(observed.remade.iter().map(Remade::doubt));
    }
    doubts.extend(observed.doubts.iter().cloned());
    for record in &observed.faults {
        if let Some(refused) = &record.refused {
            doubts.push(format!("`{}` was not broken: {refused}", record.pod));
        } else if record.proof.is_none() && !observed.is_stopped {
            doubts.push(unproven(record));
        } else if let Some(others) = not_the_server(observed, record) {
            doubts.push(others);
        } else if observed.after.is_some() && !record.phases.contains_key(&RecoveryPhase::AllEqual)
        {
            doubts.push(format!(
                "after fault {} on `{}`, the replicas were never seen {} again",
                record.number,
                record.pod,
                RecoveryPhase::AllEqual.title()
            ));
        }
    }
    doubts.extend(observed.cause.as_ref().map(|cause| cause.message.clone()));
    doubts.extend(observed.not_restored.iter().cloned());
    let breaks = observed.experiment.settings.fault.is_some();
    match &observed.after {
        None if breaks && doubts.is_empty() => {
            doubts.push("the workload did not recover before the deadline".to_owned());
        }
        Some(after) if after.verdict != Outcome::Success => {
            doubts.push(format!("after the recovery, {}", after.summary));
            doubts.extend(after.findings.iter().map(|finding| finding.message.clone()));
        }
        Some(_) if breaks && data.preserved.is_none() && doubts.is_empty() => {
            doubts.push("the data before and after could not be compared".to_owned());
        }
        _ => {}
    }
    let done = observed.fault_count();
    if breaks && done < observed.experiment.repeat && doubts.is_empty() {
        doubts.push(format!(
            "only {done} of {} faults were sent",
            observed.experiment.repeat
        ));
    }
    doubts.extend(other_replicas(observed));
    doubts.extend(unsupported_recovery(observed));
    doubts.extend(unsupported_outage(observed));
    if is_disturbed(observed) {
        doubts.extend(regressions(observed));
    }
    if let Some(budget) = observed.experiment.settings.max_recovery_ms
        && breaks
        && slowest_recovery(&observed.faults).is_none()
    {
        doubts.push(format!(
            "no recovery was complete, so the `--max-recovery` of {} cannot be judged",
            took(budget)
        ));
    }
    if !breaks {
        doubts.extend(blind(observed));
    }
    doubts
}

/// A change in the set of replicas: then "every replica serves the same data" is about different
/// replicas.
fn other_replicas(observed: &Observed) -> Option<String> {
    let after = observed.after.as_ref()?;
    let names = |report: &VerifyReport| {
        let pods = report.replicas.iter().map(|answer| answer.pod.clone());
        pods.collect::<BTreeSet<String>>()
    };
    let (old, new) = (names(&observed.before), names(after));
    (old != new).then(|| {
        format!(
            "the workload had {} replicas before and has {} now: another client scaled it",
            old.len(),
            new.len()
        )
    })
}

/// The times in which a replica could not be probed, one sentence for each replica.
fn blind(observed: &Observed) -> Vec<String> {
    let replicas = observed.availability.replicas.iter();
    replicas
        .filter(|replica| replica.unknown_ms > 0 || replica.probes.decided() == 0)
        .map(|replica| match replica.probes.decided() {
            0 => format!("`{}` could not be probed", replica.pod),
            _ => format!(
                "`{}` could not be probed for {}: its answers in that time are unknown",
                replica.pod,
                took(replica.unknown_ms)
            ),
        })
        .collect()
}

/// A recovery may have been complete earlier than measured, by the uncertainty.
fn unsupported_recovery(observed: &Observed) -> Option<String> {
    let budget = observed.experiment.settings.max_recovery_ms?;
    let slowest = slowest_recovery(&observed.faults)?;
    let (slow, acceptable) = took_both(slowest, budget);
    (slowest > budget).then(|| {
        format!(
            "recovery took up to {slow}; `--max-recovery` allows {acceptable}, but the excess is \
             within the uncertainty"
        )
    })
}

/// With several containers, the one that got the signal may not be the one that answers: only an outage
/// proves that it is.
fn not_the_server(observed: &Observed, record: &FaultRecord) -> Option<String> {
    let container = observed.experiment.container.as_ref()?;
    let others = &observed.experiment.beside;
    let is_gapless = record.fault.keeps_pod() && record.outage_ms == Some(0);
    (is_gapless && !others.is_empty()).then(|| {
        let others: Vec<String> = others.iter().map(|other| format!("`{other}`")).collect();
        format!(
            "`{}` answered without an outage while its container `{container}` restarted: {} may serve \
             the endpoint",
            record.pod,
            others.join(" or ")
        )
    })
}

fn unproven(record: &FaultRecord) -> String {
    match record.fault.facts().proof {
        Proof::Restart => format!(
            "`{}` was not seen to restart: process 1 may ignore SIGTERM",
            record.pod
        ),
        Proof::NewPod if record.uid_after.is_none() => {
            format!("`{}` was never seen with a new UID", record.pod)
        }
        Proof::NewPod if !record.phases.contains_key(&RecoveryPhase::Started) => format!(
            "`{}` came back with a new UID, but its containers have not started",
            record.pod
        ),
        Proof::NewPod => format!(
            "`{}` came back with a new UID, but its containers never restarted",
            record.pod
        ),
    }
}

/// No claim about outages is better than the probing behind it, and none is possible about an open
/// outage.
fn unsupported_outage(observed: &Observed) -> Vec<String> {
    let Some(budget) = observed.experiment.settings.max_outage_ms else {
        return Vec::new();
    };
    let mut doubts = Vec::new();
    let gap = observed.prober.largest_gap_ms;
    if gap > budget {
        let (gap, budget) = took_both(gap, budget);
        doubts.push(format!(
            "a replica was not probed for {gap}, so an outage of more than {budget} may have been \
             missed"
        ));
    }
    let longest = observed.availability.longest_outage();
    let mut replicas = observed.availability.replicas.iter();
    if let Some(longest) = longest.filter(|longest| longest.longest_outage_ms > budget) {
        let judged = "`--max-outage` allows {}, but the excess is within the uncertainty";
        doubts.push(away(longest, budget, judged));
    } else if let Some(open) = replicas.find(|replica| replica.open_outage_ms.is_some()) {
        let judged = "the `--max-outage` of {} cannot be judged";
        doubts.push(away(open, budget, judged));
    }
    doubts
}
