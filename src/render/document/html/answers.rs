//! The answers of every replica in a verification.

use maud::{Markup, html};

use super::pieces::{Column, figure, list, or_dash, table, time};
use crate::exit::Outcome;
use crate::render::document::story::Story;
use crate::render::document::text::{Prose, Text};
use crate::report::{Certainty, ReplicaAnswer, Transport, VerifyReport};

/// At most this many equal answers are shown.
const MOST_SAME: usize = 50;

/// The sections of a page about a verification.
pub(super) fn section(story: &Story<'_>) -> Markup {
    let endpoints = story.endpoints();
    html! {
        section {
            h2 { "Requests" }
            p {
                @if endpoints.is_empty() {
                    "Unknown: the run ended before the first request."
                }
                @for (index, endpoint) in endpoints.iter().enumerate() {
                    (if index > 0 { ", " } else { "Request to every replica: " })
                    code { "GET " (Text(&endpoint.path)) } " on port " (endpoint.port)
                }
            }
        }
        section {
            h2 { "Answers of every replica" }
            @if let Some(report) = story.verification() {
                (replicas(&report.replicas, Some(report), ""))
                (groups(report))
            } @else if story.answers.is_empty() {
                p { "There were no answers." }
            } @else {
                (replicas(story.answers.iter().copied(), None, ""))
            }
        }
    }
}

/// One row for every answer; `place` is the position of the verification in the report, if there is one.
pub(super) fn replicas<'a>(
    answers: impl IntoIterator<Item = &'a ReplicaAnswer>,
    report: Option<&VerifyReport>,
    place: &str,
) -> Markup {
    let groups = report.map_or(&[][..], |report| report.groups.as_slice());
    let is_same = |answer: &ReplicaAnswer| {
        answer.error.is_none()
            && matches!(groups, [group] if group.ordinals.contains(&answer.ordinal))
    };
    let mut same = 0;
    let mut shown: Vec<(usize, &ReplicaAnswer)> = answers.into_iter().enumerate().collect();
    shown.retain(|(_, answer)| {
        let is_same = is_same(answer);
        same += usize::from(is_same);
        !is_same || same <= MOST_SAME
    });
    let rows = shown
        .into_iter()
        .map(|(index, answer)| row(answer, report, &format!("{place}/replicas/{index}")));
    let columns = [
        Column::Words("Replica"),
        Column::Words("Verdict"),
        Column::Numbers("Status"),
        Column::Numbers("Bytes"),
        Column::Words("SHA-256"),
        Column::Numbers("Time"),
        Column::Words("Request"),
        Column::Words("Node"),
    ];
    html! {
        (table("The answer of every replica that should exist", &columns, rows))
        @if same > MOST_SAME {
            p.faint { "… and " (same - MOST_SAME) " more with the same answer." }
        }
    }
}

fn row(answer: &ReplicaAnswer, report: Option<&VerifyReport>, place: &str) -> Markup {
    // Without groups, the answers are not those of the report.
    let is_reported = report.is_some_and(|report| !report.groups.is_empty());
    let number = |value: Option<u64>| value.map_or_else(|| "–".to_owned(), |n| n.to_string());
    let sha256 = answer.sha256.as_deref();
    let short = sha256.map_or("–", |sha256| sha256.get(..16).unwrap_or(sha256));
    html! {
        tr {
            th.id scope="row" { (Text(&answer.pod)) }
            td.words { (judged(answer, report)) }
            td.n { (number(answer.status.map(u64::from))) }
            td.n { (number(answer.bytes)) }
            td.id {
                code {
                    @if is_reported {
                        (figure(format_args!("{place}/sha256"), sha256.unwrap_or("null"), short))
                    } @else {
                        (Text(short))
                    }
                }
            }
            td.n {
                @if is_reported {
                    (time(format_args!("{place}/latency_ms"), answer.latency_ms))
                } @else {
                    (number(answer.latency_ms))
                }
            }
            td.id {
                (Text(&answer.endpoint.path)) " on port " (answer.endpoint.port)
                @if answer.transport == Transport::PodProxy { " (API server's pod proxy)" }
            }
            td.id { (or_dash(answer.node.as_deref())) }
        }
    }
}

fn judged(answer: &ReplicaAnswer, report: Option<&VerifyReport>) -> Markup {
    let groups = report.map_or(&[][..], |report| report.groups.as_slice());
    let is_agreed = report.is_some_and(|report| report.verdict == Outcome::Success);
    let rivals = || {
        groups
            .iter()
            .filter(|group| group.endpoint == answer.endpoint)
    };
    let position = rivals().position(|group| group.ordinals.contains(&answer.ordinal));
    match (&answer.error, position) {
        (Some(problem), _) => {
            let sign = match problem.certainty() {
                Certainty::Wrong => "✗ ",
                Certainty::Unknown => "? ",
            };
            html! { (sign) (Prose(problem.words())) }
        }
        (None, None) => html! { "? not compared" },
        (None, Some(_)) if rivals().count() == 1 => html! { "✓ right" },
        // Different answers are allowed here.
        (None, Some(index)) if is_agreed => html! { "✓ right: answer " (index + 1) },
        (None, Some(index)) => html! { "✗ differs: answer " (index + 1) },
    }
}

/// The summary and the findings.
pub(super) fn summary(report: &VerifyReport) -> Markup {
    let findings: Vec<&str> = report
        .findings
        .iter()
        .map(|finding| finding.message.as_str())
        .collect();
    html! {
        p { (Prose(&report.summary)) "." }
        @if !findings.is_empty() {
            (list(&findings))
        }
    }
}

fn groups(report: &VerifyReport) -> Markup {
    if report.groups.is_empty() {
        return html! {};
    }
    let rows = report.groups.iter().enumerate().map(|(index, group)| {
        let ordinals: Vec<String> = group.ordinals.iter().map(ToString::to_string).collect();
        let place = format!("/groups/{index}");
        html! {
            tr {
                td.n { (index + 1) }
                td { (Text(&group.endpoint.path)) " on port " (group.endpoint.port) }
                td.n { (figure(format_args!("{place}/bytes"), group.bytes, group.bytes)) }
                td {
                    code { (figure(format_args!("{place}/sha256"), &group.sha256, &group.sha256)) }
                }
                td { (ordinals.join(", ")) }
            }
        }
    });
    let columns = [
        Column::Numbers("Answer"),
        Column::Words("Request"),
        Column::Numbers("Bytes"),
        Column::Words("SHA-256"),
        Column::Words("Replicas"),
    ];
    table("The different answers and their replicas", &columns, rows)
}
