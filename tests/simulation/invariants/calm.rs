//! Where nothing goes wrong, the verdict is decisive and right.

use cryptoctl::exit::Outcome;
use cryptoctl::report::Fault;

use super::Case;
use crate::run::Said;
use crate::truth::sha256;

/// The verdict, if it is another one than it must be.
pub(super) fn broken(case: &Case<'_>) -> Vec<String> {
    if !case.run.scenario.is_calm {
        return Vec::new();
    }
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
            let stays_behind = report.experiment.fault == Some(Fault::Cordon)
                && report.kills.iter().any(|kill| kill.refused.is_some());
            // Pods that no other node could take were not driven away, and nothing is said of them.
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
