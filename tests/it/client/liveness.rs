//! An unresponsive API server is reported within ten seconds, and work resumes by itself when it is
//! back.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use cryptoctl::cluster::{ClusterError, ResourceKind};
use cryptoctl::event::EventKind;
use cryptoctl::figures::milliseconds;
use futures::stream;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use super::script::{Reply, Scripted, pod};
use super::watches::{line, list, then_silence, until, watch};

/// The time within which an unresponsive server is reported.
const NAMED: Duration = Duration::from_secs(10);

/// How often the server became unresponsive and answered again, according to the events.
fn counted(events: &[EventKind]) -> (usize, usize) {
    let count =
        |wanted: fn(&EventKind) -> bool| events.iter().filter(|event| wanted(event)).count();
    (
        count(|event| matches!(event, EventKind::ServerUnresponsive { .. })),
        count(|event| matches!(event, EventKind::ServerAnswers { .. })),
    )
}

fn silences(scripted: &mut Scripted) -> (usize, usize) {
    counted(&scripted.events())
}

#[tokio::test(start_paused = true)]
async fn an_unresponsive_server_is_named_before_the_request_gives_up() {
    let frozen = Arc::new(AtomicBool::new(true));
    let state = Arc::clone(&frozen);
    let mut scripted = Scripted::new(move |_| {
        if state.load(Ordering::Relaxed) {
            Reply::Silence
        } else {
            Reply::json(200, &pod("web-0", "uid-1", 1))
        }
    });
    let cluster = scripted.cluster.clone();
    let reading = tokio::spawn(async move {
        cluster
            .get::<Value>(&ResourceKind::pod(), Some("default"), "web-0")
            .await
    });
    sleep(NAMED).await;
    assert_eq!(silences(&mut scripted), (1, 0));
    assert!(!reading.is_finished());
    frozen.store(false, Ordering::Relaxed);
    sleep(Duration::from_secs(6)).await;
    let events = scripted.events();
    let (silent, answers) = counted(&events);
    // The lost request itself may be reported once more.
    assert_eq!(answers, silent + 1);
    let silent_for = events.iter().find_map(|event| match event {
        EventKind::ServerAnswers {
            unresponsive_for_ms,
        } => Some(*unresponsive_for_ms),
        _ => None,
    });
    assert!(
        silent_for.unwrap() >= milliseconds(NAMED),
        "silence counts from its beginning, not from when it is named: {silent_for:?} ms"
    );
    drop(reading);
}

#[tokio::test(start_paused = true)]
async fn an_unresponsive_server_is_named_beside_a_quiet_watch_that_then_resumes() {
    let frozen = Arc::new(AtomicBool::new(false));
    let state = Arc::clone(&frozen);
    let mut scripted = Scripted::new(move |request| {
        if state.load(Ordering::Relaxed) {
            return Reply::Silence;
        }
        match (request.path.as_str(), request.query.contains("watch=")) {
            ("/version", _) => Reply::json(200, &json!({})),
            (_, true) => then_silence(Vec::new()),
            // Changes during the outage show in the next list.
            (_, false) if request.at < Duration::from_mins(1) => list(1, &[pod("a", "one", 1)]),
            (_, false) => list(9, &[pod("a", "two", 9)]),
        }
    });
    let mut watched = watch(&scripted);
    until(&mut watched, &["one"]).await;
    sleep(Duration::from_secs(59)).await;
    assert_eq!(
        silences(&mut scripted),
        (0, 0),
        "a quiet watch is no silence"
    );
    frozen.store(true, Ordering::Relaxed);
    sleep(NAMED).await;
    assert_eq!(silences(&mut scripted), (1, 0));
    frozen.store(false, Ordering::Relaxed);
    until(&mut watched, &["two"]).await;
    let (silent, answers) = silences(&mut scripted);
    // A request that was lost during the outage may be reported once more.
    assert_eq!(answers, silent + 1);
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_is_dead_at_one_end_is_reopened() {
    let opened = Arc::new(AtomicU64::new(0));
    let count = Arc::clone(&opened);
    let scripted = Scripted::new(move |request| {
        if request.path == "/version" {
            return Reply::json(200, &json!({}));
        }
        if !request.query.contains("watch=") {
            return list(1, &[pod("a", "one", 1)]);
        }
        match count.fetch_add(1, Ordering::Relaxed) {
            0 => then_silence(Vec::new()),
            _ => then_silence(vec![line("MODIFIED", &pod("a", "two", 5))]),
        }
    });
    let mut watched = watch(&scripted);
    until(&mut watched, &["one"]).await;
    let started = Instant::now();
    until(&mut watched, &["two"]).await;
    assert!(started.elapsed() < Duration::from_mins(2));
    let seen = scripted.seen();
    let lists = seen.iter().filter(|seen| !seen.query.contains("watch="));
    assert_eq!(
        lists.count(),
        2,
        "the version may be one that will never come"
    );
}

#[tokio::test(start_paused = true)]
async fn a_body_without_an_end_is_not_kept() {
    let pieces = Arc::new(AtomicU64::new(0));
    let count = Arc::clone(&pieces);
    let scripted = Scripted::new(move |_| {
        let count = Arc::clone(&count);
        // The same bytes again and again: sending them costs nothing, keeping them would.
        let piece = Bytes::from(vec![b' '; 8 * 1024 * 1024]);
        Reply::pieces(stream::repeat_with(move || {
            count.fetch_add(1, Ordering::Relaxed);
            piece.clone()
        }))
    });
    let error = scripted
        .cluster
        .get::<Value>(&ResourceKind::pod(), Some("default"), "web-0")
        .await
        .unwrap_err();
    assert!(matches!(error, ClusterError::TooLarge { .. }), "{error:?}");
    assert!(pieces.load(Ordering::Relaxed) < 40);
}

#[tokio::test(start_paused = true)]
async fn a_busy_server_is_not_unresponsive() {
    let mut scripted =
        Scripted::new(
            |request| match (request.path.as_str(), request.query.contains("watch=")) {
                ("/version", _) => Reply::refusal(429, "TooManyRequests"),
                (_, true) => then_silence(Vec::new()),
                (_, false) => list(1, &[pod("a", "one", 1)]),
            },
        );
    let mut watched = watch(&scripted);
    until(&mut watched, &["one"]).await;
    sleep(Duration::from_mins(1)).await;
    assert_eq!(silences(&mut scripted), (0, 0));
    assert_eq!(scripted.seen().len(), 2, "nothing is opened anew");
}
