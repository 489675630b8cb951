//! What tests can make pods say and do.

use std::time::Duration;

use apiserver_model::{ApiServer, PodScript, Pods, Reply, When};
use http::Request;
use http_body_util::BodyExt;
use k8s_openapi::api::core::v1::Pod;
use kube::Api;
use kube::api::DeleteParams;
use kube::client::Body;
use serde_json::{Value, json};

use super::{apply, stateful_set};

/// What a pod answers through the API server.
async fn asked(server: &ApiServer, pod: &str) -> String {
    let path = format!("/api/v1/namespaces/default/pods/{pod}:80/proxy/");
    let request = Request::get(path).body(Body::empty()).unwrap();
    let response = server.client().send(request).await.unwrap();
    let bytes = response.into_body().collect().await.unwrap().to_bytes();
    String::from_utf8(bytes.to_vec()).unwrap()
}

fn pod(server: &ApiServer, name: &str) -> Value {
    server
        .object("", "pods", "default", name)
        .unwrap_or_default()
}

fn container(pod: &Value) -> &Value {
    &pod["status"]["containerStatuses"][0]
}

async fn delete(server: &ApiServer, pod: &str) {
    let pods: Api<Pod> = Api::namespaced(server.client(), "default");
    let _ = pods.delete(pod, &DeleteParams::default()).await.unwrap();
}

async fn cluster(script: PodScript) -> ApiServer {
    let server = ApiServer::seeded(1);
    server.script(Pods::of("web"), script);
    server.serve(Pods::of("web"), "/", Reply::ok("right"));
    apply(&server, &stateful_set(2)).await.unwrap();
    server
}

fn slowly() -> PodScript {
    PodScript::default()
        .start_after(Duration::from_secs(2))
        .ready_after(Duration::from_secs(2))
        .stop_after(Duration::from_secs(2))
}

#[tokio::test(start_paused = true)]
async fn a_pod_answers_before_it_is_ready_and_then_otherwise() {
    let server = cluster(slowly()).await;
    let early = vec![Reply::ok("early")];
    server.serve_when(Pods::of("web"), "/", When::Unready, early);
    server
        .until(|server| container(&pod(server, "web-0"))["started"] == true)
        .await;
    assert_eq!(container(&pod(&server, "web-0"))["ready"], false);
    assert_eq!(asked(&server, "web-0").await, "early");
    server
        .until(|server| container(&pod(server, "web-0"))["ready"] == true)
        .await;
    assert_eq!(asked(&server, "web-0").await, "right");
    // What listens only later refuses until then.
    server.serve_when(Pods::of("web"), "/", When::Unready, vec![Reply::refused()]);
    server
        .until(|server| container(&pod(server, "web-1"))["started"] == true)
        .await;
    assert!(asked(&server, "web-1").await.contains("connection refused"));
}

#[tokio::test(start_paused = true)]
async fn an_answer_flips_only_while_another_pod_is_away() {
    let server = cluster(slowly()).await;
    server.until_ready("default", "web", 2).await;
    let other = When::Away(Pods::of("web").ordinal(0));
    let flipped = vec![Reply::ok("wrong")];
    server.serve_when(Pods::of("web").ordinal(1), "/", other, flipped);
    assert_eq!(asked(&server, "web-1").await, "right");
    let uid = pod(&server, "web-0")["metadata"]["uid"].clone();
    delete(&server, "web-0").await;
    // It still runs.
    assert_eq!(asked(&server, "web-1").await, "right");
    server
        .until(|server| pod(server, "web-0")["metadata"]["uid"] != uid)
        .await;
    assert_eq!(asked(&server, "web-1").await, "wrong");
    server.until_ready("default", "web", 2).await;
    assert_eq!(asked(&server, "web-1").await, "right");
}

#[tokio::test(start_paused = true)]
async fn an_answer_differs_while_its_pod_goes_and_from_its_next_run_on() {
    let server = cluster(slowly()).await;
    server.until_ready("default", "web", 2).await;
    let pods = || Pods::of("web").ordinal(0);
    server.serve_when(pods(), "/", When::FromRun(1), vec![Reply::ok("second run")]);
    server.serve_when(pods(), "/", When::Terminating, vec![Reply::ok("going")]);
    assert_eq!(asked(&server, "web-0").await, "right");
    let uid = pod(&server, "web-0")["metadata"]["uid"].clone();
    delete(&server, "web-0").await;
    assert_eq!(asked(&server, "web-0").await, "going");
    server
        .until(|server| pod(server, "web-0")["metadata"]["uid"] != uid)
        .await;
    server.until_ready("default", "web", 2).await;
    assert_eq!(asked(&server, "web-0").await, "second run");
    assert_eq!(asked(&server, "web-1").await, "right");
}

#[tokio::test(start_paused = true)]
async fn a_condition_does_not_use_up_other_replies() {
    let server = cluster(slowly()).await;
    server.until_ready("default", "web", 2).await;
    let turns = ["1", "2", "3"].map(Reply::ok).to_vec();
    server.serve_in_turn(Pods::of("web"), "/", turns);
    let away = When::Away(Pods::of("web").ordinal(0));
    server.serve_when(
        Pods::of("web").ordinal(1),
        "/",
        away,
        vec![Reply::ok("away")],
    );
    assert_eq!(asked(&server, "web-1").await, "1");
    server.kill_container("default", "web-0", 1);
    assert_eq!(asked(&server, "web-1").await, "away");
    server
        .until(|server| container(&pod(server, "web-0"))["restartCount"] == 1)
        .await;
    server.until_ready("default", "web", 2).await;
    assert_eq!(asked(&server, "web-1").await, "2");
}

#[tokio::test(start_paused = true)]
async fn a_mirrored_pod_comes_back_without_having_restarted() {
    let server = cluster(slowly().mirrored()).await;
    server.until_ready("default", "web", 2).await;
    let before = pod(&server, "web-0");
    tokio::time::sleep(Duration::from_mins(1)).await;
    delete(&server, "web-0").await;
    server
        .until(|server| pod(server, "web-0")["metadata"]["uid"] != before["metadata"]["uid"])
        .await;
    server.until_ready("default", "web", 2).await;
    let after = pod(&server, "web-0");
    assert_ne!(after["metadata"]["uid"], before["metadata"]["uid"]);
    for field in ["containerID", "state", "restartCount"] {
        assert_eq!(container(&after)[field], container(&before)[field]);
    }
    for field in ["startTime", "podIP"] {
        assert_eq!(after["status"][field], before["status"][field]);
    }
    // What really is restarted is new.
    server.kill_container("default", "web-0", 1);
    server
        .until(|server| container(&pod(server, "web-0"))["restartCount"] == 1)
        .await;
    let restarted = pod(&server, "web-0");
    assert_ne!(
        container(&restarted)["containerID"],
        container(&before)["containerID"]
    );
}

#[tokio::test(start_paused = true)]
async fn every_run_has_a_sandbox_a_container_and_times_of_its_own() {
    let script = slowly().sandbox_after(Duration::from_secs(1));
    let server = cluster(script).await;
    server.until_ready("default", "web", 2).await;
    let before = pod(&server, "web-0");
    delete(&server, "web-0").await;
    let told = |server: &ApiServer| {
        let found = pod(server, "web-0");
        let conditions = found["status"]["conditions"].as_array().cloned();
        let sandbox = conditions.into_iter().flatten();
        sandbox
            .filter(|condition| condition["type"] == "PodReadyToStartContainers")
            .find(|_| found["metadata"]["uid"] != before["metadata"]["uid"])
    };
    server.until(|server| told(server).is_some()).await;
    let first = pod(&server, "web-0");
    assert_eq!(told(&server).unwrap()["status"], "False");
    assert_eq!(first["status"].get("podIP"), None);
    server
        .until(|server| told(server).is_some_and(|condition| condition["status"] == "True"))
        .await;
    let second = pod(&server, "web-0");
    assert!(container(&second)["state"]["waiting"].is_object());
    assert_eq!(container(&second).get("containerID"), None);
    assert!(second["status"]["podIP"].is_string());
    server.until_ready("default", "web", 2).await;
    let after = pod(&server, "web-0");
    let times = [
        &before["status"]["startTime"],
        &after["status"]["startTime"],
        &told(&server).unwrap()["lastTransitionTime"],
        &container(&after)["state"]["running"]["startedAt"],
    ];
    let times = times.map(|time| time.as_str().unwrap().to_owned());
    assert!(times.is_sorted_by(|one, other| one < other), "{times:?}");
    assert_ne!(
        container(&after)["containerID"],
        container(&before)["containerID"]
    );
    assert_ne!(after["status"]["podIP"], before["status"]["podIP"]);
    assert_eq!(container(&after)["restartCount"], json!(0));
}

#[tokio::test(start_paused = true)]
async fn a_deleted_pod_outlives_its_container() {
    let second = Duration::from_secs(1);
    for (script, code) in [(slowly(), 143), (slowly().ignores_sigterm(), 137)] {
        let server = cluster(script.gone_after(second)).await;
        server.until_ready("default", "web", 2).await;
        delete(&server, "web-0").await;
        server
            .until(|server| container(&pod(server, "web-0"))["ready"] == false)
            .await;
        let start = tokio::time::Instant::now();
        let ended = pod(&server, "web-0");
        assert_eq!(ended["status"]["phase"], "Failed");
        let state = &container(&ended)["state"]["terminated"];
        assert_eq!(
            (&state["exitCode"], &state["reason"]),
            (&json!(code), &json!("Error"))
        );
        for kind in ["Ready", "PodReadyToStartContainers"] {
            assert_eq!(apiserver_model::object::condition(&ended, kind), "False");
        }
        assert!(asked(&server, "web-0").await.contains("connection refused"));
        let uid = ended["metadata"]["uid"].clone();
        server
            .until(|server| pod(server, "web-0")["metadata"]["uid"] != uid)
            .await;
        assert_eq!(start.elapsed(), second);
    }
}
