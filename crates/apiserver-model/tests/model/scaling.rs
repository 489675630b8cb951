//! Changes of sets by merge patches, and deletions by force.

use std::time::Duration;

use apiserver_model::{ApiServer, ChangeKind, PodScript, Pods};
use k8s_openapi::api::apps::v1::StatefulSet;
use k8s_openapi::api::core::v1::Pod;
use kube::api::{DeleteParams, Patch, PatchParams};
use kube::{Api, ResourceExt};
use serde_json::{Value, json};

use super::{apply, refusal, stateful_set};

async fn patch(server: &ApiServer, patch: Value) -> kube::Result<StatefulSet> {
    let sets: Api<StatefulSet> = Api::namespaced(server.client(), "default");
    sets.patch("web", &PatchParams::default(), &Patch::Merge(patch))
        .await
}

async fn cluster(parallel: bool) -> ApiServer {
    let server = ApiServer::seeded(1);
    let script = PodScript::default().stop_after(Duration::from_secs(1));
    server.script(Pods::of("web"), script);
    let mut set = stateful_set(3);
    if parallel {
        set["spec"]["podManagementPolicy"] = json!("Parallel");
    }
    apply(&server, &set).await.unwrap();
    server.until_ready("default", "web", 3).await;
    server
}

/// The pods of one kind of change, in their order.
fn pods(server: &ApiServer, kind: ChangeKind) -> Vec<String> {
    let changes = server.history().into_iter();
    changes
        .filter(|change| change.kind == kind && change.key.resource == "pods")
        .map(|change| change.key.name)
        .collect()
}

/// When each pod was told to stop.
fn stopped(server: &ApiServer) -> Vec<(String, tokio::time::Instant)> {
    let changes = server.history().into_iter();
    changes
        .filter(|change| change.key.resource == "pods" && change.kind == ChangeKind::Modified)
        .filter(|change| {
            let is_going = |pod: &Value| pod["metadata"]["deletionTimestamp"].is_string();
            is_going(&change.object) && !change.previous.as_deref().is_some_and(is_going)
        })
        .map(|change| (change.key.name, change.at))
        .collect()
}

#[tokio::test(start_paused = true)]
async fn scaling_to_zero_and_back_goes_in_order() {
    let server = cluster(false).await;
    let before = patch(&server, json!({})).await.unwrap();
    let version = before.resource_version().unwrap();
    let scaled = |replicas: i64, version: &str| {
        json!({
            "metadata": { "resourceVersion": version, "annotations": { "example.org/replicas": "3" } },
            "spec": { "replicas": replicas },
        })
    };
    let zero = patch(&server, scaled(0, &version)).await.unwrap();
    assert_eq!(zero.annotations()["example.org/replicas"], "3");
    assert_eq!(
        zero.metadata.generation,
        before.metadata.generation.map(|old| old + 1)
    );
    // The same once more is refused, since it is not the newest version any more.
    let status = refusal(patch(&server, scaled(0, &version)).await);
    assert_eq!((status.code, status.reason.as_str()), (409, "Conflict"));
    server.until_ready("default", "web", 0).await;
    let down = ["web-2", "web-1", "web-0"].map(String::from);
    assert_eq!(pods(&server, ChangeKind::Deleted), down);
    let times: Vec<_> = stopped(&server);
    assert!(
        times.is_sorted_by(|one, other| one.1 + Duration::from_secs(1) <= other.1),
        "{times:?}"
    );

    let newest = patch(&server, json!({}))
        .await
        .unwrap()
        .resource_version()
        .unwrap();
    patch(&server, scaled(3, &newest)).await.unwrap();
    server.until_ready("default", "web", 3).await;
    let up = ["web-0", "web-1", "web-2"].map(String::from);
    assert_eq!(pods(&server, ChangeKind::Added), [up.clone(), up].concat());
}

#[tokio::test(start_paused = true)]
async fn a_parallel_set_goes_at_once() {
    let server = cluster(true).await;
    patch(&server, json!({ "spec": { "replicas": 0 } }))
        .await
        .unwrap();
    server.until_ready("default", "web", 0).await;
    let times = stopped(&server);
    assert_eq!(times.len(), 3);
    assert!(times.iter().all(|(_, at)| *at == times[0].1), "{times:?}");
}

#[tokio::test(start_paused = true)]
async fn an_annotation_of_the_template_restarts_one_after_the_other() {
    let server = cluster(false).await;
    let before = patch(&server, json!({})).await.unwrap().status.unwrap();
    let restart = json!({ "spec": { "template": { "metadata": {
        "annotations": { "kubectl.kubernetes.io/restartedAt": "2026-01-01T00:00:00Z" } } } } });
    patch(&server, restart).await.unwrap();
    server
        .until(|server| {
            let set = server
                .object("apps", "statefulsets", "default", "web")
                .unwrap();
            set["status"]["updateRevision"] != before.update_revision.as_deref().unwrap()
        })
        .await;
    server.until_ready("default", "web", 3).await;
    let down = ["web-2", "web-1", "web-0"].map(String::from);
    assert_eq!(pods(&server, ChangeKind::Deleted), down);
    let after = patch(&server, json!({})).await.unwrap().status.unwrap();
    assert_ne!(after.update_revision, before.update_revision);
    assert_eq!(after.current_revision, after.update_revision);
    for pod in server.objects("", "pods") {
        assert_eq!(
            pod["metadata"]["labels"]["controller-revision-hash"],
            after.update_revision.as_deref().unwrap()
        );
        assert!(pod["metadata"]["annotations"]["kubectl.kubernetes.io/restartedAt"].is_string());
    }
}

#[tokio::test(start_paused = true)]
async fn by_force_a_pod_is_gone_at_once() {
    let server = cluster(false).await;
    let pods: Api<Pod> = Api::namespaced(server.client(), "default");
    let uid = pods.get("web-0").await.unwrap().uid();
    let before = server.revision();
    let force = DeleteParams::default().grace_period(0);
    let last = pods.delete("web-0", &force).await.unwrap().left().unwrap();
    assert_eq!(last.uid(), uid);
    assert_eq!(last.metadata.deletion_timestamp, None);
    let change = server
        .history()
        .into_iter()
        .find(|change| change.revision == before + 1);
    let change = change.unwrap();
    assert_eq!(
        (change.kind, change.key.name.as_str()),
        (ChangeKind::Deleted, "web-0")
    );
    // What is on its way out already goes at once, too.
    server.until_ready("default", "web", 3).await;
    let uid = pods.get("web-1").await.unwrap().uid();
    let _ = pods
        .delete("web-1", &DeleteParams::default())
        .await
        .unwrap();
    assert!(
        pods.get("web-1")
            .await
            .unwrap()
            .metadata
            .deletion_timestamp
            .is_some()
    );
    let _ = pods.delete("web-1", &force).await.unwrap();
    assert_ne!(
        pods.get_opt("web-1")
            .await
            .unwrap()
            .and_then(|pod| pod.uid()),
        uid
    );
}
