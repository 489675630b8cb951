//! The verdict card on the first screen: the verdict, the three main figures and the reasons.

use maud::{Markup, html};

use super::pieces::{figure, list};
use crate::figures::took;
use crate::render::document::story::Story;
use crate::render::document::text::{Prose, Text};
use crate::report::{ChaosReport, RecoveryPhase};

/// The card.
pub(super) fn card(story: &Story<'_>) -> Markup {
    let verdict = story.verdict();
    let reasons = story.reasons();
    html! {
        header class=(verdict.tone.class()) {
            h1 { (verdict.tone.sign()) " " (Text(verdict.word)) }
            @if let Some(report) = story.chaos().filter(|report| !report.observed.faults.is_empty()) {
                dl.answers {
                    div { dt { "Recovered after" } dd { (recovery(report)) } }
                    div { dt { "Longest outage" } dd { (outage(report)) } }
                    div { dt { "Same data" } dd { (data(report)) } }
                }
            }
            p.lead { (Prose(story.sentence())) }
            @if let Some(clients) = story.for_clients() {
                p { (Prose(clients)) }
            }
            @if !reasons.is_empty() {
                p { "Reasons:" }
                (list(&reasons))
            }
            (place(story))
        }
    }
}

fn recovery(report: &ChaosReport) -> Markup {
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
            figure("/summary/all_equal/max", times.max, shown)
        }
        _ => html! { "not seen to recover" },
    }
}

fn outage(report: &ChaosReport) -> Markup {
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
            figure(pointer, longest, shown)
        }
        _ => html! { "unknown" },
    }
}

fn data(report: &ChaosReport) -> Markup {
    let (value, shown) = match report.data.preserved {
        Some(true) => ("true", "✓ yes"),
        Some(false) => ("false", "✗ no"),
        None => ("null", "? unknown"),
    };
    figure("/data/preserved", value, shown)
}

/// The workload, the cluster and the time.
fn place(story: &Story<'_>) -> Markup {
    html! {
        p.faint {
            @if let Some(object) = story.object {
                (Text(object))
                @if let Some(namespace) = &object.namespace {
                    " in namespace " code { (Text(namespace)) }
                }
                " · "
            }
            @if let Some(run) = story.run {
                @if let Some(context) = &run.context {
                    "context " code { (Text(context)) } " · "
                }
                "server " code { (Text(&run.server)) } " · "
            }
            time datetime=(story.began) { (story.began.strftime("%Y-%m-%d %H:%M:%S UTC")) }
            " · took " (took(story.took_ms))
        }
    }
}
