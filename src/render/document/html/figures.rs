//! The figures: the availability of every replica, what clients of a Service saw, and the quality of
//! the measurement.

use maud::{Markup, html};

use super::pieces::{Column, figure, measured, share, table, term, time};
use crate::figures::took;
use crate::render::document::story::Story;
use crate::render::document::text::Text;
use crate::report::{ChaosReport, ReplicaAvailability};

/// The section.
pub(super) fn section(story: &Story<'_>) -> Markup {
    let Some(report) = story.chaos() else {
        return html! {};
    };
    let all = &report.observed.availability;
    let is_all_known = all.replicas.iter().all(|it| it.unknown_ms == 0);
    let measured = |pointer, milliseconds| measured(pointer, milliseconds, is_probed(report));
    let gap = html! {
        (measured("/prober/largest_gap_ms", report.observed.prober.largest_gap_ms)) " "
        span.faint { "(a shorter outage may have been missed)" }
    };
    let right = share("/availability/share", all.share, is_all_known);
    let none = measured("/availability/none_answered_ms", all.none_answered_ms);
    let interval = time(
        "/prober/interval_ms",
        Some(report.observed.prober.interval_ms),
    );
    html! {
        section {
            h2 { "Figures" }
            dl {
                (term("Right answers of all replicas", right))
                (term("Time without any right answer", none))
                (term("Probed for", measured("/availability/probed_ms", all.probed_ms)))
                (term("Probe interval", interval))
                (term("Longest gap of a replica", gap))
            }
            (replicas(report))
            (services(report))
            (compared(report))
        }
    }
}

fn is_probed(report: &ChaosReport) -> bool {
    report.observed.availability.probed_ms > 0
}

fn replicas(report: &ChaosReport) -> Markup {
    if report.observed.availability.replicas.is_empty() {
        return html! {};
    }
    let rows = report.observed.availability.replicas.iter().enumerate();
    let rows = rows.map(|(index, it)| replica(it, index, is_probed(report)));
    let columns = [
        Column::Words("Replica"),
        Column::Numbers("Share of right answers"),
        Column::Numbers("Longest outage"),
        Column::Numbers("Right"),
        Column::Numbers("Different data"),
        Column::Numbers("Error"),
        Column::Numbers("No answer"),
        Column::Numbers("Unknown"),
        Column::Numbers("Unknown for"),
    ];
    table("The probes of every replica by result", &columns, rows)
}

fn replica(replica: &ReplicaAvailability, index: usize, is_probed: bool) -> Markup {
    let pointer = |name: &str| format!("/availability/replicas/{index}/{name}");
    let probes = &replica.probes;
    let outage = match replica.open_outage_ms {
        _ if probes.decided() == 0 => "–".to_owned(),
        None => took(replica.longest_outage_ms),
        Some(_) => replica.away_for(),
    };
    let counts = [
        ("right", probes.right),
        ("wrong", probes.wrong),
        ("failing", probes.failing),
        ("silent", probes.silent),
        ("unknown", probes.unknown),
    ];
    html! {
        tr {
            th.id scope="row" { (Text(&replica.pod)) }
            td.n { (share(pointer("share"), replica.share, replica.unknown_ms == 0)) }
            td.n { (figure(pointer("longest_outage_ms"), replica.longest_outage_ms, outage)) }
            @for (name, number) in counts {
                td.n { (figure(pointer(name), number, number)) }
            }
            td.n { (measured(pointer("unknown_ms"), replica.unknown_ms, is_probed)) }
        }
    }
}

fn services(report: &ChaosReport) -> Markup {
    if report.observed.availability.services.is_empty() {
        return html! {};
    }
    let services = report.observed.availability.services.iter().enumerate();
    let rows = services.map(|(index, service)| {
        let times = [
            ("failing_ms", service.failing_ms),
            ("down_ms", service.down_ms),
            ("unknown_ms", service.unknown_ms),
        ];
        html! {
            tr {
                th.id scope="row" { (Text(&service.service)) }
                @for (name, time) in times {
                    @let pointer = format!("/availability/services/{index}/{name}");
                    td.n { (measured(pointer, time, is_probed(report))) }
                }
            }
        }
    });
    let columns = [
        Column::Words("Service"),
        Column::Numbers("Some requests may have failed for"),
        Column::Numbers("Every request failed for"),
        Column::Numbers("Unknown for"),
    ];
    table("What clients of a Service would have seen", &columns, rows)
}

fn compared(report: &ChaosReport) -> Markup {
    if report.observed.compared.is_empty() {
        return html! {};
    }
    let rows = report
        .observed
        .compared
        .iter()
        .enumerate()
        .map(|(index, compared)| {
            let verdict = if compared.is_regression {
                "✗ slower than the tolerance allows"
            } else {
                "✓ within the tolerance"
            };
            html! {
                tr {
                    th scope="row" { (Text(&compared.what)) }
                    td.n { (time(format_args!("/compared/{index}/old_ms"), Some(compared.old_ms))) }
                    td.n { (time(format_args!("/compared/{index}/new_ms"), Some(compared.new_ms))) }
                    td { (verdict) }
                }
            }
        });
    let columns = [
        Column::Words("Figure"),
        Column::Numbers("Older run"),
        Column::Numbers("This run"),
        Column::Words("Verdict"),
    ];
    table("This run compared with an older one", &columns, rows)
}
