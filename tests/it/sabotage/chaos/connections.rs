//! Connections that are kept: what a server does to its later answers, and to the connection itself.

use std::time::Duration;

use apiserver_model::{Framing, Reply, When};
use serde_json::json;

use super::super::{KEYS, OTHER, SUCCESS, Scene, UNDECIDED, UNHEALTHY, everyone, replica};
use super::{Told, chaos, slow};

/// More probes than the warm-up makes.
const WARM: usize = 12;
const MOST_RUNS: usize = 10;

/// Replica 1 gives one answer in the middle of a control run.
async fn control(reply: Reply) -> Told {
    let scene = Scene::new().await.live(everyone(), slow());
    let mut replies = vec![Reply::ok(KEYS); WARM];
    replies.extend([reply, Reply::ok(KEYS)]);
    scene.server.serve_in_turn(replica(1), "/keys", replies);
    chaos(&scene, &["--control", "--for", "4s"]).await
}

/// Replica 1 gives one answer while replica 0 is away.
async fn fault(reply: Reply) -> Told {
    let scene = Scene::new().await.live(everyone(), slow());
    let (away, replies) = (When::Away(replica(0)), vec![reply, Reply::ok(KEYS)]);
    scene.server.serve_when(replica(1), "/keys", away, replies);
    chaos(&scene, &[]).await
}

/// A run in which the end of an answer was seen within the time of a probe. On a busy machine it may
/// come later, and a half answer that is late is judged as none.
async fn in_time(run: impl AsyncFn() -> Told) -> Told {
    for _ in 0..MOST_RUNS {
        let told = run().await;
        if !told.0.stdout.contains("no complete answer within") {
            return told;
        }
    }
    panic!("the answer was late {MOST_RUNS} times");
}

/// The connection ends before any byte of an answer.
fn hung_up() -> Reply {
    Reply::verbatim("").framed(Framing::Close)
}

#[tokio::test]
async fn an_answer_that_breaks_off_is_not_asked_for_again_until_it_is_right() {
    for reply in [
        Reply::ok(KEYS).closing_after(5),
        Reply::ok(KEYS).framed(Framing::Chunked).closing_after(9),
        Reply::ok(KEYS).framed(Framing::Close),
        Reply::verbatim("HTTP/1.1 20").framed(Framing::Close),
    ] {
        let words = "1 answer of `cryptoserver-1` broke off: its content is unknown";
        in_time(async || control(reply.clone()).await)
            .await
            .is(UNDECIDED, "inconclusive")
            .saying(words)
            .with("/availability/replicas/1/cut", &json!(1))
            .with("/availability/replicas/0/cut", &json!(null));
        in_time(async || fault(reply.clone()).await)
            .await
            .is(UNDECIDED, "inconclusive")
            .saying(words);
    }
}

/// A server that is slow is not one that lies: nobody has an answer from it, as from one that says nothing.
#[tokio::test]
async fn an_answer_that_is_not_complete_in_time_is_no_answer() {
    let half = format!(
        "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{}",
        KEYS.len(),
        &KEYS[..5]
    );
    for reply in [
        Reply::verbatim(half),
        Reply::verbatim("HTTP/1.1 200 OK\r\n"),
    ] {
        fault(reply)
            .await
            .is(SUCCESS, "survived")
            .with("/availability/replicas/1/cut", &json!(null));
    }
    let lie = format!(
        "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n",
        KEYS.len() + 1
    );
    fault(Reply::verbatim(lie))
        .await
        .is(UNHEALTHY, "failed")
        .saying("it announced ");
}

/// A new connection brings the right answer meanwhile, so only a client of the old one misses its own.
#[tokio::test]
async fn an_answer_that_begins_late_and_never_ends_is_an_error_of_its_connection() {
    let half = format!(
        "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{}",
        KEYS.len(),
        &KEYS[..5]
    );
    fault(Reply::verbatim(half).after(Duration::from_millis(500)))
        .await
        .is(SUCCESS, "survived")
        .saying("clients that keep their connections would have seen 1 error: `cryptoserver-1` 1");
}

#[tokio::test]
async fn what_came_of_an_answer_may_prove_it_wrong() {
    let promising = format!("HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{KEYS}");
    for (reply, words) in [
        (
            Reply::ok("x".repeat(1 << 20)).repeated(2),
            "different content: ",
        ),
        (
            Reply::ok(OTHER).closing_after(15),
            "different content: it differs at offset 14",
        ),
        (
            Reply::verbatim(promising).framed(Framing::Close),
            "different content: it announced 99 bytes",
        ),
        (
            Reply::ok(format!("{KEYS}7\n")).framed(Framing::Close),
            "different content: at least 18 bytes",
        ),
        (
            Reply::ok(KEYS)
                .header("Content-Type", "text/html")
                .closing_after(1),
            "a different content type: `text/html`",
        ),
        (
            Reply::ok(KEYS).header("Content-Encoding", "gzip"),
            "a different content encoding: `gzip`",
        ),
    ] {
        let told = control(reply.clone()).await.is(UNHEALTHY, "failed");
        told.saying("`cryptoserver-1` answered with").saying(words);
        fault(reply).await.is(UNHEALTHY, "failed").saying(words);
    }
}

#[tokio::test]
async fn another_status_is_wrong_whatever_follows_it() {
    for reply in [
        Reply::new(500, "no").framed(Framing::Close),
        Reply::new(500, "no").closing_after(1),
        Reply::new(500, "x".repeat(1 << 20)).repeated(2),
        Reply::verbatim("HTTP/1.1 500 Inter").framed(Framing::Close),
    ] {
        control(reply)
            .await
            .is(UNHEALTHY, "failed")
            .saying("probes without any fault")
            .with("/availability/replicas/1/failing", &json!(1));
    }
}

#[tokio::test]
async fn a_connection_that_ends_without_an_answer_is_opened_again_and_counted() {
    let words = "clients that keep their connections would have seen 1 error: `cryptoserver-1` 1";
    control(hung_up())
        .await
        .is(SUCCESS, "undisturbed")
        .saying(words)
        .with("/availability/replicas/1/reconnected", &json!(1))
        .with("/availability/replicas/0/reconnected", &json!(null));
    fault(hung_up()).await.is(SUCCESS, "survived").saying(words);
}

#[tokio::test]
async fn a_second_answer_that_is_wrong_by_itself_refuses_the_fault() {
    for (reply, words) in [
        (Reply::ok(KEYS).closing_after(5), "an answer began, but"),
        (Reply::new(500, "no").framed(Framing::Close), "status 500"),
    ] {
        let scene = Scene::new().await;
        // The first is the verification's.
        let replies = vec![Reply::ok(KEYS), Reply::ok(KEYS), reply, Reply::ok(KEYS)];
        scene.server.serve_in_turn(replica(1), "/keys", replies);
        let told = chaos(&scene, &[]).await.is(UNDECIDED, "refused");
        told.saying("`cryptoserver-1` did not answer a probe correctly: ")
            .saying(words);
        assert_eq!(scene.server.writes().len(), 0, "nothing is broken");
    }
}
