//! Pods that answer and do not count, and pods that count and do not answer.

use std::time::Duration;

use apiserver_model::{ApiServer, Disturbance, PodScript, Pods, Reply};
use serde_json::json;

use super::super::{KEYS, NAMESPACE, Scene, UNDECIDED, UNHEALTHY, everyone, replica};
use super::{Told, verify};

fn delete(scene: &Scene, pod: &str, at_once: bool) {
    scene.server.happen(&Disturbance::Delete {
        namespace: NAMESPACE.to_owned(),
        pod: pod.to_owned(),
        at_once,
    });
}

/// Whether the program waits for the answer of this replica.
fn is_asked(server: &ApiServer, pod: &str) -> bool {
    let requests = server.requests();
    let path = format!("{pod}/portforward");
    requests.iter().any(|request| request.path.contains(&path))
}

#[tokio::test]
async fn a_service_that_hides_a_dead_pod_hides_nothing() {
    let scene = Scene::new().await.live(
        replica(1),
        PodScript::default().crashes(Duration::ZERO, 137, "out of memory\n"),
    );
    scene
        .server
        .kill_container(NAMESPACE, "cryptoserver-1", 137);
    let is_waiting = |server: &ApiServer| {
        let pod = server.object("", "pods", NAMESPACE, "cryptoserver-1");
        pod.is_some_and(|pod| !pod["status"]["containerStatuses"][0]["state"]["waiting"].is_null())
    };
    scene.until(is_waiting).await;
    verify(&scene)
        .await
        .is(UNHEALTHY, "unhealthy")
        .sparing(0)
        .finding(1, "not_running")
        .saying("`cryptoserver-1` is not running: CrashLoopBackOff");
}

#[tokio::test]
async fn a_pod_that_answers_before_it_is_ready_does_not_count() {
    let scene = Scene::new()
        .await
        .live(replica(1), PodScript::default().never_ready("warming up"));
    delete(&scene, "cryptoserver-1", true);
    let runs = |server: &ApiServer| {
        let pod = server.object("", "pods", NAMESPACE, "cryptoserver-1");
        pod.is_some_and(|pod| !pod["status"]["containerStatuses"][0]["state"]["running"].is_null())
    };
    scene.until(runs).await;
    verify(&scene)
        .await
        .is(UNHEALTHY, "unhealthy")
        .finding(1, "not_ready")
        .saying("`cryptoserver-1` gave a right answer, but is not Ready");
}

#[tokio::test]
async fn a_terminating_pod_that_still_answers_does_not_count() {
    let lingering = PodScript::default().stop_after(Duration::from_secs(9));
    let scene = Scene::new().await.live(replica(0), lingering);
    delete(&scene, "cryptoserver-0", false);
    verify(&scene)
        .await
        .is(UNHEALTHY, "unhealthy")
        .finding(0, "terminating")
        .saying("`cryptoserver-0` is being deleted");
}

#[tokio::test]
async fn an_orphan_with_the_same_labels_may_get_the_requests() {
    let scene = Scene::new().await;
    let server = &scene.server;
    server.serve(Pods::all(), "/keys", Reply::ok(KEYS));
    let mut orphan = scene.pod("cryptoserver-0");
    orphan["metadata"] = json!({
        "name": "stray", "namespace": NAMESPACE,
        "labels": orphan["metadata"]["labels"],
    });
    orphan["status"] = json!({});
    server.create("kubectl", "", "pods", orphan);
    verify(&scene)
        .await
        .is(UNHEALTHY, "unhealthy")
        .sparing(0)
        .sparing(1)
        .of_kind("extra_pod")
        .saying("`stray` matches the selector but should not exist");
}

#[tokio::test]
async fn a_stranger_under_a_replicas_name_does_not_count() {
    let scene = Scene::new().await;
    scene.server.happen(&Disturbance::Usurp(
        NAMESPACE.to_owned(),
        "cryptoserver-1".to_owned(),
    ));
    verify(&scene)
        .await
        .is(UNHEALTHY, "unhealthy")
        .finding(1, "not_owned")
        .saying("`cryptoserver-1` exists, but does not belong to the workload");
}

#[tokio::test]
async fn fewer_replicas_than_the_set_asks_for_are_not_all() {
    let scene = Scene::new().await;
    let homeless = PodScript::default().unschedulable("0/1 nodes are available");
    let scene = scene.live(replica(1), homeless);
    delete(&scene, "cryptoserver-1", true);
    verify(&scene)
        .await
        .is(UNHEALTHY, "unhealthy")
        .finding(1, "not_running")
        .with("/groups/0/ordinals", &json!([0]));
}

/// Replica 0 takes its time, and something happens to it meanwhile.
pub(super) async fn meanwhile(happens: impl FnOnce(&Scene)) -> Told {
    let late = Reply::ok(KEYS).after(Duration::from_secs(1));
    let scene = Scene::new().await.answer(everyone(), late);
    let process = scene.start(&["verify"]).await;
    scene
        .until(|server| is_asked(server, "cryptoserver-0"))
        .await;
    happens(&scene);
    Told(process.finish().await)
}

#[tokio::test]
async fn a_pod_that_is_replaced_while_it_is_asked_proves_nothing() {
    meanwhile(|scene| delete(scene, "cryptoserver-0", true))
        .await
        .is(UNDECIDED, "undecided")
        .finding(0, "changed_meanwhile")
        .sparing(1)
        .saying("`cryptoserver-0` changed during the check: the pod was replaced");
}

#[tokio::test]
async fn a_container_that_restarts_while_it_is_asked_proves_nothing() {
    meanwhile(|scene| scene.server.kill_container(NAMESPACE, "cryptoserver-0", 1))
        .await
        .is(UNDECIDED, "undecided")
        .finding(0, "changed_meanwhile")
        .saying("`cryptoserver-0` changed during the check: container `api` restarted");
}
