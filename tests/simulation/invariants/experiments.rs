//! An experiment's claims about its faults, the recoveries and the data, compared with the truth.

use std::collections::BTreeSet;
use std::time::Duration;

use apiserver_model::Served;
use apiserver_model::object::{number, text};
use cryptoctl::exit::Outcome;
use cryptoctl::fault::Fault;
use cryptoctl::report::{ChaosReport, ChaosVerdict, FaultRecord, RecoveryPhase};
use tokio::time::Instant;

use super::{Case, experiment_writes, replicas, verdicts};
use crate::run::Said;
use crate::scenario::{Attack, Operation};
use crate::truth::{self, Span, has_condition, sha256};

/// Every claim that is not true.
pub(super) fn broken(case: &Case<'_>, report: &ChaosReport) -> Vec<String> {
    let Operation::Chaos(attack) = case.played.act.operation else {
        return Vec::new();
    };
    let mut wrong = replicas::broken(case, case.span(), &report.observed.before);
    let first = first_fault(case, attack);
    let since = Span {
        from: first.unwrap_or(case.played.end),
        to: case.played.end,
    };
    for record in &report.observed.faults {
        wrong.extend(of_record(case, since, record));
    }
    if let Some(after) = &report.observed.after {
        wrong.extend(replicas::broken(case, since, after));
    }
    match report.verdict {
        ChaosVerdict::Survived => wrong.extend(survived(case, attack, since, report)),
        ChaosVerdict::Failed => wrong.extend(failed(case, since, report)),
        ChaosVerdict::Refused if !report.observed.faults.is_empty() || is_struck(case, attack) => {
            wrong.push("it says refused, and broke something".to_owned());
        }
        ChaosVerdict::Undisturbed | ChaosVerdict::DryRun => {
            wrong.push(format!("it says {:?}, and was to break", report.verdict));
        }
        ChaosVerdict::Refused | ChaosVerdict::Inconclusive => {}
    }
    wrong
}

/// When the first fault was executed.
fn first_fault(case: &Case<'_>, attack: Attack) -> Option<Instant> {
    let requests = &case.run.requests[case.played.requests.clone()];
    let mut faults = requests.iter().filter(|request| {
        request.is_write()
            && request.executed.is_some()
            && experiment_writes::planned(case, attack, request).is_some()
    });
    faults.next().map(|request| request.at)
}

fn is_struck(case: &Case<'_>, attack: Attack) -> bool {
    let requests = &case.run.requests[case.played.requests.clone()];
    requests.iter().any(|request| {
        request.is_write()
            && request
                .executed
                .as_ref()
                .is_some_and(|executed| (200..300).contains(&executed.status))
            && experiment_writes::planned(case, attack, request).is_some()
    })
}

/// The IDs of the containers that a pod was ever seen with, and its highest restart count.
fn containers(case: &Case<'_>, uid: &str) -> (BTreeSet<String>, i64) {
    let mut ids = BTreeSet::new();
    let mut restarts = 0;
    for change in &case.run.history {
        let pod = &change.object;
        if change.key.resource == "pods" && text(pod, "/metadata/uid") == uid {
            let status = &pod["status"]["containerStatuses"][0];
            ids.extend(status["containerID"].as_str().map(str::to_owned));
            restarts = restarts.max(number(status, "/restartCount").unwrap_or(0));
        }
    }
    (ids, restarts)
}

/// Whether a pod was certainly replaced, or its container restarted.
fn is_proven(case: &Case<'_>, record: &FaultRecord) -> bool {
    let Some(uid_after) = &record.uid_after else {
        return false;
    };
    let (old, restarts) = containers(case, &record.uid_before);
    if record.fault == Fault::Kill {
        // The pod may have been replaced since.
        return old.len() > 1 && restarts > i64::from(record.restarts_before);
    }
    let (new, _) = containers(case, uid_after);
    *uid_after != record.uid_before && new.iter().any(|id| !old.contains(id))
}

fn of_record(case: &Case<'_>, since: Span, record: &FaultRecord) -> Vec<String> {
    let mut wrong = Vec::new();
    let has_pod = |moment: &truth::Moment, accept: &dyn Fn(&serde_json::Value) -> bool| {
        moment.pods.get(&record.pod).is_some_and(|pod| {
            let uid = text(pod, "/metadata/uid");
            // The restarted pod may have been replaced since.
            let is_restarted = record.fault == Fault::Kill && uid == record.uid_before;
            (is_restarted || Some(uid) == record.uid_after.as_deref()) && accept(pod)
        })
    };
    if record.proof.is_some() && !is_proven(case, record) {
        wrong.push(format!(
            "it claims a proof of what never happened: {record:?}"
        ));
    }
    if record.uid_after.is_some()
        && !truth::ever(case.run, since, |moment| has_pod(moment, &|_| true))
    {
        wrong.push(format!("it names a successor that never was: {record:?}"));
    }
    let is_ready = |pod: &serde_json::Value| has_condition(pod, "Ready", "True");
    if record.phases.contains_key(&RecoveryPhase::Ready)
        && !truth::ever(case.run, since, |moment| has_pod(moment, &is_ready))
    {
        wrong.push(format!("it says Ready, and it never was: {record:?}"));
    }
    let is_gone = truth::ever(case.run, since, |moment| {
        let pod = moment.pods.get(&record.pod);
        pod.map(|pod| text(pod, "/metadata/uid")) != Some(&record.uid_before)
    });
    if record.phases.contains_key(&RecoveryPhase::Gone) && !is_gone {
        wrong.push(format!("it says gone, and it never was: {record:?}"));
    }
    wrong
}

/// Answers of the probed replicas with the expected status and other content than in the steady state.
fn lies<'a>(
    case: &'a Case<'_>,
    span: Span,
    report: &'a ChaosReport,
) -> impl Iterator<Item = &'a Served> {
    let is_other = |served: &Served| {
        let right = report.observed.before.replicas.iter();
        right
            .filter(|answer| answer.pod == served.pod)
            .any(|answer| answer.sha256.as_ref() != Some(&sha256(&served.body)))
    };
    case.run.served.iter().filter(move |served| {
        served.status == 200 && served.at >= span.from && served.at < span.to && is_other(served)
    })
}

fn survived(case: &Case<'_>, attack: Attack, since: Span, report: &ChaosReport) -> Vec<String> {
    let mut wrong = Vec::new();
    let after = report.observed.after.as_ref();
    let is_preserved = after.is_some_and(|after| {
        after.verdict == Outcome::Success
            && after.agreed_sha256().is_some()
            && after.agreed_sha256() == report.observed.before.agreed_sha256()
    });
    let numbers: BTreeSet<u32> = report
        .observed
        .faults
        .iter()
        .map(|record| record.number)
        .collect();
    let is_executed = numbers.iter().copied().eq(1..=attack.repeat);
    let is_proven = report
        .observed
        .faults
        .iter()
        .all(|record| is_proven(case, record));
    let is_whole = truth::ever(case.run, since, truth::Moment::is_complete);
    if !(is_preserved
        && is_executed
        && is_proven
        && is_whole
        && report.observed.not_restored.is_empty())
    {
        wrong.push(format!(
            "it says survived: preserved {is_preserved}, all faults {is_executed}, proven {is_proven}, \
             whole {is_whole}, not restored {:?}",
            report.observed.not_restored
        ));
    }
    // If the transport to a pod was broken, its answers may not have reached the prober.
    let requests = &case.run.requests[case.played.requests.clone()];
    let is_heard = !requests
        .iter()
        .any(|request| request.path.ends_with("/portforward") && request.fault.is_some())
        && !case
            .run
            .disturbances
            .iter()
            .any(|(_, _, disturbance)| disturbance.contains("Freeze"));
    if is_heard && let Some(lie) = lies(case, since, report).next() {
        wrong.push(format!(
            "it says survived, and a probe was answered so: {lie:?}"
        ));
    }
    wrong
}

fn failed(case: &Case<'_>, since: Span, report: &ChaosReport) -> Vec<String> {
    let is_wrong = report.observed.after.as_ref().is_some_and(|after| {
        after.verdict == Outcome::Unhealthy
            || after
                .agreed_sha256()
                .is_some_and(|sha256| Some(sha256) != report.observed.before.agreed_sha256())
    });
    // A lie before the first fault counts, too: the replicas are probed from the steady state on.
    let whole = Span {
        from: case.played.start,
        // A wrong answer ends the run at once.
        to: since.to + Duration::from_millis(1),
    };
    match &report.observed.cause {
        _ if is_wrong || lies(case, whole, report).next().is_some() => Vec::new(),
        Some(diagnosis) => verdicts::untrue_cause(case, since, diagnosis),
        None => vec!["it says failed, and names nothing that is wrong".to_owned()],
    }
}

/// What an experiment left behind without reporting it.
pub(super) fn left_behind(case: &Case<'_>) -> Vec<String> {
    let (Operation::Chaos(_), Said::Chaos(said)) = (case.played.act.operation, &case.played.said)
    else {
        return Vec::new();
    };
    if said
        .as_ref()
        .is_ok_and(|report| !report.observed.not_restored.is_empty())
    {
        return Vec::new();
    }
    let notes = ["cryptoctl/chaos-replicas", "cryptoctl/chaos-cordoned-for"];
    let mut last = std::collections::BTreeMap::new();
    for change in &case.run.history {
        if change.at <= case.played.end
            && ["nodes", "statefulsets"].contains(&&*change.key.resource)
        {
            last.insert((&change.key.resource, &change.key.name), &change.object);
        }
    }
    let is_left = |object: &serde_json::Value| {
        let annotations = &object["metadata"]["annotations"];
        notes.iter().any(|note| !annotations[*note].is_null())
    };
    last.into_values()
        .filter(|object| is_left(object))
        .map(|object| {
            let annotations = &object["metadata"]["annotations"];
            format!("it leaves behind {annotations} and does not say so: {said:?}")
        })
        .collect()
}
