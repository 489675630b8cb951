//! Data that is not what it was, in one of the replicas or for a moment.

use std::fs;
use std::time::Duration;

use apiserver_model::{PodScript, Pods, Reply, When};
use serde_json::json;
use tempfile::TempDir;

use super::super::{KEYS, OTHER, SUCCESS, Scene, UNHEALTHY, everyone, replica};
use super::{CHAOS, chaos, slow};

/// A scene in which some pods lie as long as something holds.
async fn lying(pods: Pods, when: When, reply: Reply) -> Scene {
    let scene = Scene::new().await.live(everyone(), slow());
    scene.server.serve_when(pods, "/keys", when, vec![reply]);
    scene
}

#[tokio::test]
async fn a_new_pod_that_makes_new_data_is_found_by_its_first_answer() {
    let scene = lying(replica(0), When::FromRun(1), Reply::ok(OTHER)).await;
    let told = chaos(&scene, &[])
        .await
        .is(UNHEALTHY, "failed")
        .saying("`cryptoserver-0` answered with different content: 16 bytes")
        .saying("2 replicas gave 2 different answers")
        .with("/faults/0/phases/first_right_answer", &json!(null));
    // A busy machine probes again before the end.
    assert!(told.report()["faults"][0]["wrong_answers"].as_u64() > Some(0));
}

#[tokio::test]
async fn all_replicas_that_agree_on_new_data_have_lost_the_old() {
    let away = When::FromRun(1);
    let scene = lying(everyone(), away, Reply::ok(OTHER)).await;
    chaos(&scene, &["--fault", "scale", "--allow-disruption"])
        .await
        .is(UNHEALTHY, "failed")
        .saying("every replica serves different data than before the fault")
        .with("/data/preserved", &json!(false));
}

#[tokio::test]
async fn one_stale_replica_after_a_restart_of_all_is_named() {
    let scene = lying(replica(1), When::FromRun(1), Reply::ok(OTHER)).await;
    chaos(&scene, &["--fault", "restart"])
        .await
        .is(UNHEALTHY, "failed")
        .saying("`cryptoserver-1` answered with different content");
}

#[tokio::test]
async fn an_answer_that_is_wrong_only_while_the_other_pod_is_away_fails_at_once() {
    let scene = lying(replica(1), When::Away(replica(0)), Reply::ok(OTHER)).await;
    let told = chaos(&scene, &[])
        .await
        .is(UNHEALTHY, "failed")
        .saying("`cryptoserver-1` answered with different content")
        .not_saying("`cryptoserver-0` answered with different content");
    assert_eq!(
        told.report()["faults"][0]["phases"]["all_equal"],
        json!(null),
        "it is not waited for the recovery"
    );
}

#[tokio::test]
async fn an_answer_that_flips_at_its_n_th_request_fails_whoever_was_broken() {
    let scene = Scene::new().await.live(everyone(), slow());
    let mut replies = vec![Reply::ok(KEYS); 12];
    replies.push(Reply::ok(OTHER));
    replies.push(Reply::ok(KEYS));
    scene.server.serve_in_turn(replica(1), "/keys", replies);
    chaos(&scene, &[])
        .await
        .is(UNHEALTHY, "failed")
        .saying("`cryptoserver-1` answered with different content");
}

#[tokio::test]
async fn an_empty_answer_on_the_way_back_is_a_wrong_one() {
    let scene = Scene::of_a_late_one().await;
    let empty = vec![Reply::ok("")];
    scene
        .server
        .serve_when(replica(0), "/keys", When::Unready, empty);
    chaos(&scene, &[])
        .await
        .is(UNHEALTHY, "failed")
        .saying("`cryptoserver-0` answered with different content: 0 bytes");
}

#[tokio::test]
async fn another_content_type_on_the_way_back_is_a_wrong_answer() {
    let scene = Scene::of_a_late_one().await;
    let page = Reply::ok(KEYS).header("Content-Type", "text/html");
    scene
        .server
        .serve_when(replica(0), "/keys", When::FromRun(1), vec![page]);
    chaos(&scene, &[])
        .await
        .is(UNHEALTHY, "failed")
        .saying("`cryptoserver-0` answered with a different content type: `text/html`");
}

#[tokio::test]
async fn an_error_before_it_is_ready_is_an_outage_and_no_wrong_answer() {
    let scene = Scene::of_a_late_one().await;
    let busy = vec![Reply::new(503, "starting\n")];
    scene
        .server
        .serve_when(replica(0), "/keys", When::Unready, busy);
    let told = chaos(&scene, &[]).await.is(SUCCESS, "survived");
    let report = told.report();
    assert_eq!(report["faults"][0]["wrong_answers"], 0);
    let failing = &report["availability"]["replicas"][0]["failing"];
    assert!(failing.as_u64().unwrap() > 0, "{report:#}");
    let phases = &report["faults"][0]["phases"];
    assert!(
        phases["first_right_answer"].as_u64() >= phases["ready"].as_u64(),
        "{phases}"
    );
}

#[tokio::test]
async fn a_right_answer_before_it_is_ready_does_not_end_the_recovery() {
    let scene = Scene::of_a_late_one().await;
    let told = chaos(&scene, &[]).await.is(SUCCESS, "survived");
    let phases = told.report()["faults"][0]["phases"].clone();
    let of = |name: &str| phases[name].as_u64().unwrap();
    assert!(of("first_right_answer") < of("ready"), "{phases}");
    assert!(of("ready") <= of("all_equal"), "{phases}");
}

#[tokio::test]
async fn a_terminating_pod_that_answers_otherwise_is_caught() {
    let going = PodScript::default().stop_after(Duration::from_secs(2));
    let scene = Scene::new().await.live(replica(0), going);
    let last_words = vec![Reply::ok(OTHER)];
    scene
        .server
        .serve_when(replica(0), "/keys", When::Terminating, last_words);
    chaos(&scene, &[])
        .await
        .is(UNHEALTHY, "failed")
        .saying("`cryptoserver-0` answered with different content");
}

#[tokio::test]
async fn a_terminating_pod_that_still_answers_right_is_no_recovery() {
    let going = PodScript::default()
        .stop_after(Duration::from_secs(2))
        .start_after(Duration::from_secs(1));
    let scene = Scene::new().await.live(replica(0), going);
    let told = chaos(&scene, &[]).await.is(SUCCESS, "survived");
    let phases = told.report()["faults"][0]["phases"].clone();
    let of = |name: &str| phases[name].as_u64().unwrap();
    assert!(of("first_right_answer") >= of("started"), "{phases}");
    assert!(of("first_right_answer") >= of("gone"), "{phases}");
}

#[tokio::test]
async fn a_flood_in_place_of_the_keys_is_a_wrong_answer() {
    let scene = Scene::of_a_late_one().await;
    let flood = Reply::ok("x".repeat(64 * 1024)).repeated(512);
    scene
        .server
        .serve_when(replica(0), "/keys", When::FromRun(1), vec![flood]);
    chaos(&scene, &[])
        .await
        .is(UNHEALTHY, "failed")
        // A busy machine takes less of the flood in the time of a question; its first byte is enough.
        .saying("`cryptoserver-0` answered with different content: ");
}

#[tokio::test]
async fn a_wrong_answer_where_nobody_probes_is_not_asked_again_until_it_is_right() {
    let scene = Scene::new().await;
    scene.server.serve(everyone(), "/name", Reply::ok("name\n"));
    let flips = vec![Reply::ok("no name yet\n"), Reply::ok("name\n")];
    scene
        .server
        .serve_when(replica(0), "/name", When::FromRun(1), flips);
    // What counts from the second run on counts for all paths.
    let keys = vec![Reply::ok(KEYS)];
    scene
        .server
        .serve_when(replica(0), "/keys", When::FromRun(1), keys);
    let folder = TempDir::new().unwrap();
    let file = "endpoints: [{path: /keys}, {path: /name, match: '^name', equal: false}]";
    fs::write(folder.path().join("cryptoctl.yaml"), file).unwrap();
    scene
        .told_in(folder.path(), &CHAOS)
        .await
        .is(UNHEALTHY, "failed")
        .saying("answered with status 200, but the body does not match `^name`");
}

/// It is right before and after the fault, and at the first endpoint all the time.
#[tokio::test]
async fn every_endpoint_with_equal_answers_is_probed() {
    let scene = Scene::new().await.live(everyone(), slow());
    scene.server.serve(everyone(), "/name", Reply::ok(KEYS));
    let lie = vec![Reply::ok(OTHER)];
    let away = When::Away(replica(0));
    scene.server.serve_when(replica(1), "/name", away, lie);
    let folder = TempDir::new().unwrap();
    let file = "endpoints: [{path: /keys}, {path: /name}]";
    fs::write(folder.path().join("cryptoctl.yaml"), file).unwrap();
    scene
        .told_in(folder.path(), &CHAOS)
        .await
        .is(UNHEALTHY, "failed")
        .saying(
            "`cryptoserver-1` answered with different content: 16 bytes, 900d1b5c7c07, at /name",
        );
}
