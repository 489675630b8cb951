//! The answers of every replica in a verification.

use super::pieces::{Column, begin_table, end_table, figure, or_dash, time};
use crate::exit::Outcome;
use crate::render::document::markup::Markup;
use crate::render::document::story::Story;
use crate::report::{Certainty, ReplicaAnswer, Transport, VerifyReport};

/// At most this many equal answers are shown.
const MOST_SAME: usize = 50;

/// The sections of a page about a verification.
pub(super) fn section(markup: &mut Markup, story: &Story<'_>) {
    markup.raw("<section>\n<h2>Requests</h2>\n<p>");
    let endpoints = story.endpoints();
    if endpoints.is_empty() {
        markup.raw("Unknown: the run ended before the first request.");
    }
    for (index, endpoint) in endpoints.iter().enumerate() {
        let separator = if index > 0 {
            ", "
        } else {
            "Request to every replica: "
        };
        markup
            .text(separator)
            .raw("<code>GET ")
            .text(&endpoint.path)
            .raw("</code> on port ")
            .text(endpoint.port);
    }
    markup.raw("</p>\n</section>\n<section>\n<h2>Answers of every replica</h2>\n");
    if let Some(report) = story.verification() {
        table(markup, &report.replicas, Some(report), "");
        groups(markup, report);
    } else if story.answers.is_empty() {
        markup.raw("<p>There were no answers.</p>\n");
    } else {
        let replicas: Vec<_> = story
            .answers
            .iter()
            .map(|answer| (*answer).clone())
            .collect();
        table(markup, &replicas, None, "");
    }
    markup.raw("</section>\n");
}

/// One row for every answer; `place` is the position of the verification in the report, if there is one.
pub(super) fn table(
    markup: &mut Markup,
    replicas: &[ReplicaAnswer],
    report: Option<&VerifyReport>,
    place: &'static str,
) {
    let groups = report.map_or(&[][..], |report| report.groups.as_slice());
    begin_table(
        markup,
        "The answer of every replica that should exist",
        &[
            Column::Words("Replica"),
            Column::Words("Verdict"),
            Column::Numbers("Status"),
            Column::Numbers("Bytes"),
            Column::Words("SHA-256"),
            Column::Numbers("Time"),
            Column::Words("Request"),
            Column::Words("Node"),
        ],
    );
    let is_counted = |answer: &ReplicaAnswer| {
        groups
            .iter()
            .any(|group| group.ordinals.contains(&answer.ordinal))
    };
    let mut same = 0;
    for (index, answer) in replicas.iter().enumerate() {
        let is_same = answer.error.is_none() && is_counted(answer) && groups.len() == 1;
        same += usize::from(is_same);
        if is_same && same > MOST_SAME {
            continue;
        }
        markup
            .raw("<tr><th scope=\"row\" class=\"id\">")
            .text(&answer.pod)
            .raw("</th><td class=\"words\">");
        judged(markup, answer, report);
        let number = |value: Option<u64>| value.map_or_else(|| "–".to_owned(), |n| n.to_string());
        markup
            .raw("</td><td class=\"n\">")
            .text(number(answer.status.map(u64::from)))
            .raw("</td><td class=\"n\">")
            .text(number(answer.bytes))
            .raw("</td><td class=\"id\"><code>");
        let sha256 = answer.sha256.as_deref();
        // Without groups, the answers are not those of the report.
        if groups.is_empty() {
            markup.text(sha256.map_or("–", short));
        } else {
            let pointer = format!("{place}/replicas/{index}/sha256");
            figure(
                markup,
                pointer,
                sha256.unwrap_or("null"),
                sha256.map_or("–", short),
            );
        }
        markup.raw("</code></td><td class=\"n\">");
        if groups.is_empty() {
            markup.text(number(answer.latency_ms));
        } else {
            let pointer = format!("{place}/replicas/{index}/latency_ms");
            time(markup, pointer, answer.latency_ms);
        }
        markup.raw("</td><td class=\"id\">").text(format_args!(
            "{} on port {}",
            answer.endpoint.path, answer.endpoint.port
        ));
        if answer.transport == Transport::PodProxy {
            markup.raw(" (API server's pod proxy)");
        }
        markup
            .raw("</td><td class=\"id\">")
            .text(or_dash(answer.node.as_deref()))
            .raw("</td></tr>");
    }
    end_table(markup);
    if same > MOST_SAME {
        markup
            .raw("<p class=\"faint\">… and ")
            .text(same - MOST_SAME)
            .raw(" more with the same answer.</p>\n");
    }
}

fn short(sha256: &str) -> &str {
    sha256.get(..16).unwrap_or(sha256)
}

fn judged(markup: &mut Markup, answer: &ReplicaAnswer, report: Option<&VerifyReport>) {
    let groups = report.map_or(&[][..], |report| report.groups.as_slice());
    let is_agreed = report.is_some_and(|report| report.verdict == Outcome::Success);
    let of_endpoint = || {
        let mut position = 0;
        groups.iter().find_map(|group| {
            if group.endpoint != answer.endpoint {
                return None;
            }
            position += 1;
            group.ordinals.contains(&answer.ordinal).then_some(position)
        })
    };
    let rivals = groups
        .iter()
        .filter(|group| group.endpoint == answer.endpoint)
        .count();
    match (&answer.error, of_endpoint()) {
        (Some(problem), _) => {
            let sign = match problem.certainty() {
                Certainty::Wrong => "✗ ",
                Certainty::Unknown => "? ",
            };
            markup.raw(sign).prose(problem.words());
        }
        (None, None) => {
            markup.raw("? not compared");
        }
        (None, Some(_)) if rivals == 1 => {
            markup.raw("✓ right");
        }
        // Different answers are allowed here.
        (None, Some(position)) if is_agreed => {
            markup.raw("✓ right: answer ").text(position);
        }
        (None, Some(position)) => {
            markup.raw("✗ differs: answer ").text(position);
        }
    }
}

/// The summary and the findings.
pub(super) fn summary(markup: &mut Markup, report: &VerifyReport) {
    markup.raw("<p>").prose(&report.summary).raw(".</p>\n");
    if !report.findings.is_empty() {
        markup.raw("<ul>");
        for finding in &report.findings {
            markup.raw("<li>").prose(&finding.message).raw("</li>");
        }
        markup.raw("</ul>\n");
    }
}

fn groups(markup: &mut Markup, report: &VerifyReport) {
    if report.groups.is_empty() {
        return;
    }
    begin_table(
        markup,
        "The different answers and their replicas",
        &[
            Column::Numbers("Answer"),
            Column::Words("Request"),
            Column::Numbers("Bytes"),
            Column::Words("SHA-256"),
            Column::Words("Replicas"),
        ],
    );
    for (index, group) in report.groups.iter().enumerate() {
        let ordinals: Vec<String> = group.ordinals.iter().map(ToString::to_string).collect();
        markup
            .raw("<tr><td class=\"n\">")
            .text(index + 1)
            .raw("</td><td>")
            .text(format_args!(
                "{} on port {}",
                group.endpoint.path, group.endpoint.port
            ))
            .raw("</td><td class=\"n\">");
        figure(
            markup,
            format_args!("/groups/{index}/bytes"),
            group.bytes,
            group.bytes,
        );
        markup.raw("</td><td><code>");
        figure(
            markup,
            format_args!("/groups/{index}/sha256"),
            &group.sha256,
            &group.sha256,
        );
        markup
            .raw("</code></td><td>")
            .text(ordinals.join(", "))
            .raw("</td></tr>");
    }
    end_table(markup);
}
