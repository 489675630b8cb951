//! A page always shows the same outages as the report.

use jiff::Timestamp;
use proptest::prelude::*;

use super::{Format, render, samples};
use crate::event::{Event, EventKind};
use crate::exit::ExitStatus;
use crate::figures::took;
use crate::report::{ProbeState, ReplicaAvailability, Report};
use crate::timeline::{ServiceState, Timeline};

const UNTIL_MS: u64 = 60;
const FROM_MS: u64 = 5;

/// A run with this history, and the report that `ops` would measure.
fn run(history: &[EventKind]) -> Vec<Event> {
    let mut events = samples::survived();
    let Some(EventKind::Finished(mut end)) = events.pop().map(|event| event.kind) else {
        panic!("no end");
    };
    events.retain(|event| {
        !matches!(
            event.kind,
            EventKind::Probe { .. } | EventKind::Probes { .. } | EventKind::Endpoints { .. }
        )
    });
    let mut timeline = Timeline::of([0, 1, 2].map(|ordinal| format!("web-{ordinal}")));
    for event in &mut events {
        event.elapsed_ms = 0;
        if let EventKind::Experiment { replicas, .. } = &mut event.kind {
            *replicas = timeline.replicas().map(str::to_owned).collect();
        }
    }
    for kind in history {
        timeline.record(kind);
        let (EventKind::Probe { at_ms, .. } | EventKind::Endpoints { at_ms, .. }) = kind else {
            continue;
        };
        events.push(Event {
            time: Timestamp::UNIX_EPOCH,
            elapsed_ms: *at_ms,
            kind: kind.clone(),
        });
    }
    if let Some(Report::Chaos(report)) = &mut end.report {
        report.observed.availability = timeline.availability(FROM_MS, UNTIL_MS);
    }
    events.push(samples::finished(UNTIL_MS, ExitStatus::Success, end.report));
    events
}

/// The words beside the strip of a replica.
fn beside<'a>(page: &'a str, pod: &str) -> &'a str {
    let begin = format!("<strong>{pod}</strong><span class=\"faint\">");
    let (_, rest) = page.split_once(&begin).unwrap();
    rest.split_once("</span>").unwrap().0
}

/// The outages in the words beside a strip: the length of the longest, and whether one is open.
fn told(words: &str) -> Option<(u64, bool)> {
    let number = |text: &str| text.trim_end_matches("ms").trim().parse::<u64>().unwrap();
    let outages: Vec<(u64, bool)> = words
        .split("; ")
        .filter_map(|outage| {
            let (_, times) = outage.split_once("no right answer from ")?;
            let closed = times
                .split_once(" to ")
                .filter(|_| !times.contains(" on, "));
            let (from, until) = closed.or_else(|| times.split_once(" on, at least to "))?;
            Some((number(until) - number(from), closed.is_none()))
        })
        .collect();
    let longest = outages.iter().map(|(length, _)| *length).max()?;
    Some((longest, outages.iter().any(|(_, is_open)| *is_open)))
}

fn agrees(page: &str, replica: &ReplicaAvailability) {
    let words = beside(page, &replica.pod);
    if words.ends_with(" outages") {
        return;
    }
    let (longest, is_open) = told(words).unwrap_or((0, false));
    assert_eq!(longest, replica.longest_outage_ms, "{words}");
    assert_eq!(is_open, replica.open_outage_ms.is_some(), "{words}");
}

proptest! {
    #[test]
    fn a_page_tells_the_outages_of_the_report(history in crate::timeline::tests::histories()) {
        let events = run(&history);
        let Some(EventKind::Finished(end)) = events.last().map(|event| &event.kind) else {
            panic!("no end");
        };
        let Some(Report::Chaos(report)) = &end.report else {
            panic!("no report");
        };
        let is_probed = history.iter().any(|event| matches!(event, EventKind::Probe { .. }));
        if is_probed {
            let page = render(Format::Page, &events).unwrap();
            for replica in &report.observed.availability.replicas {
                agrees(&page, replica);
            }
        }
        let story = crate::render::document::story::Story::of(&events).unwrap();
        for strip in &story.services {
            let measured = &report.observed.availability.services;
            let measured = measured.iter().find(|it| it.service == strip.name).unwrap();
            let time = |least: ServiceState| {
                let spans = strip.spans.iter().filter(|span| span.state >= least);
                spans.map(|span| span.within(FROM_MS, UNTIL_MS)).sum::<u64>()
            };
            assert_eq!(time(ServiceState::Failing), measured.failing_ms);
            assert_eq!(time(ServiceState::Down), measured.down_ms);
        }
    }
}

#[test]
fn what_is_unknown_within_an_outage_makes_no_two_of_it() {
    let changes = [
        (ProbeState::Right, 0),
        (ProbeState::Silent, 10),
        (ProbeState::Unknown, 20),
        (ProbeState::Silent, 30),
        (ProbeState::Right, 40),
    ];
    let history = changes.map(|(state, at_ms)| EventKind::Probe {
        pod: "web-0".into(),
        state,
        at_ms,
        detail: None,
    });
    let page = render(Format::Page, &run(&history)).unwrap();
    let expected = format!("no right answer from {} to {}", took(10), took(40));
    assert_eq!(beside(&page, "web-0"), expected);
}
