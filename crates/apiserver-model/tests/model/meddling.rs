//! Faults of streams, caches and proxies, and what happens in a cluster besides.

use std::time::Duration;

use apiserver_model::{ApiServer, Disturbance, Fault, Rule};
use futures::{StreamExt, TryStreamExt, pin_mut};
use k8s_openapi::api::core::v1::{ConfigMap, Pod};
use kube::api::{ListParams, PostParams, WatchEvent, WatchParams};
use kube::{Api, ResourceExt};
use serde_json::json;
use tokio::time::Instant;

use super::{apply, stateful_set};

fn maps(server: &ApiServer) -> Api<ConfigMap> {
    Api::namespaced(server.client(), "default")
}

/// A cluster whose controllers have made what every namespace has.
async fn settled() -> ApiServer {
    let server = ApiServer::seeded(1);
    let certificate = ("", "configmaps", "default", "kube-root-ca.crt");
    let (group, resource, namespace, name) = certificate;
    server
        .until(|server| server.object(group, resource, namespace, name).is_some())
        .await;
    server
}

async fn add(server: &ApiServer, name: &str) {
    let map = serde_json::from_value(json!({ "metadata": { "name": name } })).unwrap();
    maps(server)
        .create(&PostParams::default(), &map)
        .await
        .unwrap();
}

/// What a watch from the beginning tells of two new objects, and how long it lasts.
async fn watched(fault: Fault) -> (Vec<String>, Duration) {
    let server = settled().await;
    let version = server.revision().to_string();
    add(&server, "a").await;
    add(&server, "b").await;
    server.fault(Rule::new(fault).query("watch=true"));
    let start = Instant::now();
    let parameters = WatchParams::default().timeout(10).disable_bookmarks();
    let events = maps(&server).watch(&parameters, &version).await.unwrap();
    let names = events
        .map(|event| match event {
            Ok(WatchEvent::Added(map)) => map.name_any(),
            other => format!("{other:?}"),
        })
        .collect()
        .await;
    (names, start.elapsed())
}

#[tokio::test(start_paused = true)]
async fn a_watch_repeats_swaps_or_ends() {
    let ten = Duration::from_secs(10);
    assert_eq!(
        watched(Fault::EventsTwice).await,
        (["a", "a", "b", "b"].map(String::from).to_vec(), ten)
    );
    assert_eq!(
        watched(Fault::EventsSwapped).await,
        (["b", "a"].map(String::from).to_vec(), ten)
    );
    let second = Duration::from_secs(1);
    let (_, lasted) = watched(Fault::EndWatch(second)).await;
    assert_eq!(lasted, second);
}

#[tokio::test(start_paused = true)]
async fn a_watch_tells_of_a_successor_before_the_deletion() {
    let server = ApiServer::seeded(1);
    apply(&server, &stateful_set(1)).await.unwrap();
    server.until_ready("default", "web", 1).await;
    let uid = || server.object("", "pods", "default", "web-0").unwrap()["metadata"]["uid"].clone();
    let (before, version) = (uid(), server.revision().to_string());
    server.happen(&Disturbance::Delete {
        namespace: "default".to_owned(),
        pod: "web-0".to_owned(),
        at_once: true,
    });
    server.fault(Rule::new(Fault::DeletedLate).query("watch=true"));
    let pods: Api<Pod> = Api::namespaced(server.client(), "default");
    let events = pods.watch(&WatchParams::default(), &version).await.unwrap();
    let told: Vec<_> = events
        .take(2)
        .map(|event| match event {
            Ok(WatchEvent::Added(pod)) => ("added", pod.uid()),
            Ok(WatchEvent::Deleted(pod)) => ("deleted", pod.uid()),
            other => panic!("{other:?}"),
        })
        .collect()
        .await;
    let text = |uid: serde_json::Value| uid.as_str().map(str::to_owned);
    assert_eq!(told, [("added", text(uid())), ("deleted", text(before))]);
}

#[tokio::test(start_paused = true)]
async fn a_watch_lags() {
    let server = settled().await;
    let version = server.revision().to_string();
    let lag = Duration::from_secs(3);
    server.fault(Rule::new(Fault::Lag(lag)).query("watch=true"));
    let events = maps(&server)
        .watch(&WatchParams::default(), &version)
        .await
        .unwrap();
    pin_mut!(events);
    let start = Instant::now();
    add(&server, "a").await;
    events.try_next().await.unwrap();
    assert_eq!(start.elapsed(), lag);
}

#[tokio::test(start_paused = true)]
async fn only_a_read_that_allows_it_is_answered_from_the_past() {
    let server = settled().await;
    add(&server, "a").await;
    server.fault(Rule::new(Fault::Stale(1)));
    let count =
        async |parameters: &ListParams| maps(&server).list(parameters).await.unwrap().items.len();
    assert_eq!(count(&ListParams::default()).await, 2);
    assert_eq!(count(&ListParams::default().match_any()).await, 1);
}

#[tokio::test(start_paused = true)]
async fn a_read_is_executed_twice_and_a_write_is_not() {
    let server = ApiServer::seeded(1);
    server.fault(Rule::new(Fault::Twice));
    add(&server, "a").await;
    assert_eq!(maps(&server).get("a").await.unwrap().name_any(), "a");
}

#[tokio::test(start_paused = true)]
async fn a_pod_is_replaced_right_before_a_request_is_executed() {
    let server = ApiServer::seeded(1);
    apply(&server, &stateful_set(1)).await.unwrap();
    server.until_ready("default", "web", 1).await;
    let uid = || server.object("", "pods", "default", "web-0").unwrap()["metadata"]["uid"].clone();
    let before = uid();
    let disturbance = Disturbance::Delete {
        namespace: "default".to_owned(),
        pod: "web-0".to_owned(),
        at_once: true,
    };
    server.fault(Rule::new(Fault::Meanwhile(disturbance)).times(1));
    let _ = maps(&server).list(&ListParams::default()).await.unwrap();
    assert_ne!(uid(), before);
    assert_eq!(server.disturbances().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_stranger_keeps_its_name() {
    let server = ApiServer::seeded(1);
    apply(&server, &stateful_set(1)).await.unwrap();
    server.until_ready("default", "web", 1).await;
    server.happen(&Disturbance::Usurp(
        "default".to_owned(),
        "web-0".to_owned(),
    ));
    server.until_ready("default", "web", 0).await;
    let pod = server.object("", "pods", "default", "web-0").unwrap();
    assert_eq!(pod["metadata"]["ownerReferences"][0]["name"], "stranger");
}

#[tokio::test(start_paused = true)]
async fn somebody_cordons_a_node_and_lifts_that() {
    let server = ApiServer::seeded(1);
    let cordon = |is_cordoned| Disturbance::Cordon {
        node: "node-1".to_owned(),
        is_cordoned,
    };
    let spec = || server.object("", "nodes", "", "node-1").unwrap()["spec"].clone();
    server.happen(&cordon(true));
    assert_eq!(spec()["unschedulable"], true);
    assert_eq!(
        spec()["taints"][0]["key"],
        "node.kubernetes.io/unschedulable"
    );
    server.happen(&cordon(false));
    assert_eq!(spec(), json!({}));
}

#[tokio::test(start_paused = true)]
async fn slow_controllers_see_a_set_late() {
    let server = ApiServer::seeded(1);
    let lag = Duration::from_secs(2);
    server.slow_controllers(lag);
    let start = Instant::now();
    apply(&server, &stateful_set(1)).await.unwrap();
    server
        .until(|server| !server.objects("", "pods").is_empty())
        .await;
    assert_eq!(start.elapsed(), lag);
}
