//! What stands behind services.

use std::time::Duration;

use apiserver_model::{ApiServer, PodScript, Pods};
use futures::{TryStreamExt, pin_mut};
use k8s_openapi::api::discovery::v1::EndpointSlice;
use kube::Api;
use kube::api::{DeleteParams, ListParams, WatchEvent, WatchParams};
use serde_json::{Value, json};

use super::{apply, stateful_set};

fn slices(server: &ApiServer) -> Api<EndpointSlice> {
    Api::namespaced(server.client(), "default")
}

fn of_web() -> ListParams {
    ListParams::default().labels("kubernetes.io/service-name=web")
}

/// Each endpoint's pod, and whether it is ready, serving and terminating.
fn told(slice: &EndpointSlice) -> Vec<(String, [bool; 3])> {
    let endpoints = slice.endpoints.iter().flatten().map(|endpoint| {
        let target = endpoint.target_ref.as_ref().unwrap();
        let conditions = endpoint.conditions.clone().unwrap();
        let all = [conditions.ready, conditions.serving, conditions.terminating];
        (target.name.clone().unwrap(), all.map(Option::unwrap))
    });
    endpoints.collect()
}

fn pod(name: &str, conditions: [bool; 3]) -> (String, [bool; 3]) {
    (name.to_owned(), conditions)
}

const READY: [bool; 3] = [true, true, false];

async fn cluster(service: Value) -> ApiServer {
    let server = ApiServer::seeded(1);
    let script = PodScript::default()
        .ready_after(Duration::from_secs(3))
        .stop_after(Duration::from_secs(4));
    server.script(Pods::of("web"), script);
    server.create("test", "", "services", service);
    apply(&server, &stateful_set(2)).await.unwrap();
    server
}

fn service() -> Value {
    json!({
        "metadata": { "name": "web", "namespace": "default", "labels": { "team": "a" } },
        "spec": { "clusterIP": "None", "selector": { "app": "web" }, "ports": [{ "port": 80 }] },
    })
}

#[tokio::test(start_paused = true)]
async fn a_slice_names_the_pods_of_a_service() {
    let server = cluster(service()).await;
    server.until_ready("default", "web", 2).await;
    let found = slices(&server).list(&of_web()).await.unwrap();
    let [slice] = found.items.as_slice() else {
        panic!("{found:?}")
    };
    assert_eq!(told(slice), [pod("web-0", READY), pod("web-1", READY)]);
    let first = &slice.endpoints.as_ref().unwrap()[0];
    let live = server.object("", "pods", "default", "web-0").unwrap();
    let target = first.target_ref.as_ref().unwrap();
    assert_eq!(
        (target.kind.as_deref(), target.uid.as_deref()),
        (Some("Pod"), live["metadata"]["uid"].as_str())
    );
    assert_eq!(json!(first.addresses[0]), live["status"]["podIP"]);
    assert_eq!(
        (first.node_name.as_deref(), first.hostname.as_deref()),
        (Some("node-1"), Some("web-0"))
    );
    assert_eq!(slice.address_type, "IPv4");
    assert_eq!(slice.ports.as_ref().unwrap()[0].port, Some(80));
    let labels = slice.metadata.labels.as_ref().unwrap();
    assert_eq!(
        labels["endpointslice.kubernetes.io/managed-by"],
        "endpointslice-controller.k8s.io"
    );
    assert_eq!(
        (
            labels["team"].as_str(),
            labels["service.kubernetes.io/headless"].as_str()
        ),
        ("a", "")
    );
}

#[tokio::test(start_paused = true)]
async fn a_slice_follows_its_pods() {
    let server = cluster(service()).await;
    server.until_ready("default", "web", 2).await;
    server
        .history()
        .iter()
        .find(|change| change.key.resource == "endpointslices")
        .map(|first| assert_eq!(first.object["endpoints"], Value::Null))
        .unwrap();
    let list = slices(&server).list(&of_web()).await.unwrap();
    let version = list.metadata.resource_version.unwrap();
    let parameters = WatchParams::default()
        .labels("kubernetes.io/service-name=web")
        .disable_bookmarks();
    let events = slices(&server).watch(&parameters, &version).await.unwrap();
    pin_mut!(events);
    let pods: Api<k8s_openapi::api::core::v1::Pod> = Api::namespaced(server.client(), "default");
    let _ = pods
        .delete("web-0", &DeleteParams::default())
        .await
        .unwrap();
    let mut seen = Vec::new();
    while seen.len() < 4 {
        let Some(WatchEvent::Modified(slice)) = events.try_next().await.unwrap() else {
            panic!("no change")
        };
        seen.push(told(&slice));
    }
    let other = pod("web-1", READY);
    assert_eq!(
        seen,
        [
            // It goes on serving as long as it stops.
            vec![pod("web-0", [false, true, true]), other.clone()],
            vec![other.clone()],
            // Its successor has an address before it is Ready.
            vec![pod("web-0", [false, false, false]), other.clone()],
            vec![pod("web-0", READY), other],
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn a_service_can_name_pods_that_are_not_ready() {
    let mut service = service();
    service["spec"]["publishNotReadyAddresses"] = json!(true);
    let server = cluster(service).await;
    let told_of = |server: &ApiServer| {
        let slices = server.objects("discovery.k8s.io", "endpointslices");
        slices[0]["endpoints"][0]["conditions"].clone()
    };
    server.until(|server| told_of(server).is_object()).await;
    assert_eq!(
        told_of(&server),
        json!({ "ready": true, "serving": false, "terminating": false })
    );
}

#[tokio::test(start_paused = true)]
async fn a_slice_goes_with_its_service() {
    let server = cluster(service()).await;
    server.until_ready("default", "web", 2).await;
    let services: Api<k8s_openapi::api::core::v1::Service> =
        Api::namespaced(server.client(), "default");
    let _ = services
        .delete("web", &DeleteParams::default())
        .await
        .unwrap();
    server
        .until(|server| {
            server
                .objects("discovery.k8s.io", "endpointslices")
                .is_empty()
        })
        .await;
    server.create(
        "test",
        "",
        "services",
        json!({ "metadata": { "name": "bare", "namespace": "default" }, "spec": { "ports": [{ "port": 80 }] } }),
    );
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert!(
        slices(&server)
            .list(&ListParams::default())
            .await
            .unwrap()
            .items
            .is_empty()
    );
}
