//! The verdict in one sentence, with the sample size.

use super::{AnswerGroup, Rounds, VerifyReport};
use crate::exit::Outcome;
use crate::figures::count;

/// The sentence; `has_baseline` says whether the answers were also compared with a baseline.
pub(super) fn summary(report: &VerifyReport, has_baseline: bool) -> String {
    let asked = report.expected_replicas();
    if asked == 0 {
        return "the workload has no replicas: there is nothing to verify".to_owned();
    }
    if report.replicas.iter().any(|answer| answer.error.is_some()) {
        return shares(report, asked);
    }
    if let Some(count) = different(report) {
        return format!("{asked} replicas gave {count} different answers");
    }
    let all = agreement(report, asked);
    if report.verdict == Outcome::Success {
        let baseline = if has_baseline {
            ", as in the baseline"
        } else {
            ""
        };
        return format!("{all}{baseline}");
    }
    let decisive = report
        .findings
        .iter()
        .find(|finding| finding.kind.certainty().is_some());
    match decisive {
        Some(finding) => format!("{all}, but {}", finding.message),
        None => shares(report, asked),
    }
}

/// The sentence if all replicas gave right answers.
fn agreement(report: &VerifyReport, asked: usize) -> String {
    let endpoints = report.endpoints.len();
    let sample = if endpoints > 1 {
        format!("(1 answer each at {endpoints} endpoints)")
    } else {
        "(1 answer each)".to_owned()
    };
    match report.groups.as_slice() {
        _ if asked == 1 && endpoints > 1 => format!(
            "the only replica answers at {endpoints} endpoints; there is nothing to compare it with"
        ),
        _ if asked == 1 => {
            "the only replica answers; there is nothing to compare it with".to_owned()
        }
        _ if !report.may_differ.is_empty() => {
            format!("all {asked} replicas answer as expected {sample}")
        }
        [group] => format!(
            "all {asked} replicas serve the same {} {sample}",
            count(group.bytes, "byte")
        ),
        _ => format!("all {asked} replicas serve the same data {sample}"),
    }
}

/// The number of different answers if there should be only one.
fn different(report: &VerifyReport) -> Option<usize> {
    let compared = report
        .endpoints
        .iter()
        .filter(|endpoint| !report.may_differ.contains(endpoint));
    compared
        .map(|endpoint| {
            let of_endpoint = |group: &&AnswerGroup| group.endpoint == *endpoint;
            report.groups.iter().filter(of_endpoint).count()
        })
        .filter(|count| *count > 1)
        .max()
}

/// How many replicas gave right answers at every endpoint, and whether these agree.
fn shares(report: &VerifyReport, asked: usize) -> String {
    let mut wrong: Vec<i32> = report
        .replicas
        .iter()
        .filter(|answer| answer.error.is_some())
        .map(|answer| answer.ordinal)
        .collect();
    wrong.dedup();
    let right = asked.saturating_sub(wrong.len());
    if let Some(count) = different(report) {
        return format!(
            "{right} of {asked} replicas gave a complete answer; there are {count} different ones"
        );
    }
    format!("{right} of {} gave a right answer", count(asked, "replica"))
}

/// The outcomes of all rounds and the summary of the last one.
pub(super) fn of_rounds(rounds: &Rounds, last: &str) -> String {
    let Rounds {
        count: rounds,
        success,
        unhealthy,
        undecided,
        changes,
    } = rounds;
    let parts: Vec<String> = [
        (*success, "successful"),
        (*unhealthy, "unhealthy"),
        (*undecided, "undecided"),
    ]
    .into_iter()
    .filter(|(number, word)| *number > 0 || *word == "successful")
    .map(|(number, word)| format!("{number} {word}"))
    .collect();
    let changes = match changes {
        0 => "no change".to_owned(),
        changes => count(*changes, "change"),
    };
    format!(
        "{}: {}; {changes}; last round: {last}",
        count(*rounds, "round"),
        parts.join(", ")
    )
}
