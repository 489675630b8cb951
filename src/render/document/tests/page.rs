//! The page agrees with the report, stays small, and loads or runs nothing.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{Format, render, runs, samples};
use crate::event::{Event, EventKind};
use crate::exit::ExitStatus;
use crate::render::terminal::render_to_text;
use crate::report::{ChaosReport, ChaosVerdict, ProbeCounts, Report};

fn page(events: &[Event]) -> String {
    render(Format::Page, events).unwrap()
}

fn named(name: &str) -> Vec<Event> {
    let mut runs = runs().into_iter();
    runs.find(|(known, _)| *known == name).unwrap().1
}

/// Every figure of a page: its position in the report and its value.
fn figures(page: &str) -> BTreeMap<String, String> {
    let attribute = |text: &str, name: &str| {
        let (_, rest) = text.split_once(&format!("{name}=\"")).unwrap();
        rest.split_once('"').unwrap().0.to_owned()
    };
    page.split("<data ")
        .skip(1)
        .map(|tag| (attribute(tag, "data-figure"), attribute(tag, "value")))
        .collect()
}

fn report(events: &[Event]) -> Value {
    let last = serde_json::to_value(events.last().unwrap()).unwrap();
    last["report"].clone()
}

#[test]
fn every_figure_is_the_reports() {
    for (name, events) in runs() {
        let report = report(&events);
        for (place, shown) in figures(&page(&events)) {
            let value = report
                .pointer(&place)
                .unwrap_or_else(|| panic!("{name}: {place}"));
            let expected = value
                .as_str()
                .map_or_else(|| value.to_string(), str::to_owned);
            let is_same = match (shown.parse::<f64>(), value.as_f64()) {
                (Ok(shown), Some(value)) => (shown - value).abs() < f64::EPSILON,
                _ => shown == expected,
            };
            assert!(
                is_same,
                "{name}: {place} is {expected}, and {shown} is shown"
            );
        }
    }
}

#[test]
fn what_an_experiment_measured_is_all_there() {
    let often = named("survived-often");
    let shown = figures(&page(&often));
    for place in [
        "/summary/all_equal/p50",
        "/summary/gone/p95",
        "/summary/ready/max",
        "/faults/99/outage_ms",
        "/faults/0/wrong_answers",
        "/availability/share",
        "/availability/none_answered_ms",
        "/availability/replicas/1/longest_outage_ms",
        "/availability/services/0/down_ms",
        "/prober/interval_ms",
        "/prober/largest_gap_ms",
        "/data/before_sha256",
        "/data/preserved",
    ] {
        assert!(shown.contains_key(place), "{place}");
    }
    let one = figures(&page(&named("survived")));
    assert!(one.contains_key("/faults/0/phases/first_right_answer"));
}

#[test]
fn a_hundred_faults_stay_small() {
    let kilobytes = page(&named("survived-often")).len() / 1_000;
    assert!(kilobytes < 150, "{kilobytes} kB");
}

#[test]
fn the_page_needs_nothing_and_nobody() {
    for (name, events) in runs() {
        let page = page(&events);
        let head = "content=\"default-src 'none'; style-src 'unsafe-inline'; img-src data:\"";
        assert!(page.contains(head), "{name}");
        for word in [
            "<script",
            "javascript:",
            " src=",
            "@import",
            "onload",
            "<iframe",
            "url(http",
        ] {
            assert!(!page.contains(word), "{name} has `{word}`");
        }
    }
}

#[test]
fn the_first_words_are_the_verdict_and_never_better_than_the_exit_status() {
    let table = [
        ("survived", "✓ Survived"),
        ("survived-often", "✓ Survived"),
        ("control", "✓ Undisturbed"),
        ("dry-run", "✓ Dry run"),
        ("forgotten", "✗ Not survived"),
        ("crashed", "✗ Not survived"),
        ("refused", "✗ Not attempted"),
        ("unproven", "? Inconclusive"),
        ("interrupted", "? Interrupted"),
        ("verify-ok", "✓ All replicas agree"),
        ("verify-disagreeing", "✗ Something is wrong"),
    ];
    for (name, words) in table {
        let page = page(&named(name));
        assert!(page.contains(&format!("<h1>{words}</h1>")), "{name}");
    }
    for (name, mut events) in runs() {
        if let EventKind::Finished(end) = &mut events.last_mut().unwrap().kind {
            end.status = ExitStatus::Failed;
        }
        assert!(!page(&events).contains("<h1>✓"), "{name}");
    }
}

#[test]
fn a_person_can_tell_what_happened() {
    let survived = page(&named("survived"));
    for words in [
        "The replica <code>cryptoserver-0</code> was deleted on purpose",
        "later, every replica served the same data again.",
        "at least one replica answered correctly at all times",
    ] {
        assert!(survived.contains(words), "{words}");
    }
    let interrupted = page(&named("interrupted"));
    assert!(interrupted.contains("interrupted after 3 s, before it reached a verdict; 1 fault"));
    let refused = page(&named("refused"));
    assert!(refused.contains("Nothing was broken"));
}

/// A run with a changed report.
fn reported(name: &str, status: ExitStatus, change: impl Fn(&mut ChaosReport)) -> Vec<Event> {
    let mut events = named(name);
    let Some(EventKind::Finished(end)) = events.last_mut().map(|event| &mut event.kind) else {
        panic!("no end");
    };
    end.status = status;
    let Some(Report::Chaos(report)) = &mut end.report else {
        panic!("no report");
    };
    change(report);
    events
}

#[test]
fn what_was_only_slow_has_the_same_name_everywhere() {
    let slow = reported("survived", ExitStatus::Unhealthy, |report| {
        report.verdict = ChaosVerdict::Failed;
    });
    let screen = render_to_text(&slow, 80, false);
    assert!(
        screen.contains("✗ survived, too slow: every replica"),
        "{screen}"
    );
    for format in [Format::Page, Format::Timeline, Format::JUnit] {
        let text = render(format, &slow).unwrap();
        assert!(text.contains("Survived, too slow"), "{format:?}: {text}");
        assert!(!text.contains("ot survived"), "{format:?}: {text}");
    }
    let disturbed = reported("control", ExitStatus::Unhealthy, |report| {
        report.verdict = ChaosVerdict::Failed;
    });
    assert!(page(&disturbed).contains("✗ Disturbed"));
    assert!(render_to_text(&disturbed, 80, false).contains("✗ disturbed"));
}

#[test]
fn without_a_fault_there_is_no_data_after_it() {
    let control = reported("control", ExitStatus::Success, |report| {
        report.observed.after = None;
        report.data.after_sha256 = None;
        report.data.preserved = None;
    });
    for events in [control, named("dry-run")] {
        let page = page(&events);
        assert!(page.contains("SHA-256 on every replica"), "{page}");
        assert!(
            !page.contains("SHA-256 after") && !page.contains("<dt>Equal</dt>"),
            "{page}"
        );
    }
}

#[test]
fn what_was_never_measured_is_no_zero() {
    let refused = reported("refused", ExitStatus::Unhealthy, |report| {
        report.observed.availability.probed_ms = 0;
        report.observed.prober.largest_gap_ms = 0;
        for replica in &mut report.observed.availability.replicas {
            replica.probes = ProbeCounts::default();
        }
    });
    let page = page(&refused);
    assert!(!page.contains(">0 ms<"), "{page}");
    assert!(
        page.contains("data-figure=\"/availability/probed_ms\">–<"),
        "{page}"
    );
}

#[test]
fn one_fault_that_takes_several_pods_is_told_as_one() {
    let scaled = reported("survived", ExitStatus::Success, |report| {
        let mut other = report.observed.faults[0].clone();
        other.pod = "cryptoserver-1".into();
        report.observed.faults.push(other);
    });
    let page = page(&scaled);
    for words in [
        "later, every replica served the same data again.",
        "1 fault, 2 recoveries. Times count from the fault.",
    ] {
        assert!(page.contains(words), "{words}");
    }
    assert!(!page.contains("in the median"));
}

const HOSTILE: &str = "a\"'/></title></svg><script>alert(1)</script>\u{202e}\u{0}\u{1b}[31m";

/// The places of all texts in a value.
fn texts(value: &Value, place: &str, found: &mut Vec<String>) {
    match value {
        Value::String(_) => found.push(place.to_owned()),
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                texts(item, &format!("{place}/{index}"), found);
            }
        }
        Value::Object(map) => {
            for (key, item) in map {
                texts(item, &format!("{place}/{key}"), found);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// The event with something hostile in each of its texts, except where a text has only some values.
fn hostile(event: &Event) -> Event {
    let mut value = serde_json::to_value(event).unwrap();
    let mut places = Vec::new();
    texts(&value, "", &mut places);
    // The command decides which document there is.
    places.retain(|place| place != "/command");
    for place in places {
        let mut changed = value.clone();
        let text = changed.pointer_mut(&place).unwrap();
        *text = format!("{}{HOSTILE}", text.as_str().unwrap()).into();
        if serde_json::from_value::<Event>(changed.clone()).is_ok() {
            value = changed;
        }
    }
    serde_json::from_value(value).unwrap()
}

#[test]
fn whatever_a_run_says_is_shown_and_never_obeyed() {
    for name in ["survived", "crashed", "interrupted", "verify-disagreeing"] {
        let events: Vec<Event> = named(name).iter().map(hostile).collect();
        for format in [Format::Page, Format::Timeline, Format::JUnit] {
            if (name, format) == ("verify-disagreeing", Format::Timeline) {
                continue;
            }
            let text = render(format, &events).unwrap();
            assert!(!text.contains("<script"), "{name} {format:?}");
            assert!(text.contains("&lt;script"), "{name} {format:?}");
            let hidden = |character: &char| *character != '\n' && crate::ui::is_hidden(*character);
            assert_eq!(text.chars().find(hidden), None, "{name} {format:?}");
        }
    }
}

#[test]
fn an_experiment_has_a_timeline_and_a_verification_none() {
    let text = render(Format::Timeline, &named("survived")).unwrap();
    assert!(text.starts_with("<svg xmlns=\"http://www.w3.org/2000/svg\""));
    assert!(render(Format::Timeline, &samples::verify_ok()).is_err());
    for events in [samples::up(), samples::restored()] {
        assert!(render(Format::Page, &events).is_err());
    }
}

#[test]
fn a_timeline_needs_nothing_that_only_browsers_know() {
    let text = render(Format::Timeline, &named("survived")).unwrap();
    // Custom properties are unknown to librsvg, which draws what it does not know in black.
    assert!(!text.contains("var("), "{text}");
}

#[test]
fn every_pattern_of_a_strip_is_in_the_legend() {
    for (name, events) in samples::experiments() {
        let page = page(&events);
        let Some((_, section)) = page.split_once("<h2>Answers of every replica</h2>") else {
            continue;
        };
        let (section, _) = section.split_once("</section>").unwrap();
        let (key, strips) = section.split_once("</ul>").unwrap();
        for class in [
            "right", "wrong", "failing", "silent", "unknown", "some", "down", "mark",
        ] {
            let path = format!("<path class=\"{class}\"");
            let is_told = !strips.contains(&path) || key.contains(&path);
            assert!(is_told, "{name}: {class}");
        }
    }
}

#[test]
fn the_card_leads_with_its_three_answers() {
    let survived = page(&named("survived"));
    let (card, _) = survived.split_once("<p class=\"lead\">").unwrap();
    for place in [
        "/summary/all_equal/max",
        "/availability/replicas/0/longest_outage_ms",
        "/data/preserved",
    ] {
        assert!(figures(card).contains_key(place), "{place}");
    }
    let crashed = page(&named("crashed"));
    let (card, _) = crashed.split_once("<p class=\"lead\">").unwrap();
    assert!(card.contains("not seen to recover"), "{card}");
    assert!(card.contains(", until the run ended"), "{card}");
}

#[test]
fn a_crash_between_the_steps_is_one_of_them() {
    let mut events = named("crashed");
    let end = events.pop().unwrap();
    for (restarts, status) in [(0, "Running"), (2, "CrashLoopBackOff")] {
        let mut pod = samples::pod(0, "new", 0, status, 1_300);
        pod.restarts = restarts;
        let kind = EventKind::PodChanged { pod };
        events.push(samples::at(end.elapsed_ms, kind));
    }
    events.push(end);
    let page = page(&events);
    assert!(
        page.contains("✗ cryptoserver-0: CrashLoopBackOff, 0/1 Ready, 2 restarts"),
        "{page}"
    );
}
