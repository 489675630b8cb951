//! The test cases of an experiment: the steady state, the proof of each fault, the recoveries, the data
//! and the budgets.

use super::{Case, CaseResult};
use crate::figures::{took, took_both};
use crate::report::{
    ChaosReport, ChaosVerdict, Compared, FaultRecord, RecoveryPhase, ReplicaAvailability,
    VerifyReport,
};

/// The cases.
pub(super) fn cases(report: &ChaosReport) -> Vec<Case> {
    let mut cases = vec![steady_state(
        "steady state before the fault",
        &report.observed.before,
    )];
    if matches!(report.verdict, ChaosVerdict::Refused | ChaosVerdict::DryRun) {
        let skipped = |name: &str| {
            let reason = "nothing was broken".to_owned();
            Case::new("fault", name, CaseResult::Skipped(reason))
        };
        cases.extend(
            [
                "the fault is proven",
                "the workload recovers",
                "the data survives",
            ]
            .map(skipped),
        );
        return cases;
    }
    for record in &report.observed.faults {
        cases.push(proof(record));
        cases.push(recovery(report, record));
    }
    if let Some(after) = &report.observed.after {
        cases.push(steady_state("steady state after the last recovery", after));
    }
    cases.extend(
        report
            .observed
            .experiment
            .settings
            .fault
            .map(|_| data(report)),
    );
    cases.push(answers(report));
    cases.extend(longest_recovery(report));
    cases.extend(longest_outage(report));
    cases.extend(report.observed.compared.iter().map(compared));
    if !report.observed.not_restored.is_empty() {
        let result = CaseResult::Undecided(report.observed.not_restored.clone());
        cases.push(Case::new("restored", "every change is undone", result));
    }
    cases
}

fn steady_state(name: &str, verified: &VerifyReport) -> Case {
    let mut reasons = vec![verified.summary.clone()];
    reasons.extend(
        verified
            .findings
            .iter()
            .map(|finding| finding.message.clone()),
    );
    Case::new(
        "steady-state",
        name,
        CaseResult::of(verified.verdict, reasons),
    )
}

fn proof(record: &FaultRecord) -> Case {
    let FaultRecord {
        number, fault, pod, ..
    } = record;
    let result = match (&record.refused, &record.proof) {
        (Some(refused), _) => {
            CaseResult::Undecided(vec![format!("{pod} was not broken: {refused}")])
        }
        (None, None) => {
            CaseResult::Undecided(vec![format!("there is no proof that {pod} was hit")])
        }
        (None, Some(_)) => CaseResult::Passed,
    };
    let name = format!("fault {number}: {fault} of {pod} is proven");
    Case::new("fault", name, result)
}

fn recovery(report: &ChaosReport, record: &FaultRecord) -> Case {
    let all_equal = record.phases.get(&RecoveryPhase::AllEqual).copied();
    let reasons = || match &report.observed.cause {
        Some(cause) => vec![cause.message.clone()],
        None => vec![format!(
            "the replicas were never seen {} again after the fault on {}",
            RecoveryPhase::AllEqual.title(),
            record.pod
        )],
    };
    let result = match (all_equal, report.verdict) {
        _ if record.refused.is_some() => CaseResult::Skipped("it was not broken".to_owned()),
        (Some(_), _) | (None, ChaosVerdict::Survived) => CaseResult::Passed,
        (None, ChaosVerdict::Failed) => CaseResult::Failed(reasons()),
        (None, _) => CaseResult::Undecided(reasons()),
    };
    let name = format!(
        "fault {}: the workload recovers from the loss of {}",
        record.number, record.pod
    );
    Case::new("recovery", name, result).taking(all_equal)
}

fn data(report: &ChaosReport) -> Case {
    let shown = |sha256: &Option<String>| sha256.clone().unwrap_or_else(|| "unknown".to_owned());
    let hashes = format!(
        "SHA-256 before: {}, after: {}",
        shown(&report.data.before_sha256),
        shown(&report.data.after_sha256)
    );
    let result = match report.data.preserved {
        Some(true) => CaseResult::Passed,
        Some(false) => CaseResult::Failed(vec![hashes]),
        None => CaseResult::Undecided(vec![hashes]),
    };
    Case::new(
        "data",
        "every replica serves the same data as before",
        result,
    )
}

/// Answers with different data are wrong at any time; in a control run, so is any missed probe.
fn answers(report: &ChaosReport) -> Case {
    let is_control = report.observed.experiment.settings.fault.is_none();
    let replicas = &report.observed.availability.replicas;
    let lies: Vec<String> = replicas
        .iter()
        .filter_map(|replica| {
            let probes = &replica.probes;
            let bad = if is_control {
                probes.decided() - probes.right
            } else {
                probes.wrong
            };
            (bad > 0).then(|| format!("{}: {bad} of {} probes", replica.pod, probes.decided()))
        })
        .collect();
    let name = if is_control {
        "every probe gets a right answer"
    } else {
        "no replica answers with different data"
    };
    let probed = replicas
        .iter()
        .map(|replica| replica.probes.decided())
        .sum::<u64>();
    let result = if !lies.is_empty() {
        CaseResult::Failed(lies)
    } else if probed == 0 && report.verdict != ChaosVerdict::Survived {
        CaseResult::Undecided(vec!["no replica was probed".to_owned()])
    } else {
        CaseResult::Passed
    };
    Case::new("answers", name, result)
}

fn longest_recovery(report: &ChaosReport) -> Option<Case> {
    let budget = report.observed.experiment.settings.max_recovery_ms?;
    let slowest = report
        .summary
        .get(&RecoveryPhase::AllEqual)
        .map(|figures| figures.max);
    let mut broken = report
        .observed
        .faults
        .iter()
        .filter(|record| record.refused.is_none());
    let open = broken.find(|record| !record.phases.contains_key(&RecoveryPhase::AllEqual));
    let result = match (slowest, open) {
        (Some(slowest), _)
            if slowest.saturating_sub(report.observed.prober.leaves_open_ms()) > budget =>
        {
            CaseResult::Failed(vec![format!("recovery took {}", took(slowest))])
        }
        (_, Some(record)) => CaseResult::Undecided(vec![format!(
            "the recovery from fault {} was not complete",
            record.number
        )]),
        (None, None) => CaseResult::Undecided(vec!["no recovery was complete".to_owned()]),
        (Some(slowest), None) if slowest > budget => {
            CaseResult::Undecided(vec![format!("recovery took up to {}", took(slowest))])
        }
        (Some(_), None) => CaseResult::Passed,
    };
    let name = format!("every recovery takes at most {}", took(budget));
    Some(Case::new("budget", name, result).taking(slowest))
}

/// As the verdict weighs it: an excess within the uncertainty and an open outage are undecided.
fn longest_outage(report: &ChaosReport) -> Option<Case> {
    let budget = report.observed.experiment.settings.max_outage_ms?;
    let longest = report.observed.availability.longest_outage()?;
    let outage = longest.longest_outage_ms;
    let prober = &report.observed.prober;
    let words = |replica: &ReplicaAvailability| {
        format!(
            "{} gave no right answer for {}",
            replica.pod,
            replica.away_for()
        )
    };
    let mut replicas = report.observed.availability.replicas.iter();
    let open = replicas.find(|replica| replica.open_outage_ms.is_some());
    let result = if outage.saturating_sub(prober.leaves_open_ms()) > budget {
        CaseResult::Failed(vec![words(longest)])
    } else if outage > budget {
        CaseResult::Undecided(vec![words(longest)])
    } else if let Some(open) = open {
        CaseResult::Undecided(vec![words(open)])
    } else if prober.largest_gap_ms > budget {
        let gap = took(prober.largest_gap_ms);
        CaseResult::Undecided(vec![format!("a replica was not probed for {gap}")])
    } else {
        CaseResult::Passed
    };
    let name = format!("no outage is longer than {}", took(budget));
    Some(Case::new("budget", name, result).taking(Some(outage)))
}

fn compared(compared: &Compared) -> Case {
    let Compared {
        what,
        old_ms,
        new_ms,
        is_regression,
    } = compared;
    let result = if *is_regression {
        let (new, old) = took_both(*new_ms, *old_ms);
        CaseResult::Failed(vec![format!("{new}, compared with {old} in the older run")])
    } else {
        CaseResult::Passed
    };
    let name = format!("{what} is no slower than in the older run");
    Case::new("compared", name, result).taking(Some(*new_ms))
}
