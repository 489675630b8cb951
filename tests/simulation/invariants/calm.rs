//! Without disturbances, the verdict is decisive and right.

use cryptoctl::exit::Outcome;
use cryptoctl::fault::Fault;
use cryptoctl::report::ChaosReport;

use super::Case;
use crate::run::Said;
use crate::truth::sha256;

/// The verdict, if it is wrong, and false claims about replicas without a disturbance.
pub(super) fn broken(case: &Case<'_>) -> Vec<String> {
    if !case.run.scenario.is_calm {
        return Vec::new();
    }
    let mut wrong = verdict(case);
    if let Said::Chaos(Ok(report)) = &case.played.said {
        wrong.extend(blamed(report));
    }
    wrong
}

/// Replicas without a fault that are reported to have missed an answer.
///
/// This is asserted only here: time stands still during work, so no probe is ever late.
fn blamed(report: &ChaosReport) -> Vec<String> {
    let mut replicas = report.observed.availability.replicas.clone();
    replicas.retain(|replica| {
        !report
            .observed
            .faults
            .iter()
            .any(|record| record.pod == replica.pod)
    });
    replicas.retain(|replica| {
        let probes = replica.probes;
        probes.right == 0
            || probes.wrong + probes.failing + probes.silent + probes.unknown > 0
            || replica.longest_outage_ms + replica.unknown_ms > 0
    });
    let blamed = replicas.iter();
    blamed
        .map(|replica| format!("nothing happened to a replica, and it is blamed: {replica:?}"))
        .collect()
}

fn verdict(case: &Case<'_>) -> Vec<String> {
    let replies = &case.run.scenario.replies;
    let is_right = replies.iter().all(|reply| {
        reply.status == 200
            && !reply.body.is_empty()
            && sha256(&reply.body) == sha256(&replies[0].body)
    });
    let data = if is_right {
        Outcome::Success
    } else {
        Outcome::Unhealthy
    };
    let (said, right) = match &case.played.said {
        Said::Up(Ok(report)) => (report.outcome(), Outcome::Success),
        Said::Rollout(Ok(report)) => (report.outcome(), Outcome::Success),
        Said::Verify(Ok(report)) => (report.outcome(), data),
        Said::Chaos(Ok(report)) => {
            let stays_behind = report.observed.experiment.settings.fault == Some(Fault::Cordon)
                && report
                    .observed
                    .faults
                    .iter()
                    .any(|record| record.refused.is_some());
            // Pods that no other node could run were not evicted, so nothing is claimed about them.
            let right = if data == Outcome::Success && stays_behind {
                Outcome::Undecided
            } else {
                data
            };
            (report.outcome(), right)
        }
        said => {
            return vec![format!(
                "nothing went wrong, and there is no verdict: {said:?}"
            )];
        }
    };
    if said == right {
        return Vec::new();
    }
    vec![format!(
        "nothing went wrong, and the verdict is {said:?} in place of {right:?}"
    )]
}
