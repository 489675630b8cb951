//! The recovery: each phase of one fault with its time, or the figures of many.

use std::fmt::Write;

use super::pieces::{Column, HEIGHT, begin_table, end_table, figure, time};
use crate::document::markup::Markup;
use crate::document::story::{Story, phase_title};
use crate::render::{count, took};
use crate::report::{ChaosReport, Kill, RecoveryPhase};

/// The units of a bar's whole length.
const LENGTH: u64 = 1_000;

/// What a recovery consists of, for a bar: each part ends with the last of its phases.
const PARTS: [(&str, &str, &[RecoveryPhase]); 4] = [
    (
        "a",
        "the old pod stops",
        &[
            RecoveryPhase::Accepted,
            RecoveryPhase::Terminating,
            RecoveryPhase::Gone,
        ],
    ),
    (
        "b",
        "a new pod is made and gets a node",
        &[RecoveryPhase::Replaced, RecoveryPhase::Scheduled],
    ),
    (
        "c",
        "its volumes and containers start",
        &[RecoveryPhase::VolumeReady, RecoveryPhase::Started],
    ),
    (
        "d",
        "until all replicas answer alike again",
        &[
            RecoveryPhase::Ready,
            RecoveryPhase::FirstRightAnswer,
            RecoveryPhase::AllEqual,
        ],
    ),
];

/// The section.
pub(super) fn section(markup: &mut Markup, story: &Story<'_>) {
    let Some(report) = story.chaos().filter(|report| !report.kills.is_empty()) else {
        return;
    };
    markup.raw("<section>\n<h2>What happened, step by step</h2>\n");
    match report.kills.as_slice() {
        [kill] => one(markup, kill),
        _ => many(markup, report),
    }
    markup.raw("</section>\n");
}

fn one(markup: &mut Markup, kill: &Kill) {
    markup
        .raw("<p>The fault was sent ")
        .text(took(kill.at_ms))
        .raw(" after the run began. The times count from there.</p>\n");
    let mut phases: Vec<(RecoveryPhase, u64)> = kill
        .phases
        .iter()
        .map(|(phase, at)| (*phase, *at))
        .collect();
    phases.sort_by_key(|(phase, at)| (*at, *phase));
    let whole = phases.last().map_or(1, |(_, at)| *at).max(1);
    begin_table(
        markup,
        "Each step of the recovery, and when it was seen",
        &[
            Column::Words("Step"),
            Column::Numbers("After"),
            Column::Words("Timeline"),
        ],
    );
    let mut from = 0;
    for (phase, at) in phases {
        let pointer = format!("/kills/0/phases/{}", phase.name());
        markup.raw("<tr><th scope=\"row\">").raw(phase_title(phase));
        markup.raw("</th><td class=\"n\">");
        time(markup, pointer, Some(at));
        let (left, right) = (from * LENGTH / whole, (at * LENGTH / whole).max(4));
        let left = left.min(right - 4);
        markup
            .raw("</td><td class=\"bar\"><svg viewBox=\"0 0 1000 20\" preserveAspectRatio=\"none\" aria-hidden=\"true\"><path class=\"ahead\" d=\"M0 9h")
            .text(left)
            .raw("v2H0z\"/><path class=\"a\" d=\"M")
            .text(format_args!("{left} 2H{right}v16H{left}z"))
            .raw("\"/></svg></td></tr>");
        from = at;
    }
    end_table(markup);
    let unseen: Vec<&str> = [
        RecoveryPhase::Ready,
        RecoveryPhase::FirstRightAnswer,
        RecoveryPhase::AllEqual,
    ]
    .into_iter()
    .filter(|phase| !kill.phases.contains_key(phase))
    .map(phase_title)
    .collect();
    if !unseen.is_empty() {
        markup
            .raw("<p>Never seen: ")
            .text(unseen.join("; "))
            .raw(".</p>\n");
    }
}

fn many(markup: &mut Markup, report: &ChaosReport) {
    let faults = report
        .kills
        .iter()
        .map(|kill| kill.number)
        .max()
        .unwrap_or(0);
    markup
        .raw("<p>")
        .text(count(
            usize::try_from(faults).unwrap_or(usize::MAX),
            "fault",
        ))
        .raw(", ")
        .text(count(report.kills.len(), "recovery").replace("recoverys", "recoveries"))
        .raw(". The times count from each fault.</p>\n");
    begin_table(
        markup,
        "How long each step took: half of all took no longer than “half”, 19 of 20 no longer than “95 %”",
        &[
            Column::Words("Step"),
            Column::Numbers("Half"),
            Column::Numbers("95 %"),
            Column::Numbers("Longest"),
        ],
    );
    for (phase, figures) in &report.summary {
        markup
            .raw("<tr><th scope=\"row\">")
            .raw(phase_title(*phase))
            .raw("</th>");
        let name = phase.name();
        for (rank, value) in [
            ("p50", figures.p50),
            ("p95", figures.p95),
            ("max", figures.max),
        ] {
            markup.raw("<td class=\"n\">");
            figure(
                markup,
                format_args!("/summary/{name}/{rank}"),
                value,
                took(value),
            );
            markup.raw("</td>");
        }
        markup.raw("</tr>");
    }
    end_table(markup);
    chart(markup, report);
}

/// Every recovery as a thin bar, one below the other, in the order of the faults.
fn chart(markup: &mut Markup, report: &ChaosReport) {
    let whole = report
        .kills
        .iter()
        .flat_map(|kill| kill.phases.values())
        .max()
        .copied()
        .unwrap_or(1)
        .max(1);
    let rows = report.kills.len();
    // Many recoveries get thin bars, so that they stay one picture.
    let row = (1_200 / rows.max(1)).clamp(2, HEIGHT);
    let bar = (row * 4 / 5).max(1);
    let mut paths: [String; PARTS.len()] = Default::default();
    for (index, kill) in report.kills.iter().enumerate() {
        let top = index * row;
        let mut from = 0;
        for ((_, _, phases), path) in PARTS.iter().zip(&mut paths) {
            let end = phases
                .iter()
                .filter_map(|phase| kill.phases.get(phase))
                .max();
            let Some(end) = end.map(|at| at * LENGTH / whole) else {
                continue;
            };
            if end > from {
                // Writing to a String cannot fail.
                let _ = write!(path, "M{from} {top}H{end}v{bar}H{from}z");
                from = end;
            }
        }
    }
    markup
        .raw("<figure>\n<svg class=\"chart\" role=\"img\" aria-label=\"Every recovery as a bar, one below the other in the order of the faults; the table of the evidence has the numbers\" viewBox=\"0 0 1000 ")
        .text(rows * row)
        .raw("\" preserveAspectRatio=\"none\" height=\"")
        .text((rows * row).clamp(24, 640))
        .raw("\">");
    for ((class, ..), path) in PARTS.iter().zip(&paths) {
        if !path.is_empty() {
            markup
                .raw("<path class=\"")
                .raw(class)
                .raw("\" d=\"")
                .text(path)
                .raw("\"/>");
        }
    }
    markup.raw("</svg>\n<div class=\"axis\" aria-hidden=\"true\">");
    for quarter in 0..=4 {
        markup
            .raw("<span>")
            .text(took(whole * quarter / 4))
            .raw("</span>");
    }
    markup.raw("</div>\n<figcaption>Every recovery as a bar, from its fault on; the first fault is at the top.</figcaption>\n<ul class=\"key\">");
    for (class, title, _) in PARTS {
        markup
            .raw("<li><svg viewBox=\"0 0 48 20\" aria-hidden=\"true\"><path class=\"")
            .raw(class)
            .raw("\" d=\"M0 0h48v20H0z\"/></svg>")
            .raw(title)
            .raw("</li>");
    }
    markup.raw("</ul>\n</figure>\n");
}
