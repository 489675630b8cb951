//! The recovery: each phase of one fault with its time, or the summary of many.

use std::fmt::Write;

use super::pieces::{Column, HEIGHT, axis, begin_table, end_table, time};
use crate::fault::Fault;
use crate::figures::{count, took};
use crate::render::document::markup::Markup;
use crate::render::document::story::{Clip, Story};
use crate::render::phases::meaning;
use crate::report::{ChaosReport, FaultRecord, Percentiles, RecoveryPhase};
use crate::timeline::Incident;

/// The length of a whole bar, in units.
const LENGTH: u64 = 1_000;

/// At most this many incidents have a row.
const MOST_INCIDENTS: usize = 50;

/// The parts of a recovery in a bar: each part ends with the last of its phases.
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
        "a new pod is created and scheduled",
        &[RecoveryPhase::Replaced, RecoveryPhase::Scheduled],
    ),
    (
        "c",
        "its volumes are mounted and its containers start",
        &[RecoveryPhase::VolumeReady, RecoveryPhase::Started],
    ),
    (
        "d",
        "until all replicas give the same answer again",
        &[
            RecoveryPhase::Ready,
            RecoveryPhase::FirstRightAnswer,
            RecoveryPhase::AllEqual,
        ],
    ),
];

/// The section.
pub(super) fn section(markup: &mut Markup, story: &Story<'_>) {
    let Some(report) = story.chaos() else {
        return;
    };
    if report.observed.faults.is_empty() && story.incidents.is_empty() {
        return;
    }
    markup.raw("<section>\n<h2>The recovery, step by step</h2>\n");
    match report.observed.faults.as_slice() {
        [] => incidents(markup, story),
        [record] => one(markup, story, record),
        _ => {
            many(markup, report);
            incidents(markup, story);
        }
    }
    markup.raw("</section>\n");
}

/// A step of the recovery, or an incident between two steps.
enum Step<'a> {
    Seen(RecoveryPhase),
    Between(&'a Incident),
}

fn one(markup: &mut Markup, story: &Story<'_>, record: &FaultRecord) {
    markup
        .raw("<p>The fault was sent ")
        .text(took(record.at_ms))
        .raw(" after the start of the run. Times count from the fault.</p>\n");
    let phases = record.phases.iter();
    let phases = phases.map(|(phase, at)| (*at, Step::Seen(*phase)));
    let after = story.incidents.iter().filter(|it| it.at_ms >= record.at_ms);
    let between = after.take(MOST_INCIDENTS);
    let between = between.map(|it| (it.at_ms - record.at_ms, Step::Between(it)));
    let mut steps: Vec<(u64, Step<'_>)> = phases.chain(between).collect();
    // A stable sort keeps the order of phases that were seen at the same time.
    steps.sort_by_key(|(at, _)| *at);
    let whole = steps.last().map_or(1, |(at, _)| *at).max(1);
    begin_table(
        markup,
        "Each step of the recovery and when it was seen",
        &[
            Column::Words("Step"),
            Column::Numbers("After"),
            Column::Words("Timeline"),
        ],
    );
    let mut from = 0;
    for (at, seen) in steps {
        markup.raw("<tr><th scope=\"row\">");
        match seen {
            Step::Seen(phase) => {
                let pointer = format!("/faults/0/phases/{}", phase.name());
                step(markup, record.fault, phase);
                markup.raw("</th><td class=\"n\">");
                time(markup, pointer, Some(at));
            }
            Step::Between(it) => {
                markup
                    .raw(sign(it))
                    .text(it)
                    .raw("</th><td class=\"n\">")
                    .text(took(at))
                    .raw("</td><td></td></tr>");
                continue;
            }
        }
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
    .filter(|phase| !record.phases.contains_key(phase))
    .map(RecoveryPhase::title)
    .collect();
    if !unseen.is_empty() {
        markup
            .raw("<p>Never seen: ")
            .text(unseen.join("; "))
            .raw(".</p>\n");
    }
}

/// A phase by its name and meaning.
fn step(markup: &mut Markup, fault: Fault, phase: RecoveryPhase) {
    markup
        .raw(phase.title())
        .raw(" <span class=\"faint\">")
        .raw(meaning(fault, phase))
        .raw("</span>");
}

fn sign(incident: &Incident) -> &'static str {
    if incident.is_trouble { "✗ " } else { "? " }
}

/// The incidents, if the steps are not shown one by one.
fn incidents(markup: &mut Markup, story: &Story<'_>) {
    if story.incidents.is_empty() {
        return;
    }
    begin_table(
        markup,
        "Pods that crashed, or changed although no fault targeted them",
        &[Column::Words("Change"), Column::Numbers("Seen after")],
    );
    for it in story.incidents.iter().take(MOST_INCIDENTS) {
        markup
            .raw("<tr><th scope=\"row\">")
            .raw(sign(it))
            .text(it)
            .raw("</th><td class=\"n\">")
            .text(took(it.at_ms))
            .raw("</td></tr>");
    }
    end_table(markup);
    let more = story.incidents.len().saturating_sub(MOST_INCIDENTS);
    if more > 0 {
        markup
            .raw("<p class=\"faint\">… and ")
            .text(count(more, "more change"))
            .raw("; the journal has them all.</p>\n");
    }
}

fn many(markup: &mut Markup, report: &ChaosReport) {
    let faults = report.observed.fault_count();
    markup
        .raw("<p>")
        .text(count(
            usize::try_from(faults).unwrap_or(usize::MAX),
            "fault",
        ))
        .raw(", ")
        .text(count(report.observed.faults.len(), "recovery").replace("recoverys", "recoveries"))
        .raw(". Times count from ")
        .raw(if faults == 1 { "the" } else { "each" })
        .raw(" fault.</p>\n");
    // With few durations, the 95th percentile equals the maximum.
    let are_few = report.summary.values().all(Percentiles::are_few);
    let (caption, columns) = if are_few {
        ("How long each step took", ["Shortest", "Median", "Longest"])
    } else {
        (
            "How long each step took: half of all took no longer than “median”, 19 of 20 no longer than “95 %”",
            ["Median", "95 %", "Longest"],
        )
    };
    let [first, second, third] = columns.map(Column::Numbers);
    begin_table(
        markup,
        caption,
        &[Column::Words("Step"), first, second, third],
    );
    for (phase, figures) in &report.summary {
        markup.raw("<tr><th scope=\"row\">");
        if let Some(record) = report.observed.faults.first() {
            step(markup, record.fault, *phase);
        }
        if let Some((reached, all)) = phase.reach(&report.observed.faults) {
            markup.text(format_args!(" ({reached} of {all})"));
        }
        markup.raw("</th>");
        let name = phase.name();
        let (min, p50) = (("min", Some(figures.min)), ("p50", Some(figures.p50)));
        let p95 = ("p95", Some(figures.p95).filter(|_| !figures.are_few()));
        let [first, second] = if are_few { [min, p50] } else { [p50, p95] };
        for (rank, value) in [first, second, ("max", Some(figures.max))] {
            markup.raw("<td class=\"n\">");
            match value {
                Some(_) => time(markup, format_args!("/summary/{name}/{rank}"), value),
                None => {
                    markup.raw("–");
                }
            }
            markup.raw("</td>");
        }
        markup.raw("</tr>");
    }
    end_table(markup);
    chart(markup, report);
}

/// Every recovery as a thin bar, in the order of the faults.
fn chart(markup: &mut Markup, report: &ChaosReport) {
    let whole = report
        .observed
        .faults
        .iter()
        .flat_map(|record| record.phases.values())
        .max()
        .copied()
        .unwrap_or(1)
        .max(1);
    let rows = report.observed.faults.len();
    // Many recoveries get thin bars, so that they fit into one picture.
    let row = (1_200 / rows.max(1)).clamp(2, HEIGHT);
    let bar = (row * 4 / 5).max(1);
    let mut paths: [String; PARTS.len()] = Default::default();
    for (index, record) in report.observed.faults.iter().enumerate() {
        let top = index * row;
        let mut from = 0;
        for ((_, _, phases), path) in PARTS.iter().zip(&mut paths) {
            let end = phases
                .iter()
                .filter_map(|phase| record.phases.get(phase))
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
    markup.raw("</svg>\n");
    let clip = Clip {
        from_ms: 0,
        until_ms: whole,
        columns: 1_000,
    };
    axis(markup, &clip, 0);
    markup.raw("<figcaption>Every recovery as a bar that begins with its fault; the first fault is at the top.</figcaption>\n<ul class=\"key\">");
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
