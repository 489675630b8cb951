//! The evidence: the proof of every fault, and that the data is the same.

use maud::{Markup, html};

use super::answers;
use super::pieces::{Column, figure, or_dash, table, term, time};
use crate::diagnose::{Evidence, Source};
use crate::figures::took;
use crate::render::document::story::Story;
use crate::render::document::text::{Prose, Text};
use crate::report::{ChaosReport, DataProof, FaultRecord, RecoveryPhase};

/// At most this many faults have a row.
const MOST_ROWS: usize = 100;

/// The section.
pub(super) fn section(story: &Story<'_>) -> Markup {
    html! {
        section {
            h2 { "The evidence" }
            @if let Some(report) = story.chaos() {
                (data(&report.data, report.has_afterwards()))
                (faults(report))
                (cause(report))
                h3 { "Answers before the first fault" }
                (answers::replicas(&report.observed.before.replicas, Some(&report.observed.before), "/before"))
                (answers::summary(&report.observed.before))
                @if let Some(after) = &report.observed.after {
                    h3 { "Answers after the last recovery" }
                    (answers::replicas(&after.replicas, Some(after), "/after"))
                    (answers::summary(after))
                }
            } @else {
                (sent(story))
            }
        }
    }
}

fn data(data: &DataProof, has_afterwards: bool) -> Markup {
    let hash = |pointer, sha256: Option<&str>| {
        html! { code { (figure(pointer, sha256.unwrap_or("null"), sha256.unwrap_or("unknown"))) } }
    };
    let title = if has_afterwards {
        "SHA-256 before"
    } else {
        "SHA-256 on every replica"
    };
    let (value, words) = match data.preserved {
        Some(true) => (
            "true",
            "✓ yes: every replica serves the same data as before",
        ),
        Some(false) => ("false", "✗ no"),
        None => ("null", "? unknown: one of the two is missing"),
    };
    html! {
        h3 { "The data" }
        dl {
            (term(title, hash("/data/before_sha256", data.before_sha256.as_deref())))
            @if has_afterwards {
                (term("SHA-256 after", hash("/data/after_sha256", data.after_sha256.as_deref())))
                (term("Equal", figure("/data/preserved", value, words)))
            }
        }
    }
}

fn faults(report: &ChaosReport) -> Markup {
    if report.observed.faults.is_empty() {
        return html! {};
    }
    let mut rows: Vec<(usize, &FaultRecord)> = report.observed.faults.iter().enumerate().collect();
    let hidden = rows.len().saturating_sub(MOST_ROWS);
    if hidden > 0 {
        // Faults without proof first, then the slowest.
        rows.sort_by_key(|(_, record)| {
            let slowness = record.phases.get(&RecoveryPhase::AllEqual).copied();
            (
                record.proof.is_some(),
                std::cmp::Reverse(slowness.unwrap_or(u64::MAX)),
            )
        });
        rows.truncate(MOST_ROWS);
        rows.sort_by_key(|(index, _)| *index);
    }
    let caption = "A replaced pod has a different UID and a later start; a restarted container has a higher restart count";
    let columns = [
        Column::Numbers("No."),
        Column::Words("Pod"),
        Column::Numbers("Sent after"),
        Column::Words("UID before and after"),
        Column::Words("Proof"),
        Column::Numbers("Outage"),
        Column::Numbers("Ready after"),
        Column::Numbers("All equal after"),
        Column::Numbers("Wrong answers"),
    ];
    let rows = rows.into_iter().map(|(index, record)| row(index, record));
    html! {
        h3 { "Every fault and its proof" }
        (table(caption, &columns, rows))
        @if hidden > 0 {
            p.faint { (hidden) " more are proven and took less time; the JSON report has all of them." }
        }
    }
}

fn row(index: usize, record: &FaultRecord) -> Markup {
    let pointer = |name: &str| format!("/faults/{index}/{name}");
    let wrong = record.wrong_answers;
    let proof = match (&record.refused, &record.proof) {
        (Some(refused), _) => html! { "✗ refused: " (Prose(refused)) },
        (None, Some(proof)) => html! { "✓ " (Prose(proof)) },
        (None, None) => html! { "? no proof" },
    };
    let outage = match record.outage_ms {
        None if record.refused.is_none() => figure(pointer("outage_ms"), "null", "still open"),
        outage => time(pointer("outage_ms"), outage),
    };
    let before = record.restarts_before;
    let restarts = record.restarts_after.filter(|after| *after != before);
    html! {
        tr {
            td.n { (record.number) }
            td.id { (Text(&record.pod)) }
            td.n { (took(record.at_ms)) }
            td.id {
                code { (Text(&record.uid_before)) }
                br;
                code { (or_dash(record.uid_after.as_deref())) }
            }
            td.words {
                (proof)
                @if let Some(after) = restarts { " (restarts: " (before) " before, " (after) " after)" }
            }
            td.n { (outage) }
            @for phase in [RecoveryPhase::Ready, RecoveryPhase::AllEqual] {
                td.n {
                    @match record.phases.get(&phase) {
                        Some(after) => {
                            (time(pointer(&format!("phases/{}", phase.name())), Some(*after)))
                        }
                        None => { "–" }
                    }
                }
            }
            td.n { (figure(pointer("wrong_answers"), wrong, wrong)) }
        }
    }
}

fn cause(report: &ChaosReport) -> Markup {
    html! {
        @if let Some(cause) = &report.observed.cause {
            h3 { "Why it did not recover" }
            p { (Prose(&cause.message)) " (" code { (Text(&cause.object)) } ")" }
            ul {
                @for it in &cause.evidence {
                    li { code { (Text(&it.words)) } " (" (Text(place(it))) ")" }
                }
            }
            @if !cause.next.is_empty() {
                p { "Next commands:" }
                ul {
                    @for command in &cause.next { li { code { (Text(command)) } } }
                }
            }
        }
    }
}

/// Where a piece of evidence was seen, and when.
fn place(evidence: &Evidence) -> String {
    let object = &evidence.object;
    let place = match &evidence.source {
        Source::Field(path) => format!("{path} of {object}"),
        Source::Condition(kind) => format!("condition {kind} of {object}"),
        Source::Event(reason) => format!("event {reason} of {object}"),
        Source::Log(container) => format!("log of {container} of {object}"),
    };
    match evidence.time {
        Some(time) => format!("{place}, {time}"),
        None => place,
    }
}

/// The evidence of a run without a report.
fn sent(story: &Story<'_>) -> Markup {
    let rows = story.faults.iter().map(|fault| {
        html! {
            tr {
                td.n { (fault.number) }
                td { (fault.fault) }
                td { (Text(fault.pods.join(", "))) }
                td.n { (took(fault.at_ms)) }
            }
        }
    });
    let columns = [
        Column::Numbers("No."),
        Column::Words("Fault"),
        Column::Words("Pods"),
        Column::Numbers("Sent after"),
    ];
    html! {
        @if story.faults.is_empty() {
            p { "No fault was sent." }
        } @else {
            (table("The faults that were sent; none is proven", &columns, rows))
        }
        @if !story.answers.is_empty() {
            h3 { "The last answers" }
            (answers::replicas(story.answers.iter().copied(), None, ""))
        }
    }
}
