//! Judges answers without a proven end: the bytes that arrived may prove that they differ from other
//! answers.

use super::baseline::Baseline;
use super::contents::Contents;
use super::finding::{Finding, FindingKind};
use super::group::AnswerGroup;
use super::problem::Problem;
use super::words::{replicas, serve};
use super::{Endpoint, ReplicaAnswer};
use crate::answer::{Contradiction, Fragment};
use crate::figures::count;

/// Every fragment that provably differs from the one complete answer at its endpoint, or from an earlier
/// fragment.
pub(super) fn contradictions(
    endpoint: &Endpoint,
    groups: &[&AnswerGroup],
    answers: &[ReplicaAnswer],
    contents: &Contents,
) -> Vec<Finding> {
    let mut findings = Vec::new();
    let fragments = of_endpoint(endpoint, answers, contents);
    for (index, (answer, fragment)) in fragments.iter().enumerate() {
        let of_group = groups.iter().find_map(|group| {
            let beginning = beginning(group, contents);
            let how = fragment.contradicts(group.bytes, beginning)?;
            let (who, does) = (replicas(&group.ordinals), serve(&group.ordinals));
            let other = format!("{who} {does}");
            Some(finding(answer, fragment, how, &other, Some(group.bytes)))
        });
        let of_fragment = || {
            fragments[..index].iter().find_map(|(other, earlier)| {
                let how = fragment.contradicts_fragment(earlier)?;
                let other = format!("replica {} sent", other.ordinal);
                Some(finding(answer, fragment, how, &other, None))
            })
        };
        findings.extend(of_group.or_else(of_fragment));
    }
    findings
}

/// Every fragment that provably differs from the baseline.
pub(super) fn against_baseline(
    baseline: &Baseline,
    answers: &[ReplicaAnswer],
    contents: &Contents,
) -> Vec<Finding> {
    let mut findings = Vec::new();
    for saved in &baseline.endpoints {
        let content = saved.known();
        let beginning = content.and_then(|content| content.beginning);
        let beginning = beginning.as_deref().unwrap_or_default();
        for (answer, fragment) in of_endpoint(&saved.endpoint, answers, contents) {
            let other = format!("the baseline of {} has", baseline.time);
            let found = fragment
                .contradicts(saved.bytes, beginning)
                .map(|how| finding(answer, fragment, how, &other, Some(saved.bytes)));
            findings.extend(found);
        }
    }
    findings
}

/// The fragments at an endpoint whose only problem is the missing end.
fn of_endpoint<'a>(
    endpoint: &Endpoint,
    answers: &'a [ReplicaAnswer],
    contents: &'a Contents,
) -> Vec<(&'a ReplicaAnswer, &'a Fragment)> {
    let of_endpoint = answers.iter().filter(|answer| answer.endpoint == *endpoint);
    let undecided = of_endpoint.filter(|answer| {
        matches!(
            answer.error,
            Some(Problem::Incomplete { .. } | Problem::TooLarge { .. })
        )
    });
    undecided
        .filter_map(|answer| Some((answer, contents.fragment(endpoint, answer.ordinal)?)))
        .collect()
}

fn beginning<'a>(group: &AnswerGroup, contents: &'a Contents) -> &'a [u8] {
    contents
        .of(&group.endpoint, &group.sha256)
        .and_then(|content| content.beginning.as_deref())
        .unwrap_or_default()
}

fn finding(
    answer: &ReplicaAnswer,
    fragment: &Fragment,
    how: Contradiction,
    other: &str,
    length: Option<u64>,
) -> Finding {
    let what = match (how, length) {
        (Contradiction::At(offset), _) => {
            format!("its byte at offset {offset} differs from the one that {other}")
        }
        (Contradiction::Longer, Some(length)) => format!(
            "at least {} arrived, but {other} {}",
            count(fragment.bytes, "byte"),
            count(length, "byte")
        ),
        (Contradiction::Promised(promised), Some(length)) => format!(
            "it announced {}, but {other} {}",
            count(promised, "byte"),
            count(length, "byte")
        ),
        (Contradiction::Longer | Contradiction::Promised(_), None) => {
            format!("its length differs from the one that {other}")
        }
    };
    let message = format!(
        "the answer of `{}` is incomplete and certainly different: {what}",
        answer.pod
    );
    Finding {
        first_difference: match how {
            Contradiction::At(offset) => Some(offset),
            Contradiction::Longer => length,
            Contradiction::Promised(_) => None,
        },
        ..Finding::of_pod(FindingKind::Differ, &answer.pod, message)
    }
}
