//! What others do meanwhile is not the fault's work, and is named.

use std::time::Duration;

use apiserver_model::{ApiServer, Disturbance, PodScript, Reply};
use serde_json::json;

use super::super::{NAMESPACE, OTHER, SUCCESS, Scene, UNDECIDED, UNHEALTHY, everyone, replica};
use super::{CHAOS, Told, chaos};
use crate::harness::DEADLINE;

fn delete_the_other() -> Disturbance {
    Disturbance::Delete {
        namespace: NAMESPACE.to_owned(),
        pod: "cryptoserver-1".to_owned(),
        at_once: false,
    }
}

/// Somebody deletes the second replica while the first one is away.
async fn meddled(flags: &[&str]) -> Told {
    let slow = PodScript::default().start_after(Duration::from_secs(4));
    let scene = Scene::new().await.live(everyone(), slow);
    let process = scene.start(&[&CHAOS[..], flags].concat()).await;
    scene
        .until(|server: &ApiServer| !server.writes().is_empty())
        .await;
    scene.server.happen(&delete_the_other());
    Told(process.finish().await)
}

#[tokio::test]
async fn a_replica_that_somebody_else_deletes_is_named() {
    meddled(&[])
        .await
        .is(SUCCESS, "survived")
        .saying("`cryptoserver-1` was deleted; no fault of this experiment caused it")
        .with("/disturbances/0/pod", &json!("cryptoserver-1"))
        .with("/disturbances/0/is_deleted", &json!(true))
        .with("/disturbances/1", &json!(null));
}

#[tokio::test]
async fn its_outage_is_no_failure_of_the_workload() {
    meddled(&["--max-outage", "500ms", "--max-recovery", "500ms"])
        .await
        .is(UNDECIDED, "inconclusive")
        .saying("`cryptoserver-1` was deleted; no fault")
        .saying("; `--max-outage` allows 500 ms, but the excess is within the uncertainty");
}

#[tokio::test]
async fn nothing_is_said_of_others_when_there_are_none() {
    let scene = Scene::new().await;
    chaos(&scene, &[])
        .await
        .is(SUCCESS, "survived")
        .with("/disturbances", &json!(null))
        .not_saying("no fault of this experiment caused it");
}

#[tokio::test]
async fn other_content_before_the_fault_is_wrong_and_nothing_is_broken() {
    let scene = Scene::new().await;
    let replies = vec![Reply::ok(super::super::KEYS), Reply::ok(OTHER)];
    scene.server.serve_in_turn(replica(1), "/keys", replies);
    let told = chaos(&scene, &[])
        .await
        .is(UNHEALTHY, "refused")
        .saying("`cryptoserver-1` answered with different content")
        .saying("nothing was broken");
    assert!(
        !told.0.stderr.contains("on every replica"),
        "{}",
        told.0.stderr
    );
    assert_eq!(scene.server.writes().len(), 0);
}

#[tokio::test]
async fn a_set_that_is_ready_and_not_available_is_not_said_to_be_short_of_ready_replicas() {
    let scene = Scene::new().await;
    let place = ("apps", "statefulsets", NAMESPACE, "cryptoserver");
    scene.server.change("kubectl", place, |set| {
        set["spec"]["minReadySeconds"] = json!(3600);
        let generation = set["metadata"]["generation"].as_i64().unwrap();
        set["metadata"]["generation"] = json!(generation + 1);
    });
    scene
        .until(|server| {
            let set = server.object("apps", "statefulsets", NAMESPACE, "cryptoserver");
            set.is_some_and(|set| set["status"]["availableReplicas"] == 0)
        })
        .await;
    chaos(&scene, &[])
        .await
        .is(UNDECIDED, "refused")
        .saying("the rollout is not complete: 2 replicas have not been Ready for 3600 s yet")
        .not_saying("2 of 2 replicas are Ready");
}

#[tokio::test]
async fn a_pod_that_a_finalizer_holds_says_so_and_needs_no_more_time() {
    let scene = Scene::new().await;
    let pod = ("", "pods", NAMESPACE, "cryptoserver-0");
    scene.server.change("somebody", pod, |pod| {
        pod["metadata"]["finalizers"] = json!(["example.com/hold"]);
    });
    chaos(&scene, &["--timeout", DEADLINE])
        .await
        .is(UNDECIDED, "inconclusive")
        .saying(
            "`cryptoserver-0` is still being deleted: the finalizer `example.com/hold` holds it",
        )
        .not_saying("with `--timeout`");
}
