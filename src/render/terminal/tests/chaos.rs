//! Experiments: their text and their live rows.

use std::collections::BTreeMap;
use std::time::Duration;

use console::measure_text_width;
use snapbox::{Data, assert_data_eq};

use super::samples::{self, at, started, stateful_set};
use crate::event::{Event, EventKind};
use crate::fault::Fault;
use crate::render::terminal::picture::{Frame, Picture};
use crate::render::terminal::render_to_text;
use crate::report::{
    ChaosReport, Endpoint, Experiment, ExperimentSettings, ProbeCounts, ProbeState, RecoveryPhase,
    Report, Selection,
};

fn expected(name: &str) -> Data {
    let path = format!(
        "{}/src/render/terminal/tests/snapshots/{name}.txt",
        env!("CARGO_MANIFEST_DIR")
    );
    Data::read_from(path.as_ref(), None).raw()
}

#[test]
fn experiments_read_like_this() {
    for (name, events) in samples::experiments() {
        if name == "survived-often" {
            continue;
        }
        for width in [80, 40] {
            assert_data_eq!(
                render_to_text(&events, width, false),
                expected(&format!("experiment-{name}-{width}"))
            );
        }
    }
    assert_data_eq!(
        render_to_text(&samples::survived_often(4), 80, false),
        expected("experiment-survived-often-80")
    );
}

#[test]
fn of_many_faults_each_has_one_line() {
    let text = render_to_text(&samples::survived_often(100), 80, false);
    let faults = text.lines().filter(|line| line.starts_with("✓ fault "));
    assert_eq!(faults.count(), 100, "{text}");
    assert!(
        text.contains("✓ fault 17 of 100: cryptoserver-0 deleted, all equal after "),
        "{text}"
    );
    assert!(text.lines().count() < 140, "{text}");
}

/// The screen of a survived experiment with a changed report.
fn reported(width: usize, change: impl Fn(&mut ChaosReport)) -> String {
    let mut events = samples::survived();
    let Some(EventKind::Finished(end)) = events.last_mut().map(|event| &mut event.kind) else {
        panic!("no end");
    };
    let Some(Report::Chaos(report)) = &mut end.report else {
        panic!("no report");
    };
    change(report);
    render_to_text(&events, width, false)
}

#[test]
fn what_is_unknown_stays_in_the_table_at_every_width() {
    for width in [40, 60, 80, 120] {
        let known = reported(width, |_| {});
        assert!(!known.contains("UNKNOWN"), "{known}");
        let unknown = reported(width, |report| {
            report.observed.availability.replicas[1].unknown_ms = 1_200;
        });
        assert!(unknown.contains("UNKNOWN"), "{unknown}");
        assert!(unknown.contains("1.2 s"), "{unknown}");
    }
}

#[test]
fn a_phase_that_only_some_pods_reached_says_so() {
    let text = reported(80, |report| {
        let mut other = report.observed.faults[0].clone();
        other.phases.retain(|phase, _| *phase < RecoveryPhase::Gone);
        other.phases.insert(RecoveryPhase::Terminating, 9_000);
        report.observed.faults.push(other);
    });
    assert!(text.contains("terminating 9 s, gone 1 of 2, "), "{text}");
}

#[test]
fn how_far_it_reaches_stands_before_anything_else() {
    for (name, events) in samples::experiments() {
        let text = render_to_text(&events, 80, false);
        let first: Vec<&str> = text.lines().take(3).collect();
        let first = first.join("\n");
        assert!(
            first.starts_with("this will ") && first.contains("`sandbox` (https://127.0.0.1:6443)"),
            "{name}: {first:?}"
        );
    }
}

#[test]
fn tables_and_facts_fit_the_terminal() {
    for (name, events) in samples::experiments() {
        for width in [40, 60, 80, 120] {
            let text = render_to_text(&events, width, false);
            for line in text.lines().filter(|line| line.starts_with("  ")) {
                // Commands to copy are never broken, and the terminal wraps steps.
                let is_free = !line.trim().contains(' ')
                    || ["  |", "  ✓", "  ✗"]
                        .iter()
                        .any(|start| line.starts_with(start));
                assert!(
                    is_free || measure_text_width(line) <= width,
                    "{name} at {width}: {line}"
                );
            }
        }
    }
}

fn pod(ordinal: usize) -> String {
    format!("cryptoserver-{ordinal}")
}

/// The third of five faults, 3.2 s after it was sent; another replica is in trouble.
fn under_way(replicas: usize) -> Vec<Event> {
    let experiment = Experiment {
        settings: ExperimentSettings {
            fault: Some(Fault::Delete),
            selection: Selection::AllInTurn,
            probe_interval_ms: 100,
            ..ExperimentSettings::default()
        },
        repeat: 5,
        pods: (0..5).map(pod).collect(),
        container: None,
        beside: Vec::new(),
        endpoints: vec![Endpoint {
            port: 80,
            path: "/keys".into(),
        }],
    };
    let probe = |at_ms, ordinal, state| {
        let kind = EventKind::Probe {
            pod: pod(ordinal),
            state,
            at_ms,
            detail: None,
        };
        at(at_ms, kind)
    };
    let phase = |phase, after_ms| {
        let kind = EventKind::Phase {
            number: 3,
            pod: pod(2),
            phase,
            after_ms,
        };
        at(20_000 + after_ms, kind)
    };
    let mut events = vec![
        started("chaos"),
        at(
            5,
            EventKind::Experiment {
                object: stateful_set(),
                experiment,
                replicas: (0..replicas).map(pod).collect(),
                what: String::new(),
                blast_radius: Vec::new(),
            },
        ),
    ];
    events.extend((0..replicas).map(|ordinal| probe(5_000, ordinal, ProbeState::Right)));
    events.extend([
        probe(9_000, 0, ProbeState::Silent),
        probe(12_000, 0, ProbeState::Right),
        at(
            20_000,
            EventKind::Fault {
                number: 3,
                fault: Fault::Delete,
                pods: vec![pod(2)],
            },
        ),
        phase(RecoveryPhase::Accepted, 8),
        phase(RecoveryPhase::Terminating, 15),
        probe(20_600, 2, ProbeState::Failing),
        probe(21_000, 2, ProbeState::Silent),
        phase(RecoveryPhase::Gone, 1_180),
        phase(RecoveryPhase::Replaced, 1_201),
        phase(RecoveryPhase::Scheduled, 1_211),
        probe(21_500, 1, ProbeState::Unknown),
    ]);
    let counts: BTreeMap<String, ProbeCounts> = (0..replicas)
        .map(|ordinal| {
            let silent = if ordinal == 2 { 22 } else { 0 };
            let counts = ProbeCounts {
                right: 180 - silent,
                silent,
                ..ProbeCounts::default()
            };
            (pod(ordinal), counts)
        })
        .collect();
    events.push(at(
        23_200,
        EventKind::Probes {
            counts,
            largest_gap_ms: 120,
        },
    ));
    events
}

fn rows(events: &[Event], width: usize, height: usize) -> Vec<String> {
    let mut picture = Picture::default();
    for event in events {
        picture.record(event);
    }
    let last = events.last().unwrap();
    let frame = Frame {
        now: last.time,
        elapsed: Duration::from_millis(last.elapsed_ms),
        width,
        height,
    };
    let rows = picture.rows(&frame);
    rows.iter().map(|line| line.render(false)).collect()
}

#[test]
fn bars_look_like_this() {
    for replicas in [10, 200] {
        for width in [40, 80, 120] {
            let drawn = rows(&under_way(replicas), width, 22).join("\n") + "\n";
            assert_data_eq!(drawn, expected(&format!("strips-{replicas}-{width}")));
        }
    }
}

#[test]
fn bars_never_leave_their_frame() {
    for replicas in [1, 3, 10, 200] {
        let events = under_way(replicas.max(3));
        for width in [1, 10, 20, 40, 79, 80, 120, 300] {
            for height in [0, 1, 2, 5, 12, 40] {
                let drawn = rows(&events, width, height);
                assert!(drawn.len() <= height, "{drawn:#?}");
                for row in &drawn {
                    assert!(measure_text_width(row) <= width, "{width}: {row}");
                }
            }
        }
    }
}

#[test]
fn a_replica_may_answer_before_it_is_ready() {
    let mut events = under_way(3);
    for (phase, after_ms) in [
        (RecoveryPhase::Started, 2_000),
        (RecoveryPhase::FirstRightAnswer, 2_100),
    ] {
        let kind = EventKind::Phase {
            number: 3,
            pod: pod(2),
            phase,
            after_ms,
        };
        events.push(at(23_200, kind));
    }
    let drawn = rows(&events, 120, 22).join("\n");
    for words in [
        "· volume ready",
        "… ready",
        "✓ first right answer +2.1 s",
        "· all equal",
    ] {
        assert!(drawn.contains(words), "{words}\n{drawn}");
    }
}

#[test]
fn what_is_in_trouble_is_never_summed_up() {
    let drawn = rows(&under_way(200), 80, 8).join("\n");
    for name in ["cryptoserver-2 ", "cryptoserver-1 "] {
        assert!(drawn.contains(name), "{name}\n{drawn}");
    }
    assert!(drawn.contains("more"), "{drawn}");
}

#[test]
fn an_experiment_of_every_moment_can_be_drawn() {
    for (name, events) in samples::experiments() {
        for count in 1..=events.len().min(60) {
            let drawn = rows(&events[..count], 80, 22);
            for row in &drawn {
                assert!(measure_text_width(row) <= 80, "{name}: {row}");
            }
        }
    }
}
