//! The recovery: each phase of one fault with its time, or the summary of many.

use std::fmt::Write;

use maud::{Markup, html};

use super::pieces::{Column, HEIGHT, axis, sample, table, time};
use crate::fault::Fault;
use crate::figures::{count, took};
use crate::render::document::story::{Clip, Story};
use crate::render::document::text::Text;
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
pub(super) fn section(story: &Story<'_>) -> Markup {
    let Some(report) = story.chaos() else {
        return html! {};
    };
    if report.observed.faults.is_empty() && story.incidents.is_empty() {
        return html! {};
    }
    html! {
        section {
            h2 { "The recovery, step by step" }
            @match report.observed.faults.as_slice() {
                [] => { (incidents(story)) }
                [record] => { (one(story, record)) }
                _ => {
                    (many(report))
                    (incidents(story))
                }
            }
        }
    }
}

/// A step of the recovery, or an incident between two steps.
enum Step<'a> {
    Seen(RecoveryPhase),
    Between(&'a Incident),
}

fn one(story: &Story<'_>, record: &FaultRecord) -> Markup {
    let phases = record.phases.iter();
    let phases = phases.map(|(phase, at)| (*at, Step::Seen(*phase)));
    let after = story.incidents.iter().filter(|it| it.at_ms >= record.at_ms);
    let between = after.take(MOST_INCIDENTS);
    let between = between.map(|it| (it.at_ms - record.at_ms, Step::Between(it)));
    let mut steps: Vec<(u64, Step<'_>)> = phases.chain(between).collect();
    // A stable sort keeps the order of phases that were seen at the same time.
    steps.sort_by_key(|(at, _)| *at);
    let whole = steps.last().map_or(1, |(at, _)| *at).max(1);
    let mut from = 0;
    let rows = steps.into_iter().map(|(at, seen)| match seen {
        Step::Seen(phase) => {
            let bar = bar(from, at, whole);
            from = at;
            let pointer = format!("/faults/0/phases/{}", phase.name());
            html! {
                tr {
                    th scope="row" { (step(record.fault, phase)) }
                    td.n { (time(pointer, Some(at))) }
                    td.bar { (bar) }
                }
            }
        }
        Step::Between(it) => html! {
            tr { (incident(it, at)) td {} }
        },
    });
    let columns = [
        Column::Words("Step"),
        Column::Numbers("After"),
        Column::Words("Timeline"),
    ];
    let unseen: Vec<&str> = [
        RecoveryPhase::Ready,
        RecoveryPhase::FirstRightAnswer,
        RecoveryPhase::AllEqual,
    ]
    .into_iter()
    .filter(|phase| !record.phases.contains_key(phase))
    .map(RecoveryPhase::title)
    .collect();
    html! {
        p {
            "The fault was sent " (took(record.at_ms))
            " after the start of the run. Times count from the fault."
        }
        (table("Each step of the recovery and when it was seen", &columns, rows))
        @if !unseen.is_empty() {
            p { "Never seen: " (unseen.join("; ")) "." }
        }
    }
}

/// A step as a part of the whole recovery.
fn bar(from: u64, until: u64, whole: u64) -> Markup {
    let right = (until * LENGTH / whole).max(4);
    let left = (from * LENGTH / whole).min(right - 4);
    html! {
        svg viewBox="0 0 1000 20" preserveAspectRatio="none" aria-hidden="true" {
            path.ahead d={ "M0 9h" (left) "v2H0z" } {}
            path.a d={ "M" (left) " 2H" (right) "v16H" (left) "z" } {}
        }
    }
}

/// A phase by its name and meaning.
fn step(fault: Fault, phase: RecoveryPhase) -> Markup {
    html! {
        (phase.title()) " "
        span.faint { (meaning(fault, phase)) }
    }
}

/// An incident and its time, as cells of a table.
fn incident(incident: &Incident, at_ms: u64) -> Markup {
    html! {
        th scope="row" { (if incident.is_trouble { "✗ " } else { "? " }) (Text(incident)) }
        td.n { (took(at_ms)) }
    }
}

/// The incidents, if the steps are not shown one by one.
fn incidents(story: &Story<'_>) -> Markup {
    if story.incidents.is_empty() {
        return html! {};
    }
    let shown = story.incidents.iter().take(MOST_INCIDENTS);
    let rows = shown.map(|it| html! { tr { (incident(it, it.at_ms)) } });
    let caption = "Pods that crashed, or changed although no fault targeted them";
    let columns = [Column::Words("Change"), Column::Numbers("Seen after")];
    let more = story.incidents.len().saturating_sub(MOST_INCIDENTS);
    html! {
        (table(caption, &columns, rows))
        @if more > 0 {
            p.faint { "… and " (count(more, "more change")) "; the journal has them all." }
        }
    }
}

fn many(report: &ChaosReport) -> Markup {
    let faults = report.observed.fault_count();
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
    let rows = report.summary.iter().map(|(phase, figures)| {
        let name = phase.name();
        let (min, p50) = (("min", Some(figures.min)), ("p50", Some(figures.p50)));
        let p95 = ("p95", Some(figures.p95).filter(|_| !figures.are_few()));
        let [first, second] = if are_few { [min, p50] } else { [p50, p95] };
        html! {
            tr {
                th scope="row" {
                    @if let Some(record) = report.observed.faults.first() {
                        (step(record.fault, *phase))
                    }
                    @if let Some((reached, all)) = phase.reach(&report.observed.faults) {
                        " (" (reached) " of " (all) ")"
                    }
                }
                @for (rank, value) in [first, second, ("max", Some(figures.max))] {
                    td.n {
                        @if value.is_some() {
                            (time(format_args!("/summary/{name}/{rank}"), value))
                        } @else {
                            "–"
                        }
                    }
                }
            }
        }
    });
    let recoveries =
        count(report.observed.faults.len(), "recovery").replace("recoverys", "recoveries");
    html! {
        p {
            (count(usize::try_from(faults).unwrap_or(usize::MAX), "fault")) ", " (recoveries)
            ". Times count from " (if faults == 1 { "the" } else { "each" }) " fault."
        }
        (table(caption, &[Column::Words("Step"), first, second, third], rows))
        (chart(report))
    }
}

/// Every recovery as a thin bar, in the order of the faults.
fn chart(report: &ChaosReport) -> Markup {
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
    let height = rows * row;
    let clip = Clip {
        from_ms: 0,
        until_ms: whole,
        columns: 1_000,
    };
    let label = "Every recovery as a bar, one below the other in the order of the faults; the table of the evidence has the numbers";
    html! {
        figure {
            svg.chart
                role="img" aria-label=(label)
                viewBox={ "0 0 1000 " (height) } preserveAspectRatio="none"
                height=(height.clamp(24, 640))
            {
                @for ((class, ..), path) in PARTS.iter().zip(&paths) {
                    @if !path.is_empty() {
                        path class=(class) d=(path) {}
                    }
                }
            }
            (axis(&clip, 0))
            figcaption { "Every recovery as a bar that begins with its fault; the first fault is at the top." }
            ul.key {
                @for (class, title, _) in PARTS {
                    li { (sample(class)) (title) }
                }
            }
        }
    }
}
