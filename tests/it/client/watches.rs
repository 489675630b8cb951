//! Watches lose nothing, repeat nothing and confuse nothing.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use cryptoctl::cluster::{ClusterError, ResourceKind, Selector, Watched};
use futures::StreamExt;
use futures::stream;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep, timeout};

use super::script::{Reply, Scripted, pod};

pub(super) fn list(version: u64, pods: &[Value]) -> Reply {
    Reply::json(
        200,
        &json!({"kind": "PodList", "apiVersion": "v1",
                "metadata": {"resourceVersion": version.to_string()}, "items": pods}),
    )
}

pub(super) fn line(kind: &str, object: &Value) -> Bytes {
    Bytes::from(format!("{}\n", json!({"type": kind, "object": object})))
}

/// These lines, and then nothing more, forever.
pub(super) fn then_silence(lines: Vec<Bytes>) -> Reply {
    Reply::pieces(stream::iter(lines).chain(stream::pending()))
}

pub(super) fn watch(scripted: &Scripted) -> Watched<Value> {
    scripted
        .cluster
        .watch(&ResourceKind::pod(), Some("default"), Selector::default())
}

pub(super) fn uids(watched: &Watched<Value>) -> BTreeSet<String> {
    let pods = watched.current().unwrap_or_default();
    pods.iter()
        .filter_map(|pod| pod["metadata"]["uid"].as_str().map(str::to_owned))
        .collect()
}

pub(super) async fn until(watched: &mut Watched<Value>, wanted: &[&str]) {
    let wanted: BTreeSet<String> = wanted.iter().map(|uid| (*uid).to_owned()).collect();
    let waiting = async {
        while uids(watched) != wanted {
            watched.changed().await.unwrap();
        }
    };
    timeout(Duration::from_mins(10), waiting)
        .await
        .unwrap_or_else(|_| panic!("the set never became {wanted:?}"));
}

#[tokio::test(start_paused = true)]
async fn clean_ends_cause_no_storm_and_lose_nothing() {
    let scripted = Scripted::new(|request| {
        if request.query.contains("watch=") {
            Reply::pieces(stream::empty())
        } else {
            list(1, &[pod("a", "one", 1)])
        }
    });
    let mut watched = watch(&scripted);
    until(&mut watched, &["one"]).await;
    sleep(Duration::from_mins(1)).await;
    let seen = scripted.seen();
    assert!(seen.len() < 40, "{} requests in a minute", seen.len());
    let lists = seen
        .iter()
        .filter(|seen| !seen.query.contains("watch="))
        .count();
    assert_eq!(lists, 1, "a clean end needs no new list");
}

#[tokio::test(start_paused = true)]
async fn after_a_compaction_the_list_decides() {
    let expired = json!({"kind": "Status", "code": 410, "reason": "Expired"});
    let refusals: [fn(&Value) -> Reply; 2] = [
        |expired| then_silence(vec![line("ERROR", expired)]),
        |_| Reply::refusal(410, "Expired"),
    ];
    for refuse in refusals {
        let (lists, expired) = (AtomicU64::new(0), expired.clone());
        let scripted = Scripted::new(move |request| {
            if request.path == "/version" {
                return Reply::json(200, &json!({}));
            }
            match (
                request.query.contains("watch="),
                lists.load(Ordering::Relaxed),
            ) {
                (false, 0) => {
                    lists.store(1, Ordering::Relaxed);
                    list(1, &[pod("a", "one", 1), pod("b", "gone meanwhile", 1)])
                }
                (false, _) => {
                    lists.store(2, Ordering::Relaxed);
                    list(8, &[pod("a", "one", 8)])
                }
                (true, 1) => refuse(&expired),
                (true, _) => then_silence(Vec::new()),
            }
        });
        let mut watched = watch(&scripted);
        until(&mut watched, &["one"]).await;
    }
}

#[tokio::test(start_paused = true)]
async fn an_event_that_comes_again_brings_no_old_state_back() {
    let lists = Arc::new(AtomicU64::new(0));
    let count = Arc::clone(&lists);
    let scripted = Scripted::new(move |request| {
        if request.path == "/version" {
            return Reply::json(200, &json!({}));
        }
        if !request.query.contains("watch=") {
            return match count.fetch_add(1, Ordering::Relaxed) {
                0 => list(1, &[pod("a", "one", 1)]),
                _ => list(4, &[pod("a", "three", 3)]),
            };
        }
        if lists.load(Ordering::Relaxed) > 1 {
            return then_silence(Vec::new());
        }
        then_silence(vec![
            line("DELETED", &pod("a", "one", 2)),
            line("ADDED", &pod("a", "three", 3)),
            line("DELETED", &pod("a", "one", 2)),
        ])
    });
    let mut watched = watch(&scripted);
    until(&mut watched, &["three"]).await;
    sleep(Duration::from_mins(1)).await;
    assert_eq!(uids(&watched), BTreeSet::from(["three".to_owned()]));
    let listed = scripted.seen();
    let lists = listed.iter().filter(|seen| !seen.query.contains("watch="));
    assert_eq!(lists.count(), 2, "the list decides");
}

#[tokio::test(start_paused = true)]
async fn each_stream_backs_off_by_itself() {
    let scripted = Scripted::new(|request| {
        if request.path.contains("/namespaces/default/") {
            return Reply::refusal(503, "ServiceUnavailable");
        }
        if request.query.contains("watch=") {
            return then_silence(vec![line("MODIFIED", &pod("a", "two", 2))]);
        }
        list(1, &[pod("a", "one", 1)])
    });
    // Another request has reached the server before.
    let kind = ResourceKind::pod();
    let _: Vec<Value> = scripted
        .cluster
        .list(&kind, Some("other"), None, None)
        .await
        .unwrap();
    let _wedged = watch(&scripted);
    sleep(Duration::from_mins(1)).await;
    let started = Instant::now();
    let mut healthy = scripted
        .cluster
        .watch(&kind, Some("other"), Selector::default());
    until(&mut healthy, &["two"]).await;
    assert_eq!(started.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn a_line_without_an_end_is_not_kept() {
    let pieces = Arc::new(AtomicU64::new(0));
    let count = Arc::clone(&pieces);
    let scripted = Scripted::new(move |request| {
        if !request.query.contains("watch=") {
            return list(1, &[]);
        }
        let count = Arc::clone(&count);
        Reply::pieces(stream::repeat_with(move || {
            count.fetch_add(1, Ordering::Relaxed);
            Bytes::from(vec![b'x'; 1024 * 1024])
        }))
    });
    let mut watched = watch(&scripted);
    let error = loop {
        if let Err(error) = watched.changed().await {
            break error;
        }
    };
    assert!(matches!(error, ClusterError::TooLarge { .. }), "{error:?}");
    assert!(pieces.load(Ordering::Relaxed) < 20);
}

#[tokio::test(start_paused = true)]
async fn an_invalid_list_is_not_an_empty_one() {
    for body in [
        json!({}),
        json!({"kind": "Status", "status": "Success"}),
        json!([]),
    ] {
        let scripted = Scripted::new(move |_| Reply::json(200, &body));
        let mut watched = watch(&scripted);
        let error = watched.changed().await.unwrap_err();
        assert!(
            matches!(error, ClusterError::Undecodable { .. }),
            "{error:?}"
        );
        let listed = scripted
            .cluster
            .list::<Value>(&ResourceKind::pod(), Some("default"), None, None)
            .await;
        assert!(matches!(listed, Err(ClusterError::Undecodable { .. })));
    }
}

/// Allows everything, except for a while from the tenth second on.
fn refusing_for(seconds: u64) -> Scripted {
    Scripted::new(move |request| {
        let is_refused = (10..10 + seconds).contains(&request.at.as_secs());
        match (is_refused, request.query.contains("watch=")) {
            _ if request.path == "/version" => Reply::json(200, &json!({})),
            (true, _) => Reply::refusal(403, "Forbidden"),
            (false, true) if request.at < Duration::from_secs(10) => {
                // Ends when the server does.
                Reply::pieces(stream::once(async {
                    sleep(Duration::from_secs(11)).await;
                    Bytes::new()
                }))
            }
            (false, true) => then_silence(Vec::new()),
            (false, false) if request.at < Duration::from_secs(10) => {
                list(1, &[pod("a", "one", 1)])
            }
            (false, false) => list(9, &[pod("a", "two", 9)]),
        }
    })
}

#[tokio::test(start_paused = true)]
async fn a_server_that_starts_may_refuse_for_a_moment_what_it_allowed() {
    let scripted = refusing_for(10);
    let mut watched = watch(&scripted);
    until(&mut watched, &["one"]).await;
    until(&mut watched, &["two"]).await;
}

#[tokio::test(start_paused = true)]
async fn a_refusal_that_lasts_ends_the_watch() {
    let scripted = refusing_for(1_000_000);
    let mut watched = watch(&scripted);
    until(&mut watched, &["one"]).await;
    let error = timeout(Duration::from_mins(1), async {
        loop {
            if let Err(error) = watched.changed().await {
                break error;
            }
        }
    });
    let error = error.await.unwrap();
    assert!(matches!(error, ClusterError::Forbidden { .. }), "{error:?}");
}
