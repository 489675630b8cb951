//! The figures: the availability of every replica, what clients of a Service saw, and the quality of
//! the measurement.

use super::pieces::{Column, begin_table, end_table, figure, measured, share, time};
use crate::figures::took;
use crate::render::document::markup::Markup;
use crate::render::document::story::Story;
use crate::report::ChaosReport;

/// The section.
pub(super) fn section(markup: &mut Markup, story: &Story<'_>) {
    let Some(report) = story.chaos() else {
        return;
    };
    markup.raw("<section>\n<h2>Figures</h2>\n<dl>");
    let availability = &report.observed.availability;
    markup.raw("<dt>Right answers of all replicas</dt><dd>");
    let is_all_known = availability.replicas.iter().all(|it| it.unknown_ms == 0);
    share(
        markup,
        "/availability/share",
        availability.share,
        is_all_known,
    );
    markup.raw("</dd><dt>Time without any right answer</dt><dd>");
    let is_probed = availability.probed_ms > 0;
    let none = availability.none_answered_ms;
    measured(markup, "/availability/none_answered_ms", none, is_probed);
    markup.raw("</dd><dt>Probed for</dt><dd>");
    let probed = availability.probed_ms;
    measured(markup, "/availability/probed_ms", probed, is_probed);
    markup.raw("</dd><dt>Probe interval</dt><dd>");
    time(
        markup,
        "/prober/interval_ms",
        Some(report.observed.prober.interval_ms),
    );
    markup.raw("</dd><dt>Longest gap of a replica</dt><dd>");
    let gap = report.observed.prober.largest_gap_ms;
    measured(markup, "/prober/largest_gap_ms", gap, is_probed);
    markup.raw(" <span class=\"faint\">(a shorter outage may have been missed)</span></dd></dl>\n");
    replicas(markup, report);
    services(markup, report);
    compared(markup, report);
    markup.raw("</section>\n");
}

fn replicas(markup: &mut Markup, report: &ChaosReport) {
    if report.observed.availability.replicas.is_empty() {
        return;
    }
    begin_table(
        markup,
        "The probes of every replica by result",
        &[
            Column::Words("Replica"),
            Column::Numbers("Share of right answers"),
            Column::Numbers("Longest outage"),
            Column::Numbers("Right"),
            Column::Numbers("Different data"),
            Column::Numbers("Error"),
            Column::Numbers("No answer"),
            Column::Numbers("Unknown"),
            Column::Numbers("Unknown for"),
        ],
    );
    let is_probed = report.observed.availability.probed_ms > 0;
    for (index, replica) in report.observed.availability.replicas.iter().enumerate() {
        let place = format!("/availability/replicas/{index}");
        markup
            .raw("<tr><th scope=\"row\" class=\"id\">")
            .text(&replica.pod)
            .raw("</th><td class=\"n\">");
        let is_all_known = replica.unknown_ms == 0;
        let pointer = format!("{place}/share");
        share(markup, pointer, replica.share, is_all_known);
        markup.raw("</td><td class=\"n\">");
        let shown = match replica.open_outage_ms {
            _ if replica.probes.decided() == 0 => "–".to_owned(),
            None => took(replica.longest_outage_ms),
            Some(_) => replica.away_for(),
        };
        figure(
            markup,
            format_args!("{place}/longest_outage_ms"),
            replica.longest_outage_ms,
            shown,
        );
        let probes = &replica.probes;
        for (name, number) in [
            ("right", probes.right),
            ("wrong", probes.wrong),
            ("failing", probes.failing),
            ("silent", probes.silent),
            ("unknown", probes.unknown),
        ] {
            markup.raw("</td><td class=\"n\">");
            figure(markup, format_args!("{place}/{name}"), number, number);
        }
        markup.raw("</td><td class=\"n\">");
        let pointer = format_args!("{place}/unknown_ms");
        measured(markup, pointer, replica.unknown_ms, is_probed);
        markup.raw("</td></tr>");
    }
    end_table(markup);
}

fn services(markup: &mut Markup, report: &ChaosReport) {
    if report.observed.availability.services.is_empty() {
        return;
    }
    begin_table(
        markup,
        "What clients of a Service would have seen",
        &[
            Column::Words("Service"),
            Column::Numbers("Some requests may have failed for"),
            Column::Numbers("Every request failed for"),
            Column::Numbers("Unknown for"),
        ],
    );
    let is_probed = report.observed.availability.probed_ms > 0;
    for (index, service) in report.observed.availability.services.iter().enumerate() {
        let place = format!("/availability/services/{index}");
        markup
            .raw("<tr><th scope=\"row\" class=\"id\">")
            .text(&service.service)
            .raw("</th><td class=\"n\">");
        let pointer = format_args!("{place}/failing_ms");
        measured(markup, pointer, service.failing_ms, is_probed);
        markup.raw("</td><td class=\"n\">");
        let pointer = format_args!("{place}/down_ms");
        measured(markup, pointer, service.down_ms, is_probed);
        markup.raw("</td><td class=\"n\">");
        let pointer = format_args!("{place}/unknown_ms");
        measured(markup, pointer, service.unknown_ms, is_probed);
        markup.raw("</td></tr>");
    }
    end_table(markup);
}

fn compared(markup: &mut Markup, report: &ChaosReport) {
    if report.observed.compared.is_empty() {
        return;
    }
    begin_table(
        markup,
        "This run compared with an older one",
        &[
            Column::Words("Figure"),
            Column::Numbers("Older run"),
            Column::Numbers("This run"),
            Column::Words("Verdict"),
        ],
    );
    for (index, compared) in report.observed.compared.iter().enumerate() {
        let place = format!("/compared/{index}");
        markup
            .raw("<tr><th scope=\"row\">")
            .text(&compared.what)
            .raw("</th><td class=\"n\">");
        time(
            markup,
            format_args!("{place}/old_ms"),
            Some(compared.old_ms),
        );
        markup.raw("</td><td class=\"n\">");
        time(
            markup,
            format_args!("{place}/new_ms"),
            Some(compared.new_ms),
        );
        markup.raw("</td><td>").raw(if compared.is_regression {
            "✗ slower than the tolerance allows"
        } else {
            "✓ within the tolerance"
        });
        markup.raw("</td></tr>");
    }
    end_table(markup);
}
