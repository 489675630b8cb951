//! Faults that only seem to have happened, and recoveries that never come.

use std::time::Duration;

use apiserver_model::{ApiServer, Disturbance, Fault, PodScript, Reply, Rule};
use serde_json::json;

use super::super::{NAMESPACE, OTHER, SET, Scene, UNDECIDED, UNHEALTHY, everyone, replica};
use super::{CHAOS, chaos, slow};
use crate::harness::DEADLINE;

/// The fault is done, but nothing that it breaks comes back in time.
const SHORT: [&str; 2] = ["--timeout", DEADLINE];

/// Whether a command was executed in the first replica.
fn is_executed(server: &ApiServer) -> bool {
    let requests = server.requests();
    requests
        .iter()
        .any(|request| request.path.ends_with("cryptoserver-0/exec"))
}

#[tokio::test]
async fn a_pod_that_returns_without_having_restarted_proves_nothing() {
    for fault in ["delete", "force-delete"] {
        let mirrored = PodScript::default().mirrored();
        let scene = Scene::new().await.live(everyone(), mirrored);
        let before = scene.pod("cryptoserver-0")["metadata"]["uid"].clone();
        let told = chaos(&scene, &["--fault", fault])
            .await
            .is(UNDECIDED, "inconclusive")
            .saying("`cryptoserver-0` came back with a new UID, but its containers never restarted")
            .with("/faults/0/proof", &json!(null))
            .with("/data/preserved", &json!(true));
        assert_ne!(told.report()["faults"][0]["uid_after"], before);
    }
}

#[tokio::test]
async fn one_mirrored_pod_among_many_spoils_the_proof_of_a_restart() {
    let scene = Scene::new()
        .await
        .live(replica(1), PodScript::default().mirrored());
    chaos(&scene, &["--fault", "restart"])
        .await
        .is(UNDECIDED, "inconclusive")
        .saying("`cryptoserver-1` came back with a new UID, but its containers never restarted")
        .not_saying("`cryptoserver-0` came back");
}

#[tokio::test]
async fn a_process_that_ignores_the_signal_has_not_been_killed() {
    let stubborn = PodScript::default().ignores_sigterm();
    let scene = Scene::new().await.live(everyone(), stubborn);
    let flags = [&["--fault", "kill"][..], &SHORT].concat();
    chaos(&scene, &flags)
        .await
        .is(UNDECIDED, "inconclusive")
        .saying("`cryptoserver-0` was not seen to restart: process 1 may ignore SIGTERM")
        .with("/faults/0/proof", &json!(null));
    assert!(is_executed(&scene.server), "the signal was sent");
}

#[tokio::test]
async fn an_image_without_a_shell_cannot_be_killed_and_that_is_said() {
    let bare = PodScript::default().lacks(&["sh", "kill"]);
    let scene = Scene::new().await.live(everyone(), bare);
    chaos(&scene, &["--fault", "kill"])
        .await
        .is(UNDECIDED, "inconclusive")
        .saying("`cryptoserver-0` was not broken: container `api` can run neither `sh` nor `kill`")
        .with("/faults/0/phases", &json!({}));
    assert_eq!(scene.server.signalled().len(), 0);
}

#[tokio::test]
async fn an_image_with_kill_and_without_a_shell_is_killed() {
    let bare = PodScript::default().lacks(&["sh"]);
    let scene = Scene::new().await.live(everyone(), bare);
    let told = chaos(&scene, &["--fault", "kill"]).await.is(0, "survived");
    let record = told.report()["faults"][0].clone();
    assert_eq!(record["uid_before"], record["uid_after"]);
    assert_eq!(
        (&record["restarts_before"], &record["restarts_after"]),
        (&json!(0), &json!(1))
    );
}

#[tokio::test]
async fn a_pod_that_somebody_else_deletes_was_not_killed() {
    let stubborn = slow().ignores_sigterm();
    let scene = Scene::new().await.live(everyone(), stubborn);
    let flags = [&CHAOS[..], &["--fault", "kill", "--timeout", DEADLINE]].concat();
    let process = scene.start(&flags).await;
    scene.until(is_executed).await;
    scene.server.happen(&Disturbance::Delete {
        namespace: NAMESPACE.to_owned(),
        pod: "cryptoserver-0".to_owned(),
        at_once: true,
    });
    super::Told(process.finish().await)
        .is(UNDECIDED, "inconclusive")
        .saying("`cryptoserver-0` was not seen to restart")
        .with("/faults/0/proof", &json!(null));
}

#[tokio::test]
async fn a_pod_that_does_not_go_was_never_replaced() {
    let lingering = PodScript::default().gone_after(Duration::from_mins(1));
    let scene = Scene::new().await.live(replica(0), lingering);
    chaos(&scene, &SHORT)
        .await
        .is(UNDECIDED, "inconclusive")
        .saying("`cryptoserver-0` was never seen with a new UID")
        .with("/faults/0/phases/gone", &json!(null));
}

#[tokio::test]
async fn a_pod_that_does_not_become_ready_leaves_it_open() {
    let scene = Scene::new().await;
    let stuck = slow().never_ready("HTTP probe failed with statuscode: 500");
    let process = scene.start(&[&CHAOS[..], &SHORT].concat()).await;
    scene.until(|server| !server.writes().is_empty()).await;
    scene.server.script(replica(0), stuck);
    super::Told(process.finish().await)
        .is(UNDECIDED, "inconclusive")
        .with("/after", &json!(null))
        .with("/data/preserved", &json!(null));
}

#[tokio::test]
async fn a_pod_that_no_node_takes_leaves_it_open_with_the_reason() {
    let homeless = PodScript::default().unschedulable("0/1 nodes are available: too small");
    let scene = Scene::new().await.live(replica(0), homeless);
    chaos(&scene, &SHORT)
        .await
        .is(UNDECIDED, "inconclusive")
        .saying("no node takes `pod/cryptoserver-0`")
        .saying("`cryptoserver-0` came back with a new UID, but its containers have not started");
}

#[tokio::test]
async fn a_pod_that_crashes_again_and_again_has_failed_with_its_cause() {
    let scene = Scene::new().await.live(
        replica(0),
        PodScript::default().stop_after(Duration::from_millis(500)),
    );
    let process = scene.start(&CHAOS).await;
    scene.until(|server| !server.writes().is_empty()).await;
    let crash = PodScript::default()
        .crashes(Duration::ZERO, 134, "Keys file already exists\n")
        .back_off(Duration::from_millis(20));
    scene.server.script(replica(0), crash);
    super::Told(process.finish().await)
        .is(UNHEALTHY, "failed")
        .with("/cause/cause", &json!("crash_loop"))
        .saying("container `api` of `pod/cryptoserver-0` keeps ending (exit code 134");
}

#[tokio::test]
async fn an_eviction_that_a_budget_refuses_has_not_happened() {
    let scene = Scene::new().await;
    let place = ("policy", "poddisruptionbudgets", NAMESPACE, SET);
    scene.server.change("kubectl", place, |budget| {
        budget["spec"] = json!({"maxUnavailable": 0, "selector": budget["spec"]["selector"]});
        let generation = budget["metadata"]["generation"].as_i64().unwrap_or(1);
        budget["metadata"]["generation"] = json!(generation + 1);
    });
    let before = scene.pod("cryptoserver-0")["metadata"]["uid"].clone();
    chaos(&scene, &["--fault", "evict"])
        .await
        .is(UNDECIDED, "inconclusive")
        .saying("`cryptoserver-0` was not broken: a disruption budget forbids it")
        .with("/faults/0/phases", &json!({}));
    assert_eq!(scene.pod("cryptoserver-0")["metadata"]["uid"], before);
}

#[tokio::test]
async fn another_spec_at_the_end_is_another_workload() {
    let scene = Scene::new().await.live(replica(0), slow());
    let process = scene.start(&CHAOS).await;
    scene.until(|server| !server.writes().is_empty()).await;
    let place = ("apps", "statefulsets", NAMESPACE, SET);
    scene.server.change("kubectl-edit", place, |set| {
        set["spec"]["minReadySeconds"] = json!(1);
        let generation = set["metadata"]["generation"].as_i64().unwrap_or(1);
        set["metadata"]["generation"] = json!(generation + 1);
    });
    super::Told(process.finish().await)
        .is(UNDECIDED, "inconclusive")
        .with("/data/preserved", &json!(true))
        .saying("the spec of the StatefulSet was changed during the experiment, but not by it");
}

/// Whether the budgets were looked at, the last thing before it probes for a second and breaks.
fn is_agreed(server: &ApiServer) -> bool {
    let requests = server.requests();
    requests.iter().any(|request| {
        request.path.ends_with("/poddisruptionbudgets") && request.executed.is_some()
    })
}

#[tokio::test]
async fn a_pod_that_was_replaced_right_before_the_fault_is_left_alone() {
    let scene = Scene::new().await;
    let flags = ["chaos", "--yes", "--probe-interval", "500ms"];
    let process = scene.start(&flags).await;
    scene.until(is_agreed).await;
    scene.server.happen(&Disturbance::Delete {
        namespace: NAMESPACE.to_owned(),
        pod: "cryptoserver-0".to_owned(),
        at_once: true,
    });
    super::Told(process.finish().await)
        .is(UNDECIDED, "refused")
        .saying("`cryptoserver-0` was replaced or deleted after it was verified");
    assert_eq!(scene.server.writes().len(), 0);
}

#[tokio::test]
async fn a_pod_that_is_replaced_while_the_deletion_is_on_its_way_is_left_alone() {
    let scene = Scene::new().await;
    let disturbance = Disturbance::Delete {
        namespace: NAMESPACE.to_owned(),
        pod: "cryptoserver-0".to_owned(),
        at_once: true,
    };
    let rule = Rule::new(Fault::Meanwhile(disturbance))
        .method(http::Method::DELETE)
        .path("cryptoserver-0")
        .times(1);
    scene.server.fault(rule);
    let told = chaos(&scene, &[]).await;
    assert_eq!(told.0.code(), 1, "{}", told.0.stderr);
    assert!(
        told.0
            .stderr
            .contains("was deleted or replaced by another client")
            || told
                .0
                .stdout
                .contains("was deleted or replaced by another client"),
        "{}{}",
        told.0.stdout,
        told.0.stderr
    );
    let uid = scene.pod("cryptoserver-0")["metadata"]["uid"].clone();
    assert_eq!(
        scene.server.writes().len(),
        1,
        "it is not tried again on {uid}"
    );
}

#[tokio::test]
async fn what_nobody_could_look_at_is_not_called_short() {
    let scene = Scene::new().await;
    // The pod is back long before the budget is used up: no outage without the gap exceeds it.
    let flags = [&CHAOS[..], &["--max-outage", "5s"]].concat();
    let process = scene.start(&flags).await;
    scene.until(|server| !server.writes().is_empty()).await;
    scene
        .server
        .happen(&Disturbance::Freeze(Duration::from_secs(8)));
    super::Told(process.finish().await)
        .is(UNDECIDED, "inconclusive")
        .saying("was not probed for");
}

#[tokio::test]
async fn a_lie_outweighs_a_missing_proof() {
    let scene = Scene::new()
        .await
        .live(everyone(), PodScript::default().mirrored());
    let process = scene.start(&CHAOS).await;
    scene.until(|server| !server.writes().is_empty()).await;
    scene.server.serve(replica(1), "/keys", Reply::ok(OTHER));
    super::Told(process.finish().await)
        .is(UNHEALTHY, "failed")
        .saying("`cryptoserver-1`");
}
