//! The verdict card on the first screen: the verdict, the three main figures and the reasons.

use super::pieces::figure;
use crate::figures::took;
use crate::render::document::markup::Markup;
use crate::render::document::story::Story;
use crate::report::{ChaosReport, RecoveryPhase};

/// The card.
pub(super) fn card(markup: &mut Markup, story: &Story<'_>) {
    let verdict = story.verdict();
    markup
        .raw("<header class=\"")
        .raw(verdict.tone.class())
        .raw("\">\n<h1>")
        .raw(verdict.tone.sign())
        .raw(" ")
        .text(verdict.word)
        .raw("</h1>\n");
    if let Some(report) = story
        .chaos()
        .filter(|report| !report.observed.faults.is_empty())
    {
        answers(markup, report);
    }
    markup
        .raw("<p class=\"lead\">")
        .prose(story.sentence())
        .raw("</p>\n");
    if let Some(clients) = story.for_clients() {
        markup.raw("<p>").prose(clients).raw("</p>\n");
    }
    let reasons = story.reasons();
    if !reasons.is_empty() {
        markup.raw("<p>Reasons:</p>\n<ul>");
        for reason in &reasons {
            markup.raw("<li>").prose(reason).raw("</li>");
        }
        markup.raw("</ul>\n");
    }
    place(markup, story);
    markup.raw("</header>\n");
}

/// The recovery time, the longest outage, and whether the data is the same.
fn answers(markup: &mut Markup, report: &ChaosReport) {
    markup.raw("<dl class=\"answers\">\n<div><dt>Recovered after</dt><dd>");
    let mut broken = report
        .observed
        .faults
        .iter()
        .filter(|record| record.refused.is_none());
    let is_back = broken.all(|record| record.phases.contains_key(&RecoveryPhase::AllEqual));
    match report.summary.get(&RecoveryPhase::AllEqual) {
        Some(times) if is_back => {
            let most = if report.observed.faults.len() > 1 {
                " at most"
            } else {
                ""
            };
            let shown = format!("{}{most}", took(times.max));
            figure(markup, "/summary/all_equal/max", times.max, shown);
        }
        _ => {
            markup.raw("not seen to recover");
        }
    }
    markup.raw("</dd></div>\n<div><dt>Longest outage</dt><dd>");
    let replicas = report.observed.availability.replicas.iter().enumerate();
    let longest = replicas.max_by_key(|(_, it)| (it.longest_outage_ms, it.open_outage_ms));
    match longest {
        Some((index, replica)) if replica.probes.decided() > 0 => {
            let longest = replica.longest_outage_ms;
            let shown = match (longest, replica.open_outage_ms) {
                (_, Some(_)) => replica.away_for(),
                (0, None) => "none".to_owned(),
                (_, None) => took(longest),
            };
            let pointer = format!("/availability/replicas/{index}/longest_outage_ms");
            figure(markup, pointer, longest, shown);
        }
        _ => {
            markup.raw("unknown");
        }
    }
    markup.raw("</dd></div>\n<div><dt>Same data</dt><dd>");
    let (value, shown) = match report.data.preserved {
        Some(true) => ("true", "✓ yes"),
        Some(false) => ("false", "✗ no"),
        None => ("null", "? unknown"),
    };
    figure(markup, "/data/preserved", value, shown);
    markup.raw("</dd></div>\n</dl>\n");
}

/// The command, the cluster and the time.
fn place(markup: &mut Markup, story: &Story<'_>) {
    markup.raw("<p class=\"faint\">");
    if let Some(object) = story.object {
        markup.text(object);
        if let Some(namespace) = &object.namespace {
            markup
                .raw(" in namespace <code>")
                .text(namespace)
                .raw("</code>");
        }
        markup.raw(" · ");
    }
    if let Some(run) = story.run {
        if let Some(context) = &run.context {
            markup.raw("context <code>").text(context).raw("</code> · ");
        }
        markup
            .raw("server <code>")
            .text(&run.server)
            .raw("</code> · ");
    }
    markup
        .raw("<time datetime=\"")
        .text(story.began)
        .raw("\">")
        .text(story.began.strftime("%Y-%m-%d %H:%M:%S UTC"))
        .raw("</time> · took ")
        .text(took(story.took_ms))
        .raw("</p>\n");
}
