//! What was seen of an experiment, weighed. What is certain and bad outweighs what is unknown, and
//! what is unknown outweighs what is good.

use std::collections::BTreeSet;

use super::disturbance::templates_explain;
use super::{ChaosVerdict, DataProof, FaultRecord, Observed, Percentiles, RecoveryPhase, Remade};
use crate::diagnose::Finality;
use crate::exit::Outcome;
use crate::fault::Proof;
use crate::figures::{count, took, took_both};
use crate::report::{ReplicaAvailability, VerifyReport};

/// The verdict, and why: one sentence each.
pub(super) fn weigh(observed: &Observed, data: &DataProof) -> (ChaosVerdict, Vec<String>) {
    if let Some(reasons) = refusals(observed) {
        return (ChaosVerdict::Refused, reasons);
    }
    if observed.experiment.dry_run {
        let reason = "the steady state holds, and nothing speaks against the experiment";
        return (ChaosVerdict::Rehearsed, vec![reason.to_owned()]);
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
    if observed.experiment.fault.is_none() {
        let reason = "every probe of every replica was answered right, without any fault";
        return (ChaosVerdict::Undisturbed, vec![reason.to_owned()]);
    }
    let mut reasons = vec![survival(observed)];
    reasons.extend(blind(observed));
    (ChaosVerdict::Survived, reasons)
}

/// What only clients see that keep their connections: the prober asks anew on another one.
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
            "clients that keep connections would have seen {}: {}",
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
            "container `{container}` of `{}` was proven to have restarted",
            record.pod
        ),
        (_, [record]) => format!("`{}` was proven to be a new pod", record.pod),
        (_, records) if faults > 1 => format!("all {} faults are proven", records.len()),
        (_, records) => format!("all {} pods are proven to be new", records.len()),
    };
    format!("{pods}, and every replica serves the same data as before")
}

fn refusals(observed: &Observed) -> Option<Vec<String>> {
    if !observed.refusals.is_empty() {
        return Some(observed.refusals.clone());
    }
    let is_begun = observed.experiment.fault.is_none() || !observed.faults.is_empty();
    let is_steady = observed.before.verdict == Outcome::Success;
    if is_steady || is_begun && observed.experiment.fault.is_some() {
        return None;
    }
    let before = &observed.before;
    let mut reasons = vec![format!(
        "nothing was broken, because before the fault {}",
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

/// What is certain, and speaks against the workload.
fn failures(observed: &Observed, data: &DataProof) -> Vec<String> {
    let mut failures = observed.failures.clone();
    if data.preserved == Some(false) {
        failures.push("every replica serves other data than before the fault".to_owned());
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
        failures.push(format!("after the recovery {}", after.summary));
        failures.extend(after.findings.iter().map(|finding| finding.message.clone()));
    }
    // What somebody else had a hand in is no figure of the fault.
    if !is_disturbed(observed) {
        failures.extend(exceeded_recovery(observed));
        failures.extend(exceeded_outage(observed));
        failures.extend(regressions(observed));
    }
    if observed.experiment.fault.is_none() {
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
        format!("`{}` took {new}, and {old} in the older run", compared.what)
    })
}

/// Whether somebody else has deleted a pod meanwhile.
fn is_disturbed(observed: &Observed) -> bool {
    let mut disturbances = observed.disturbances.iter();
    disturbances.any(|disturbance| disturbance.is_deleted)
}

/// What a control run saw although nothing was broken.
fn noise(observed: &Observed) -> Vec<String> {
    let misses = observed.availability.replicas.iter().filter_map(|replica| {
        let missed = replica.probes.decided() - replica.probes.right;
        (missed > 0).then(|| {
            format!(
                "`{}` missed {missed} of {} probes without any fault, for {}",
                replica.pod,
                replica.probes.decided(),
                replica.away_for()
            )
        })
    });
    misses.collect()
}

fn exceeded_recovery(observed: &Observed) -> Option<String> {
    let budget = observed.experiment.max_recovery_ms?;
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

/// An outage as measured is up to two intervals and a gap longer than what a client saw: only what
/// exceeds the budget all the same is certain.
fn exceeded_outage(observed: &Observed) -> Option<String> {
    let budget = observed.experiment.max_outage_ms?;
    let longest = observed.availability.longest_outage()?;
    let outage = longest.longest_outage_ms;
    (outage.saturating_sub(observed.prober.leaves_open_ms()) > budget)
        .then(|| away(longest, budget, "`--max-outage` allows {}"))
}

/// How long a replica was away, and how that stands to the budget, where `{}` stands for it.
fn away(replica: &ReplicaAvailability, budget: u64, judged: &str) -> String {
    let (_, acceptable) = took_both(replica.longest_outage_ms, budget);
    let judged = judged.replace("{}", &acceptable);
    format!(
        "`{}` gave no right answer for {}; {judged}",
        replica.pod,
        replica.away_for()
    )
}

/// What keeps the proof from being complete.
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
                "after fault {} on `{}` the replicas were not seen to be {} again",
                record.number,
                record.pod,
                RecoveryPhase::AllEqual.title()
            ));
        }
    }
    doubts.extend(observed.cause.as_ref().map(|cause| cause.message.clone()));
    doubts.extend(observed.not_restored.iter().cloned());
    let breaks = observed.experiment.fault.is_some();
    match &observed.after {
        None if breaks && doubts.is_empty() => {
            doubts.push("the workload had not recovered when the time was over".to_owned());
        }
        Some(after) if after.verdict != Outcome::Success => {
            doubts.push(format!("after the recovery {}", after.summary));
            doubts.extend(after.findings.iter().map(|finding| finding.message.clone()));
        }
        Some(_) if breaks && data.preserved.is_none() && doubts.is_empty() => {
            doubts.push("the data before and after could not be compared".to_owned());
        }
        _ => {}
    }
    let done = observed
        .faults
        .iter()
        .map(|record| record.number)
        .max()
        .unwrap_or(0);
    if breaks && done < observed.experiment.repeat && doubts.is_empty() {
        doubts.push(format!(
            "{done} of {} faults took place",
            observed.experiment.repeat
        ));
    }
    doubts.extend(other_replicas(observed));
    doubts.extend(unsupported_recovery(observed));
    doubts.extend(unsupported_outage(observed));
    if is_disturbed(observed) {
        doubts.extend(regressions(observed));
    }
    if let Some(budget) = observed.experiment.max_recovery_ms
        && breaks
        && slowest_recovery(&observed.faults).is_none()
    {
        doubts.push(format!(
            "no recovery was seen to its end, so nothing is known about the limit of {}",
            took(budget)
        ));
    }
    if !breaks {
        doubts.extend(blind(observed));
    }
    doubts
}

/// Replicas that were there before and are not any more, or the other way round: then "the same data on
/// every replica" is not about the same replicas.
fn other_replicas(observed: &Observed) -> Option<String> {
    let after = observed.after.as_ref()?;
    let names = |report: &VerifyReport| {
        let pods = report.replicas.iter().map(|answer| answer.pod.clone());
        pods.collect::<BTreeSet<String>>()
    };
    let (old, new) = (names(&observed.before), names(after));
    (old != new).then(|| {
        format!(
            "the workload had {} replicas before, and has {} now: somebody has scaled it",
            old.len(),
            new.len()
        )
    })
}

/// What nobody could see, one sentence for each replica.
fn blind(observed: &Observed) -> Vec<String> {
    let replicas = observed.availability.replicas.iter();
    replicas
        .filter(|replica| replica.unknown_ms > 0 || replica.probes.decided() == 0)
        .map(|replica| match replica.probes.decided() {
            0 => format!("`{}` could not be probed", replica.pod),
            _ => format!(
                "`{}` could not be probed for {}, and what it answered then is not known",
                replica.pod,
                took(replica.unknown_ms)
            ),
        })
        .collect()
}

/// A recovery as measured may have been over earlier, by what the probing leaves open.
fn unsupported_recovery(observed: &Observed) -> Option<String> {
    let budget = observed.experiment.max_recovery_ms?;
    let slowest = slowest_recovery(&observed.faults)?;
    let (slow, acceptable) = took_both(slowest, budget);
    (slowest > budget).then(|| {
        format!("recovery took up to {slow}; whether that is more than {acceptable} is not known")
    })
}

/// Where several containers run, the one whose process was ended need not be the one that answers:
/// only a gap in the answers shows that it is.
fn not_the_server(observed: &Observed, record: &FaultRecord) -> Option<String> {
    let container = observed.experiment.container.as_ref()?;
    let others = &observed.experiment.beside;
    let is_gapless = record.fault.keeps_pod() && record.outage_ms == Some(0);
    (is_gapless && !others.is_empty()).then(|| {
        let others: Vec<String> = others.iter().map(|other| format!("`{other}`")).collect();
        format!(
            "`{}` answered without a gap while its container `{container}` restarted: {} may be what \
             serves the endpoint",
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

/// A claim about outages is worth no more than the probing that it rests on, and none about one that
/// was not over.
fn unsupported_outage(observed: &Observed) -> Option<String> {
    let budget = observed.experiment.max_outage_ms?;
    let gap = observed.prober.largest_gap_ms;
    if gap > budget {
        let (gap, budget) = took_both(gap, budget);
        return Some(format!(
            "a replica was not probed for {gap}, so an outage of more than {budget} may have been \
             missed"
        ));
    }
    let longest = observed.availability.longest_outage()?;
    if longest.longest_outage_ms > budget {
        let judged = "whether that is more than {} is not known";
        return Some(away(longest, budget, judged));
    }
    let mut replicas = observed.availability.replicas.iter();
    let open = replicas.find(|replica| replica.open_outage_ms.is_some())?;
    let judged = "nothing is known about the limit of {}";
    Some(away(open, budget, judged))
}
