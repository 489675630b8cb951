//! Sets and pods over time.

use std::time::Duration;

use apiserver_model::{ApiServer, PodScript, Pods};
use futures::TryStreamExt;
use k8s_openapi::api::core::v1::{ConfigMap, Pod};
use kube::api::{DeleteParams, EvictParams, ListParams, LogParams, Preconditions};
use kube::{Api, ResourceExt};
use serde_json::{Value, json};

use super::{apply, refusal, stateful_set};

fn pods(server: &ApiServer) -> Api<Pod> {
    Api::namespaced(server.client(), "default")
}

fn waiting_reason(pod: &Value) -> &str {
    pod.pointer("/status/containerStatuses/0/state/waiting/reason")
        .and_then(Value::as_str)
        .unwrap_or_default()
}

#[tokio::test(start_paused = true)]
async fn replicas_start_one_after_the_other() {
    let server = ApiServer::seeded(1);
    server.script(
        Pods::of("web").ordinal(0),
        PodScript::default().ready_after(Duration::from_secs(20)),
    );
    let start = tokio::time::Instant::now();
    apply(&server, &stateful_set(2)).await.unwrap();
    server
        .until(|server| server.object("", "pods", "default", "web-1").is_some())
        .await;
    assert!(start.elapsed() >= Duration::from_secs(20));
    server.until_ready("default", "web", 2).await;
    let set = server
        .object("apps", "statefulsets", "default", "web")
        .unwrap();
    assert_eq!(
        set["status"]["currentRevision"],
        set["status"]["updateRevision"]
    );
}

#[tokio::test(start_paused = true)]
async fn a_deleted_pod_comes_back_with_another_uid() {
    let server = ApiServer::seeded(1);
    server.script(
        Pods::of("web"),
        PodScript::default().stop_after(Duration::from_secs(5)),
    );
    apply(&server, &stateful_set(2)).await.unwrap();
    server.until_ready("default", "web", 2).await;
    let old = pods(&server).get("web-0").await.unwrap().uid().unwrap();

    let wrong = Preconditions {
        uid: Some("other".into()),
        resource_version: None,
    };
    let status = refusal(
        pods(&server)
            .delete(
                "web-0",
                &DeleteParams {
                    preconditions: Some(wrong),
                    ..DeleteParams::default()
                },
            )
            .await,
    );
    assert_eq!(status.code, 409);
    assert!(
        status
            .message
            .contains("the UID in the precondition (other) does not match the UID in record"),
        "{status:?}"
    );

    let right = Preconditions {
        uid: Some(old.clone()),
        resource_version: None,
    };
    let params = DeleteParams {
        preconditions: Some(right),
        ..DeleteParams::default()
    };
    let terminating = pods(&server)
        .delete("web-0", &params)
        .await
        .unwrap()
        .left()
        .unwrap();
    assert_eq!(terminating.metadata.deletion_grace_period_seconds, Some(30));
    assert_eq!(
        terminating.status.unwrap().phase.as_deref(),
        Some("Running")
    );
    server
        .until(|server| {
            server
                .object("", "pods", "default", "web-0")
                .is_none_or(|pod| pod["metadata"]["uid"] != old)
        })
        .await;
    server.until_ready("default", "web", 2).await;
    assert_ne!(
        pods(&server).get("web-0").await.unwrap().uid().unwrap(),
        old
    );
}

#[tokio::test(start_paused = true)]
async fn an_update_goes_from_the_highest_ordinal_down_and_stops_at_a_bad_image() {
    let server = ApiServer::seeded(1);
    server.script(
        Pods::of("web").image("example.org/web:2"),
        PodScript::default().pull_fails("not found"),
    );
    apply(&server, &stateful_set(3)).await.unwrap();
    server.until_ready("default", "web", 3).await;
    let mut set = stateful_set(3);
    set["spec"]["template"]["spec"]["containers"][0]["image"] = json!("example.org/web:2");
    apply(&server, &set).await.unwrap();
    let stuck = |server: &ApiServer| server.object("", "pods", "default", "web-2");
    server
        .until(|server| stuck(server).is_some_and(|pod| waiting_reason(&pod) == "ImagePullBackOff"))
        .await;
    let status = server
        .object("apps", "statefulsets", "default", "web")
        .unwrap()["status"]
        .clone();
    assert_eq!(
        (&status["updatedReplicas"], &status["readyReplicas"]),
        (&json!(1), &json!(2))
    );
    assert_ne!(status["currentRevision"], status["updateRevision"]);

    // The stuck roll-back: the broken pod stays although the set no longer wants its image.
    apply(&server, &stateful_set(3)).await.unwrap();
    tokio::time::sleep(Duration::from_mins(10)).await;
    assert_eq!(waiting_reason(&stuck(&server).unwrap()), "ImagePullBackOff");
    assert_eq!(server.objects("apps", "controllerrevisions").len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_crash_loop_keeps_its_last_log_and_exit_code() {
    let server = ApiServer::seeded(1);
    let script = PodScript::default().prints("start\n").crashes(
        Duration::from_secs(1),
        134,
        "Keys file exists\n",
    );
    server.script(Pods::of("web"), script);
    apply(&server, &stateful_set(1)).await.unwrap();
    let pod = |server: &ApiServer| {
        server
            .object("", "pods", "default", "web-0")
            .unwrap_or_default()
    };
    server
        .until(|server| pod(server)["status"]["containerStatuses"][0]["restartCount"] == 1)
        .await;
    server
        .until(|server| waiting_reason(&pod(server)) == "CrashLoopBackOff")
        .await;
    let last = pod(&server)
        .pointer("/status/containerStatuses/0/lastState/terminated/exitCode")
        .cloned();
    assert_eq!(last, Some(json!(134)));
    let previous = LogParams {
        previous: true,
        tail_lines: Some(1),
        ..LogParams::default()
    };
    assert_eq!(
        pods(&server).logs("web-0", &previous).await.unwrap(),
        "Keys file exists\n"
    );
}

fn budget_status(server: &ApiServer, field: &str) -> Value {
    let budget = server.object("policy", "poddisruptionbudgets", "default", "web");
    budget.unwrap()["status"][field].clone()
}

#[tokio::test(start_paused = true)]
async fn a_budget_counts_and_is_charged_at_once() {
    let server = ApiServer::seeded(1);
    let script = PodScript::default().stop_after(Duration::from_secs(5));
    server.script(Pods::of("web"), script);
    apply(&server, &stateful_set(3)).await.unwrap();
    server.until_ready("default", "web", 3).await;
    let budget = json!({
        "metadata": { "name": "web", "namespace": "default" },
        "spec": { "maxUnavailable": 1, "selector": { "matchLabels": { "app": "web" } } },
    });
    server.create("test", "policy", "poddisruptionbudgets", budget);
    server
        .until(|server| budget_status(server, "disruptionsAllowed") == 1)
        .await;
    let counted = ["expectedPods", "desiredHealthy", "currentHealthy"];
    assert_eq!(
        counted.map(|field| budget_status(&server, field)),
        [json!(3), json!(2), json!(3)]
    );
    // The second eviction comes before the controller has looked.
    server.slow_controllers(Duration::from_secs(1));
    pods(&server)
        .evict("web-0", &EvictParams::default())
        .await
        .unwrap();
    assert_eq!(budget_status(&server, "disruptionsAllowed"), 0);
    let status = refusal(pods(&server).evict("web-1", &EvictParams::default()).await);
    assert_eq!(status.code, 429);
    server
        .until(|server| budget_status(server, "currentHealthy") == 2)
        .await;
    server
        .until(|server| budget_status(server, "disruptionsAllowed") == 1)
        .await;
    assert_eq!(budget_status(&server, "currentHealthy"), 3);
}

#[tokio::test(start_paused = true)]
async fn a_budget_refuses_an_eviction() {
    let server = ApiServer::seeded(1);
    apply(&server, &stateful_set(2)).await.unwrap();
    server.until_ready("default", "web", 2).await;
    let budget = json!({
        "metadata": { "name": "web", "namespace": "default" },
        "spec": { "minAvailable": 2, "selector": { "matchLabels": { "app": "web" } } },
    });
    server.slow_controllers(Duration::from_secs(1));
    server.create("test", "policy", "poddisruptionbudgets", budget);
    let status = refusal(pods(&server).evict("web-0", &EvictParams::default()).await);
    let details = status.details.unwrap();
    assert_eq!((status.code, details.retry_after_seconds), (429, 10));
    assert_eq!(
        details.causes[0].message,
        "The disruption budget web is still being processed by the server."
    );
    server
        .until(|server| budget_status(server, "currentHealthy") == 2)
        .await;
    let status = refusal(pods(&server).evict("web-0", &EvictParams::default()).await);
    assert_eq!(status.code, 429);
    assert_eq!(
        status.details.unwrap().causes[0].message,
        "The disruption budget web needs 2 healthy pods and has 2 currently"
    );
    server.change(
        "test",
        ("policy", "poddisruptionbudgets", "default", "web"),
        |budget| {
            budget["spec"]["minAvailable"] = json!(1);
        },
    );
    server
        .until(|server| budget_status(server, "disruptionsAllowed") == 1)
        .await;
    pods(&server)
        .evict("web-0", &EvictParams::default())
        .await
        .unwrap();
    server
        .until(|server| {
            server
                .object("", "pods", "default", "web-0")
                .is_none_or(|pod| pod["metadata"]["deletionTimestamp"].is_string())
        })
        .await;
}

#[tokio::test(start_paused = true)]
async fn a_set_takes_its_pods_with_it() {
    let server = ApiServer::seeded(1);
    apply(&server, &stateful_set(2)).await.unwrap();
    server.until_ready("default", "web", 2).await;
    let sets: Api<k8s_openapi::api::apps::v1::StatefulSet> =
        Api::namespaced(server.client(), "default");
    sets.delete("web", &DeleteParams::foreground())
        .await
        .unwrap();
    server
        .until(|server| server.objects("apps", "statefulsets").is_empty())
        .await;
    assert!(server.objects("", "pods").is_empty());
    server
        .until(|server| server.objects("apps", "controllerrevisions").is_empty())
        .await;
}

#[tokio::test(start_paused = true)]
async fn a_namespace_goes_with_its_content() {
    let server = ApiServer::seeded(1);
    server.create(
        "test",
        "",
        "namespaces",
        json!({ "metadata": { "name": "lab" } }),
    );
    let maps: Api<ConfigMap> = Api::namespaced(server.client(), "lab");
    let map = serde_json::from_value(json!({ "metadata": { "name": "m" } })).unwrap();
    maps.create(&kube::api::PostParams::default(), &map)
        .await
        .unwrap();
    let namespaces: Api<k8s_openapi::api::core::v1::Namespace> = Api::all(server.client());
    namespaces
        .delete("lab", &DeleteParams::default())
        .await
        .unwrap();
    server
        .until(|server| server.object("", "namespaces", "", "lab").is_none())
        .await;
    assert!(
        maps.list(&ListParams::default())
            .await
            .unwrap()
            .items
            .is_empty()
    );
}

#[tokio::test(start_paused = true)]
async fn a_claim_without_its_class_keeps_the_pod_waiting() {
    let server = ApiServer::seeded(1);
    let mut set = stateful_set(1);
    set["spec"]["template"]["spec"]["volumes"] =
        json!([{ "name": "d", "persistentVolumeClaim": { "claimName": "data" } }]);
    let claim = |class: &str| {
        json!({
            "metadata": { "name": "data", "namespace": "default" },
            "spec": {
                "storageClassName": class, "accessModes": ["ReadWriteOnce"],
                "resources": { "requests": { "storage": "1Gi" } },
            },
        })
    };
    server.create("test", "", "persistentvolumeclaims", claim("fast"));
    apply(&server, &set).await.unwrap();
    server
        .until(|server| !server.objects("", "events").is_empty())
        .await;
    server
        .until(|server| {
            server
                .object("", "pods", "default", "web-0")
                .is_some_and(|pod| pod.to_string().contains("Unschedulable"))
        })
        .await;

    let claims: Api<k8s_openapi::api::core::v1::PersistentVolumeClaim> =
        Api::namespaced(server.client(), "default");
    server.create("test", "storage.k8s.io", "storageclasses", json!({
        "metadata": { "name": "fast" }, "provisioner": "example.org/fast", "volumeBindingMode": "WaitForFirstConsumer",
    }));
    server.until_ready("default", "web", 1).await;
    assert_eq!(
        claims
            .get("data")
            .await
            .unwrap()
            .status
            .unwrap()
            .phase
            .as_deref(),
        Some("Bound")
    );
}

#[tokio::test(start_paused = true)]
async fn a_log_is_followed_until_the_container_ends() {
    use futures::AsyncBufReadExt;
    let server = ApiServer::seeded(1);
    apply(&server, &stateful_set(1)).await.unwrap();
    server.until_ready("default", "web", 1).await;
    let follow = LogParams {
        follow: true,
        ..LogParams::default()
    };
    let mut lines = pods(&server)
        .log_stream("web-0", &follow)
        .await
        .unwrap()
        .lines();
    assert_eq!(
        lines.try_next().await.unwrap().as_deref(),
        Some("Starting API Host.")
    );
    server.print("default", "web-0", "more\n");
    assert_eq!(lines.try_next().await.unwrap().as_deref(), Some("more"));
    server.kill_container("default", "web-0", 137);
    assert_eq!(lines.try_next().await.unwrap(), None);
}
