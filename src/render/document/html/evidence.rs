//! The evidence: the proof of every fault, and that the data is the same.

use super::answers;
use super::pieces::{Column, begin_table, end_table, figure, or_dash, time};
use crate::figures::took;
use crate::render::document::markup::Markup;
use crate::render::document::story::Story;
use crate::report::{ChaosReport, DataProof, FaultRecord, RecoveryPhase};

/// At most this many faults have a row.
const MOST_ROWS: usize = 100;

/// The section.
pub(super) fn section(markup: &mut Markup, story: &Story<'_>) {
    markup.raw("<section>\n<h2>The evidence</h2>\n");
    if let Some(report) = story.chaos() {
        data(markup, &report.data, report.has_afterwards());
        faults(markup, report);
        cause(markup, report);
        markup.raw("<h3>Answers before the first fault</h3>\n");
        answers::table(
            markup,
            &report.observed.before.replicas,
            Some(&report.observed.before),
            "/before",
        );
        answers::summary(markup, &report.observed.before);
        if let Some(after) = &report.observed.after {
            markup.raw("<h3>Answers after the last recovery</h3>\n");
            answers::table(markup, &after.replicas, Some(after), "/after");
            answers::summary(markup, after);
        }
    } else {
        sent(markup, story);
    }
    markup.raw("</section>\n");
}

fn data(markup: &mut Markup, data: &DataProof, has_afterwards: bool) {
    markup.raw("<h3>The data</h3>\n<dl>");
    let hash = |markup: &mut Markup, title: &'static str, pointer, sha256: Option<&str>| {
        markup.raw("<dt>").raw(title).raw("</dt><dd><code>");
        figure(
            markup,
            pointer,
            sha256.unwrap_or("null"),
            sha256.unwrap_or("unknown"),
        );
        markup.raw("</code></dd>");
    };
    let DataProof {
        before_sha256,
        after_sha256,
        preserved,
    } = data;
    let title = if has_afterwards {
        "SHA-256 before"
    } else {
        "SHA-256 on every replica"
    };
    hash(
        markup,
        title,
        "/data/before_sha256",
        before_sha256.as_deref(),
    );
    if !has_afterwards {
        markup.raw("</dl>\n");
        return;
    }
    hash(
        markup,
        "SHA-256 after",
        "/data/after_sha256",
        after_sha256.as_deref(),
    );
    let (value, words) = match preserved {
        Some(true) => (
            "true",
            "✓ yes: every replica serves the same data as before",
        ),
        Some(false) => ("false", "✗ no"),
        None => ("null", "? unknown: one of the two is missing"),
    };
    markup.raw("<dt>Equal</dt><dd>");
    figure(markup, "/data/preserved", value, words);
    markup.raw("</dd></dl>\n");
}

fn faults(markup: &mut Markup, report: &ChaosReport) {
    if report.observed.faults.is_empty() {
        return;
    }
    markup.raw("<h3>Every fault and its proof</h3>\n");
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
    begin_table(
        markup,
        "A replaced pod has a different UID and a later start; a restarted container has a higher restart count",
        &[
            Column::Numbers("No."),
            Column::Words("Pod"),
            Column::Numbers("Sent after"),
            Column::Words("UID before and after"),
            Column::Words("Proof"),
            Column::Numbers("Outage"),
            Column::Numbers("Ready after"),
            Column::Numbers("All equal after"),
            Column::Numbers("Wrong answers"),
        ],
    );
    for (index, record) in rows {
        row(markup, index, record);
    }
    end_table(markup);
    if hidden > 0 {
        markup
            .raw("<p class=\"faint\">")
            .text(hidden)
            .raw(" more are proven and took less time; the JSON report has all of them.</p>\n");
    }
}

fn row(markup: &mut Markup, index: usize, record: &FaultRecord) {
    markup
        .raw("<tr><td class=\"n\">")
        .text(record.number)
        .raw("</td><td class=\"id\">")
        .text(&record.pod)
        .raw("</td><td class=\"n\">")
        .text(took(record.at_ms))
        .raw("</td><td class=\"id\"><code>")
        .text(&record.uid_before)
        .raw("</code><br><code>")
        .text(or_dash(record.uid_after.as_deref()))
        .raw("</code></td><td class=\"words\">");
    match (&record.refused, &record.proof) {
        (Some(refused), _) => markup.raw("✗ refused: ").prose(refused),
        (None, Some(proof)) => markup.raw("✓ ").prose(proof),
        (None, None) => markup.raw("? no proof"),
    };
    if let Some(after) = record
        .restarts_after
        .filter(|after| *after != record.restarts_before)
    {
        let restarts = format_args!(
            " (restarts: {} before, {after} after)",
            record.restarts_before
        );
        markup.text(restarts);
    }
    markup.raw("</td><td class=\"n\">");
    let pointer = format!("/faults/{index}/outage_ms");
    match record.outage_ms {
        None if record.refused.is_none() => figure(markup, pointer, "null", "still open"),
        outage => time(markup, pointer, outage),
    }
    for phase in [RecoveryPhase::Ready, RecoveryPhase::AllEqual] {
        markup.raw("</td><td class=\"n\">");
        match record.phases.get(&phase) {
            Some(after) => {
                let pointer = format!("/faults/{index}/phases/{}", phase.name());
                time(markup, pointer, Some(*after));
            }
            None => {
                markup.raw("–");
            }
        }
    }
    markup.raw("</td><td class=\"n\">");
    let wrong = record.wrong_answers;
    figure(
        markup,
        format_args!("/faults/{index}/wrong_answers"),
        wrong,
        wrong,
    );
    markup.raw("</td></tr>");
}

fn cause(markup: &mut Markup, report: &ChaosReport) {
    let Some(cause) = &report.observed.cause else {
        return;
    };
    markup
        .raw("<h3>Why it did not recover</h3>\n<p>")
        .prose(&cause.message)
        .raw(" (<code>")
        .text(&cause.object)
        .raw("</code>)</p>\n<ul>");
    for line in &cause.evidence {
        markup.raw("<li><code>").text(line).raw("</code></li>");
    }
    markup.raw("</ul>\n");
    if !cause.next.is_empty() {
        markup.raw("<p>Next commands:</p>\n<ul>");
        for command in &cause.next {
            markup.raw("<li><code>").text(command).raw("</code></li>");
        }
        markup.raw("</ul>\n");
    }
}

/// The evidence of a run without a report.
fn sent(markup: &mut Markup, story: &Story<'_>) {
    if story.faults.is_empty() {
        markup.raw("<p>No fault was sent.</p>\n");
    } else {
        begin_table(
            markup,
            "The faults that were sent; none is proven",
            &[
                Column::Numbers("No."),
                Column::Words("Fault"),
                Column::Words("Pods"),
                Column::Numbers("Sent after"),
            ],
        );
        for fault in &story.faults {
            markup
                .raw("<tr><td class=\"n\">")
                .text(fault.number)
                .raw("</td><td>")
                .text(fault.fault)
                .raw("</td><td>")
                .text(fault.pods.join(", "))
                .raw("</td><td class=\"n\">")
                .text(took(fault.at_ms))
                .raw("</td></tr>");
        }
        end_table(markup);
    }
    if !story.answers.is_empty() {
        markup.raw("<h3>The last answers</h3>\n");
        let replicas: Vec<_> = story
            .answers
            .iter()
            .map(|answer| (*answer).clone())
            .collect();
        answers::table(markup, &replicas, None, "");
    }
}
