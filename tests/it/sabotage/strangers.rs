//! Pods with the labels of the replicas, that another controller keeps: they are nobody's surplus.

use apiserver_model::{Pods, Reply};
use serde_json::{Value, json};

use super::verify::verify;
use super::{KEYS, NAMESPACE, SET, SUCCESS, Scene, UNHEALTHY};

/// A pod with the labels of the replicas and this controller.
fn pod_of(scene: &Scene, name: &str, api_version: &str, kind: &str, owner: &str) {
    let server = &scene.server;
    // What owns it has to exist, or the pod is garbage.
    let keeper = format!("keeper-of-{name}");
    server.create(
        "kubectl",
        "",
        "configmaps",
        json!({"metadata": {"name": keeper, "namespace": NAMESPACE}}),
    );
    let keeper = server.object("", "configmaps", NAMESPACE, &keeper).unwrap();
    let live = scene.pod("cryptoserver-0");
    let mut spec = live["spec"].clone();
    spec["nodeName"] = Value::Null;
    let pod = json!({
        "metadata": {
            "name": name, "namespace": NAMESPACE, "labels": live["metadata"]["labels"],
            "ownerReferences": [{"apiVersion": api_version, "kind": kind, "name": owner,
                                 "uid": keeper["metadata"]["uid"], "controller": true}],
        },
        "spec": spec,
    });
    server.create("kube-controller-manager", "", "pods", pod);
}

/// Beside the replicas runs a pod of a Deployment with the same labels.
async fn beside_a_deployment() -> Scene {
    let scene = Scene::new().await;
    scene.server.serve(Pods::all(), "/keys", Reply::ok(KEYS));
    pod_of(
        &scene,
        "other-6f9c-x2x7q",
        "apps/v1",
        "ReplicaSet",
        "other-6f9c",
    );
    let runs = |server: &apiserver_model::ApiServer| {
        let pod = server.object("", "pods", NAMESPACE, "other-6f9c-x2x7q");
        pod.is_some_and(|pod| !pod["status"]["containerStatuses"][0]["state"]["running"].is_null())
    };
    scene.until(runs).await;
    scene
}

#[tokio::test]
async fn a_deployments_pod_is_a_note_and_no_finding() {
    let scene = beside_a_deployment().await;
    verify(&scene)
        .await
        .is(SUCCESS, "success")
        .with("/findings", &json!([]))
        .with(
            "/notes/0",
            &json!(
                "`other-6f9c-x2x7q` matches the selector but belongs to `replicaset/other-6f9c`: it is \
                 not a replica, but a Service with this selector routes to it too"
            ),
        );
}

#[tokio::test]
async fn a_deployments_pod_is_neither_read_nor_broken() {
    let scene = beside_a_deployment().await;
    let output = scene.call(&["logs"]).run().await.expect_code(SUCCESS);
    assert!(
        output.stdout.contains("cryptoserver-1 | "),
        "{}",
        output.stdout
    );
    assert!(!output.stdout.contains("other-6f9c"), "{}", output.stdout);
    let before = scene.pod("other-6f9c-x2x7q")["metadata"]["uid"].clone();
    let flags = [
        "chaos",
        "--yes",
        "--all-in-turn",
        "--probe-interval",
        "50ms",
        "--pause",
        "0s",
    ];
    let told = scene.told(&flags).await.is(SUCCESS, "survived");
    assert_eq!(told.report()["faults"].as_array().map(Vec::len), Some(2));
    assert_eq!(scene.pod("other-6f9c-x2x7q")["metadata"]["uid"], before);
    let shown = told.0.json_lines().into_iter();
    let rows = shown.filter(|line| line["event"] == "pod_changed");
    let names: Vec<Value> = rows.map(|line| line["pod"]["pod"].clone()).collect();
    assert!(!names.contains(&json!("other-6f9c-x2x7q")), "{names:?}");
}

#[tokio::test]
async fn what_a_former_set_of_the_name_left_behind_should_not_exist() {
    let scene = Scene::new().await;
    pod_of(&scene, "cryptoserver-5", "apps/v1", "StatefulSet", SET);
    verify(&scene)
        .await
        .is(UNHEALTHY, "unhealthy")
        .of_kind("extra_pod")
        .saying("`cryptoserver-5` matches the selector but should not exist");
}
