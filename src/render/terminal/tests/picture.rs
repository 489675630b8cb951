//! The live rows.

use std::time::Duration;

use console::measure_text_width;

use super::samples::{at, pod, progress, replica, rollout, started, up, waits};
use crate::event::{Event, EventKind};
use crate::render::terminal::picture::{Frame, Picture};
use crate::rollout::ReplicaProgress;

fn rows(events: &[Event], width: usize, height: usize) -> Vec<String> {
    let mut picture = Picture::default();
    for event in events {
        picture.record(event);
    }
    let last = events.last().unwrap();
    let elapsed = Duration::from_millis(last.elapsed_ms);
    let frame = Frame {
        now: last.time,
        elapsed,
        width,
        height,
    };
    picture
        .rows(&frame)
        .iter()
        .map(|line| line.render(false))
        .collect()
}

fn many(count: i32, broken: i32) -> Event {
    let state = |ordinal| -> ReplicaProgress {
        let is_broken = ordinal < broken;
        let status = if is_broken {
            "ImagePullBackOff"
        } else {
            "Running"
        };
        let pod = pod(ordinal, "u", usize::from(!is_broken), status, 0);
        replica(ordinal, Some(pod), !is_broken)
    };
    let replicas = (0..count).map(state).collect();
    at(
        5_000,
        rollout(&progress(
            replicas,
            waits("replica 0 is not Ready (ImagePullBackOff)"),
        )),
    )
}

fn during_up(elapsed_ms: u64) -> Vec<Event> {
    up().into_iter()
        .filter(|event| event.elapsed_ms <= elapsed_ms)
        .collect()
}

#[test]
fn a_rollout_has_a_row_for_the_whole_and_one_for_each_replica() {
    assert_eq!(
        rows(&during_up(4_500), 80, 20),
        [
            "statefulset/cryptoserver  ━━━━━━━━━━╌╌╌╌╌╌╌╌╌╌  1/2 Ready  4 s",
            "  waiting: replica 1 is not Ready (Pending)",
            "NAME                  READY  STATUS   RESTARTS  AGE  REVISION",
            "cryptoserver-0  ━━━━  1/1    Ready    0         3s   68d8b8b6bb",
            "cryptoserver-1  ━╌╌╌  0/1    Pending  0         3s   68d8b8b6bb",
        ]
    );
}

#[test]
fn no_row_is_wider_than_the_terminal() {
    for width in 20..=120 {
        for event in [many(3, 2), during_up(1_200).pop().unwrap()] {
            for row in rows(&[event], width, 20) {
                assert!(measure_text_width(&row) <= width, "{width}: {row}");
            }
        }
    }
}

#[test]
fn rows_fit_the_height_and_what_is_hidden_is_counted() {
    for height in 0..30 {
        assert!(rows(&[many(200, 20)], 80, height).len() <= height);
    }
    let shown = rows(&[many(200, 20)], 80, 12);
    assert_eq!(shown.len(), 12);
    assert!(
        shown
            .get(3)
            .is_some_and(|row| row.contains("ImagePullBackOff")),
        "{shown:#?}"
    );
    assert_eq!(
        shown.last().map(String::as_str),
        Some("… and 192 more, 12 not Ready")
    );
}

#[test]
fn writing_and_waiting_are_shown_while_they_last() {
    let names = |elapsed| rows(&during_up(elapsed), 80, 20).join("\n");
    assert!(
        names(30).contains("applying 1 of 4: namespace/logaiter"),
        "{}",
        names(30)
    );
    assert!(
        names(95).contains("fileserver-claim Pending"),
        "{}",
        names(95)
    );
    assert!(
        !names(1_300).contains("fileserver-claim"),
        "{}",
        names(1_300)
    );
}

#[test]
fn a_silent_server_is_shown_until_it_answers() {
    let silent = at(
        10,
        EventKind::ServerUnresponsive {
            reason: "connection refused".into(),
        },
    );
    let answers = at(
        20,
        EventKind::ServerAnswers {
            unresponsive_for_ms: 10,
        },
    );
    let shown = rows(&[started("up"), silent.clone()], 80, 20);
    assert_eq!(
        shown,
        ["the API server is unresponsive: connection refused"]
    );
    assert!(rows(&[started("up"), silent, answers], 80, 20).is_empty());
}
