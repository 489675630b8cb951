//! Pods that use the network of their node: what answers there need not be theirs.

use apiserver_model::Reply;
use serde_json::{Value, json};

use super::super::{NAMESPACE, Scene, UNDECIDED, chaos};
use super::verify;

/// From now on these pods have the network of their node, on which they declare these ports.
fn on_host_network(scene: &Scene, pods: &[&str], ports: &Value) {
    for name in pods {
        let place = ("", "pods", NAMESPACE, *name);
        scene.server.change("kube-apiserver", place, |pod| {
            pod["spec"]["hostNetwork"] = json!(true);
            pod["spec"]["containers"][0]["ports"] = ports.clone();
        });
    }
}

fn on_node(scene: &Scene, pod: &str, node: &str) {
    let place = ("", "pods", NAMESPACE, pod);
    scene.server.change("kube-apiserver", place, |pod| {
        pod["spec"]["nodeName"] = json!(node);
    });
}

const BOTH: [&str; 2] = ["cryptoserver-0", "cryptoserver-1"];

/// As `up` declares it.
fn declared() -> Value {
    json!([{"containerPort": 80, "hostPort": 80, "protocol": "TCP"}])
}

#[tokio::test]
async fn one_port_of_one_node_is_no_answer_of_two_replicas() {
    for ports in [json!([]), declared()] {
        let scene = Scene::new().await;
        on_host_network(&scene, &BOTH, &ports);
        verify(&scene)
            .await
            .is(UNDECIDED, "undecided")
            .finding(0, "not_proven")
            .finding(1, "not_proven")
            .with("/groups", &json!([]))
            .saying("shares the network of node `node-1` with `cryptoserver-1` (`hostNetwork`)");
    }
}

#[tokio::test]
async fn a_port_of_the_node_is_not_the_pods() {
    for ports in [json!([]), declared()] {
        let scene = Scene::new().await;
        on_host_network(&scene, &BOTH[1..], &ports);
        verify(&scene)
            .await
            .is(UNDECIDED, "undecided")
            .sparing(0)
            .finding(1, "not_proven")
            .saying("(`hostNetwork`), where any process may have answered");
    }
}

#[tokio::test]
async fn a_wrong_answer_of_somebody_elses_process_proves_nothing_either() {
    let scene = Scene::new().await;
    on_host_network(&scene, &BOTH[1..], &json!([]));
    let scene = scene.answer(super::super::replica(1), Reply::new(404, "not here"));
    verify(&scene)
        .await
        .is(UNDECIDED, "undecided")
        .finding(1, "not_proven");
    // That nothing listens is nobody else's silence.
    let scene = scene.answer(super::super::replica(1), Reply::refused());
    verify(&scene)
        .await
        .is(super::super::UNHEALTHY, "unhealthy")
        .finding(1, "not_listening");
}

#[tokio::test]
async fn not_even_on_a_node_of_its_own() {
    let scene = Scene::of_two_nodes().await;
    on_host_network(&scene, &BOTH, &declared());
    on_node(&scene, BOTH[0], "node-1");
    on_node(&scene, BOTH[1], "node-2");
    verify(&scene)
        .await
        .is(UNDECIDED, "undecided")
        .finding(0, "not_proven")
        .finding(1, "not_proven");
}

#[tokio::test]
async fn nothing_is_broken_whose_answers_are_not_its_own() {
    let scene = Scene::new().await;
    on_host_network(&scene, &BOTH, &json!([]));
    chaos::chaos(&scene, &[])
        .await
        .is(UNDECIDED, "refused")
        .saying("shares the network of node `node-1` with `cryptoserver-1` (`hostNetwork`)");
    assert_eq!(scene.server.writes().len(), 0);
}

#[tokio::test]
async fn a_watch_does_not_believe_it_either() {
    let scene = Scene::new().await;
    on_host_network(&scene, &BOTH, &json!([]));
    let flags = ["verify", "--watch", "--every", "50ms", "--for", "200ms"];
    scene.told(&flags).await.is(UNDECIDED, "undecided");
}
