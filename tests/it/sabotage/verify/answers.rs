//! Complete answers that are not the right ones.

use std::time::Duration;

use apiserver_model::{Framing, Reply};
use serde_json::json;
use tempfile::TempDir;

use super::super::{KEYS, OTHER, SUCCESS, Scene, UNDECIDED, UNHEALTHY, everyone, replica};
use super::{verify, verify_by};

/// An endpoint of which nothing is known but that all have to agree.
const ANY: &str = "endpoints: [{path: /keys}]";

#[tokio::test]
async fn nothing_everywhere_is_no_agreement() {
    let scene = Scene::new().await.answer(everyone(), Reply::ok(""));
    verify(&scene)
        .await
        .is(UNHEALTHY, "unhealthy")
        .finding(0, "empty")
        .finding(1, "empty")
        .saying("`cryptoserver-0` gave an empty answer")
        .saying("0 of 2 replicas gave a right answer");
}

#[tokio::test]
async fn the_beginning_of_the_keys_everywhere_is_no_agreement() {
    let scene = Scene::new().await;
    for part in ["1\n22\n333\n", "1\n22\n333\n4444\n5", "1\n", "\n"] {
        scene.server.serve(everyone(), "/keys", Reply::ok(part));
        verify(&scene)
            .await
            .is(UNHEALTHY, "unhealthy")
            .finding(0, "not_matching")
            .finding(1, "not_matching")
            .saying("answered with status 200, but the body does not match");
    }
}

#[tokio::test]
async fn the_beginning_of_the_keys_in_one_replica_is_told_as_partial() {
    let part = Reply::ok("1\n22\n333\n");
    let scene = Scene::new().await.answer(replica(1), part);
    verify(&scene)
        .await
        .is(UNHEALTHY, "unhealthy")
        .sparing(0)
        .finding(1, "not_matching");
    verify_by(&scene, ANY)
        .await
        .is(UNHEALTHY, "unhealthy")
        .of_kind("partial")
        .saying("replica 1")
        .saying("only the first 9 of the 16 bytes");
}

#[tokio::test]
async fn one_replica_that_missed_a_change_is_stale_by_the_baseline() {
    let scene = Scene::new().await;
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("baseline.json");
    let file = file.to_str().unwrap();
    scene
        .told(&["verify", "--save-baseline", file])
        .await
        .is(SUCCESS, "success");
    let scene = scene.answer(replica(0), Reply::ok(OTHER));
    scene
        .told(&["verify", "--baseline", file])
        .await
        .is(UNHEALTHY, "unhealthy")
        .of_kind("stale_replica")
        .saying("replica 1 still serves the baseline of ")
        .saying("replica 0 serves different data");
    let scene = scene.answer(everyone(), Reply::ok(OTHER));
    scene
        .told(&["verify", "--baseline", file])
        .await
        .is(UNHEALTHY, "unhealthy")
        .of_kind("regenerated")
        .saying("all 2 replicas serve different data than the baseline of ");
    verify(&scene).await.is(SUCCESS, "success");
}

#[tokio::test]
async fn one_of_three_that_differs_is_told_from_three_that_all_differ() {
    let scene = Scene::new().await;
    scene
        .call(&["up", "--replicas", "3"])
        .run()
        .await
        .expect_code(SUCCESS);
    let scene = scene.answer(replica(2), Reply::ok(OTHER));
    verify(&scene)
        .await
        .is(UNHEALTHY, "unhealthy")
        .of_kind("one_differs")
        .saying("replica 2")
        .with("/groups/0/ordinals", &json!([0, 1]))
        .with("/groups/1/ordinals", &json!([2]));
    let scene = scene.answer(replica(1), Reply::ok("7\n7\n7\n7\n7\n"));
    verify(&scene)
        .await
        .is(UNHEALTHY, "unhealthy")
        .of_kind("all_differ")
        .saying("3 replicas gave 3 different answers");
}

#[tokio::test]
async fn the_right_keys_with_a_wrong_status_are_wrong() {
    let scene = Scene::new().await;
    for status in [500, 404, 206, 203, 202] {
        scene
            .server
            .serve(everyone(), "/keys", Reply::new(status, KEYS));
        let words = format!("answered with status {status} instead of 200");
        verify(&scene)
            .await
            .is(UNHEALTHY, "unhealthy")
            .finding(0, "wrong_status")
            .saying(&words);
    }
}

#[tokio::test]
async fn a_redirect_to_the_right_keys_is_not_followed() {
    let away = Reply::new(307, KEYS).header("Location", "/keys");
    let scene = Scene::new().await.answer(replica(1), away);
    verify(&scene)
        .await
        .is(UNHEALTHY, "unhealthy")
        .finding(1, "wrong_status")
        .saying("`cryptoserver-1` answered with status 307 instead of 200, a redirect to `/keys`");
}

#[tokio::test]
async fn equal_bytes_that_are_said_to_be_something_else_are_told_apart() {
    let page = Reply::ok(KEYS).header("Content-Type", "text/html");
    let scene = Scene::new()
        .await
        .answer(
            everyone(),
            Reply::ok(KEYS).header("Content-Type", "text/plain"),
        )
        .answer(replica(1), page);
    verify(&scene)
        .await
        .is(UNHEALTHY, "unhealthy")
        .of_kind("content_types")
        .saying("the same 16 bytes come with different content types")
        .saying("replica 1 as `text/html`");
}

#[tokio::test]
async fn what_no_eye_sees_is_found_all_the_same() {
    let table = [
        (
            "a byte-order mark",
            format!("\u{feff}{KEYS}"),
            "byte-order mark",
        ),
        ("an empty line at the end", format!("{KEYS}\n"), "replica 1"),
        ("other line ends", KEYS.replace('\n', "\r\n"), "replica 1"),
        ("a NUL", format!("{KEYS}\0"), "replica 1"),
        (
            "no line end",
            KEYS.trim_end().to_owned(),
            "the final line ending",
        ),
        ("a blank", KEYS.replace("22", "22 "), "replica 1"),
    ];
    let scene = Scene::new().await;
    for (what, body, words) in table {
        scene.server.serve(replica(1), "/keys", Reply::ok(body));
        let told = verify(&scene).await;
        assert_eq!(told.0.code(), UNHEALTHY, "{what}");
        let _ = told.sparing(0).finding(1, "not_matching");
        let told = verify_by(&scene, ANY).await;
        assert_eq!(told.0.code(), UNHEALTHY, "{what}");
        let _ = told.saying("replica 1").saying(words);
    }
}

#[tokio::test]
async fn an_error_page_with_a_friendly_status_is_wrong() {
    let page = "<!DOCTYPE html><title>502 Bad Gateway</title>";
    let reply = Reply::ok(page).header("Content-Type", "text/html");
    let scene = Scene::new().await.answer(everyone(), reply);
    verify(&scene)
        .await
        .is(UNHEALTHY, "unhealthy")
        .finding(0, "not_matching")
        .finding(1, "not_matching");
}

#[tokio::test]
async fn a_compressed_body_in_one_replica_is_another_answer() {
    // What `gzip` makes of nothing: valid, and not the keys.
    let gzip: &[u8] = &[
        0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    ];
    let reply = Reply::ok(gzip).header("Content-Encoding", "gzip");
    let scene = Scene::new().await.answer(replica(1), reply);
    verify(&scene)
        .await
        .is(UNHEALTHY, "unhealthy")
        .sparing(0)
        .finding(1, "not_matching");
}

#[tokio::test]
async fn a_right_answer_that_comes_too_late_is_wrong_where_that_was_asked() {
    let late = Reply::ok(KEYS).after(Duration::from_millis(600));
    let scene = Scene::new().await.answer(replica(1), late);
    verify_by(&scene, "endpoints: [{path: /keys, largest_latency: 300ms}]")
        .await
        .is(UNHEALTHY, "unhealthy")
        .finding(1, "too_slow")
        .saying("`cryptoserver-1` answered after ")
        .saying("; the limit is 300 ms");
    verify(&scene).await.is(SUCCESS, "success");
}

#[tokio::test]
async fn silence_is_not_known_to_be_wrong_and_never_right() {
    let scene = Scene::new().await.answer(replica(0), Reply::silence());
    verify_by(&scene, "verify: {answer_time: 5s}")
        .await
        .is(UNDECIDED, "undecided")
        .finding(0, "no_answer")
        .sparing(1)
        .saying("`cryptoserver-0` did not answer within 5 s");
}

#[tokio::test]
async fn a_wrong_answer_outweighs_a_silent_one() {
    let scene = Scene::new()
        .await
        .answer(replica(0), Reply::silence())
        .answer(replica(1), Reply::new(500, KEYS));
    verify_by(&scene, "verify: {answer_time: 5s}")
        .await
        .is(UNHEALTHY, "unhealthy")
        .finding(0, "no_answer")
        .finding(1, "wrong_status");
}

#[tokio::test]
async fn a_flood_is_bounded_and_another_answer_than_keys() {
    let flood = Reply::ok("1\n".repeat(32 * 1024))
        .repeated(1024)
        .framed(Framing::Chunked);
    let scene = Scene::new().await.answer(replica(1), flood);
    verify_by(&scene, "verify: {answer_time: 2m}")
        .await
        .is(UNHEALTHY, "unhealthy")
        .finding(1, "too_large")
        .of_kind("differ")
        .saying("`cryptoserver-1` answered with more than 16777216 bytes");
}

#[tokio::test]
async fn an_answer_that_flips_is_not_asked_again_until_it_is_right() {
    let scene = Scene::new().await;
    let flips = vec![Reply::ok(OTHER), Reply::ok(KEYS)];
    scene.server.serve_in_turn(replica(1), "/keys", flips);
    verify(&scene)
        .await
        .is(UNHEALTHY, "unhealthy")
        .with("/replicas/1/repeats", &json!(0))
        .saying("2 replicas gave 2 different answers");
}

#[tokio::test]
async fn an_answer_that_flips_at_its_n_th_request_is_found_by_watching() {
    let scene = Scene::new().await;
    let mut flips = vec![Reply::ok(KEYS); 3];
    flips.extend([Reply::ok(OTHER), Reply::ok(KEYS)]);
    scene.server.serve_in_turn(replica(1), "/keys", flips);
    let flags = ["verify", "--watch", "--every", "100ms", "--for", "6s"];
    let told = scene.told(&flags).await;
    assert_eq!(told.0.code(), UNHEALTHY, "{}", told.0.stderr);
    let rounds = told.report()["rounds"].clone();
    assert_eq!(
        (&rounds["unhealthy"], &rounds["changes"]),
        (&json!(1), &json!(2)),
        "{rounds}"
    );
}
