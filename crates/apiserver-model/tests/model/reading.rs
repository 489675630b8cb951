//! Discovery, lists, watches, access.

use apiserver_model::ApiServer;
use futures::{StreamExt, TryStreamExt, pin_mut};
use k8s_openapi::api::core::v1::{ConfigMap, Pod};
use kube::api::{
    ApiResource, DeleteParams, DynamicObject, ListParams, PostParams, WatchEvent, WatchParams,
};
use kube::{Api, ResourceExt};
use serde_json::json;

use super::refusal;

fn maps(server: &ApiServer) -> Api<ConfigMap> {
    Api::namespaced(server.client(), "default")
}

async fn add(server: &ApiServer, name: &str) -> ConfigMap {
    let map =
        serde_json::from_value(json!({ "metadata": { "name": name, "labels": { "n": name } } }))
            .unwrap();
    maps(server)
        .create(&PostParams::default(), &map)
        .await
        .unwrap()
}

#[tokio::test(start_paused = true)]
async fn lists_come_in_pages_and_by_selectors() {
    let server = ApiServer::seeded(1);
    for name in ["a", "b", "c"] {
        add(&server, name).await;
    }
    // The fourth one is the certificate that every namespace has.
    let first = maps(&server)
        .list(&ListParams::default().limit(2))
        .await
        .unwrap();
    assert_eq!(
        (first.items.len(), first.metadata.remaining_item_count),
        (2, Some(2))
    );
    let token = first.metadata.continue_.unwrap();
    let second = maps(&server)
        .list(&ListParams::default().continue_token(&token))
        .await
        .unwrap();
    assert_eq!(second.items[0].name_any(), "c");
    let chosen = maps(&server)
        .list(&ListParams::default().labels("n in (a,b),n!=a"))
        .await
        .unwrap();
    assert_eq!(chosen.items[0].name_any(), "b");
    let chosen = maps(&server)
        .list(&ListParams::default().fields("metadata.name=c"))
        .await
        .unwrap();
    assert_eq!(chosen.items.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_watch_goes_on_where_a_list_ended() {
    let server = ApiServer::seeded(1);
    let version = maps(&server)
        .list(&ListParams::default())
        .await
        .unwrap()
        .metadata
        .resource_version
        .unwrap();
    let events = maps(&server)
        .watch(&WatchParams::default(), &version)
        .await
        .unwrap();
    pin_mut!(events);
    add(&server, "a").await;
    assert!(
        matches!(events.try_next().await.unwrap(), Some(WatchEvent::Added(map)) if map.name_any() == "a")
    );
    maps(&server)
        .delete("a", &DeleteParams::default())
        .await
        .unwrap();
    assert!(
        matches!(events.try_next().await.unwrap(), Some(WatchEvent::Deleted(map)) if map.name_any() == "a")
    );
    // Nothing happens: after a minute a bookmark comes, at the end of the time the stream ends.
    assert!(matches!(
        events.try_next().await.unwrap(),
        Some(WatchEvent::Bookmark(_))
    ));
    let rest: Vec<_> = events.collect().await;
    assert!(
        rest.iter()
            .all(|event| matches!(event, Ok(WatchEvent::Bookmark(_)))),
        "{rest:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_compacted_version_is_gone() {
    let server = ApiServer::seeded(1);
    let version = add(&server, "a").await.resource_version().unwrap();
    server.compact();
    let events = maps(&server)
        .watch(&WatchParams::default(), &version)
        .await
        .unwrap();
    pin_mut!(events);
    let Some(WatchEvent::Error(status)) = events.try_next().await.unwrap() else {
        panic!("no error")
    };
    assert_eq!((status.code, status.reason.as_str()), (410, "Expired"));
    assert!(events.try_next().await.unwrap().is_none());
}

#[tokio::test(start_paused = true)]
async fn discovery_names_kinds_and_a_definition_adds_one() {
    let server = ApiServer::seeded(1);
    let client = server.client();
    assert_eq!(
        client.apiserver_version().await.unwrap().git_version,
        "v1.37.2"
    );
    let apps = client.list_api_group_resources("apps/v1").await.unwrap();
    let sets = apps
        .resources
        .iter()
        .find(|resource| resource.name == "statefulsets")
        .unwrap();
    assert_eq!((sets.kind.as_str(), sets.namespaced), ("StatefulSet", true));

    let definition = json!({
        "metadata": { "name": "keys.example.org" },
        "spec": {
            "group": "example.org", "scope": "Namespaced",
            "names": { "kind": "Key", "plural": "keys", "singular": "key" },
            "versions": [{ "name": "v1", "served": true, "storage": true }],
        },
    });
    let gvk =
        kube::core::GroupVersionKind::gvk("apiextensions.k8s.io", "v1", "CustomResourceDefinition");
    let definitions: Api<DynamicObject> =
        Api::all_with(client.clone(), &ApiResource::from_gvk(&gvk));
    let definition = serde_json::from_value(definition).unwrap();
    definitions
        .create(&PostParams::default(), &definition)
        .await
        .unwrap();
    let gvk = kube::core::GroupVersionKind::gvk("example.org", "v1", "Key");
    let keys: Api<DynamicObject> =
        Api::namespaced_with(client, "default", &ApiResource::from_gvk(&gvk));
    let key = serde_json::from_value(json!({ "metadata": { "name": "k" }, "spec": { "any": 1 } }))
        .unwrap();
    let key: DynamicObject = keys.create(&PostParams::default(), &key).await.unwrap();
    assert_eq!(key.data["spec"]["any"], 1);
}

#[tokio::test(start_paused = true)]
async fn tokens_and_denials_are_respected() {
    let server = ApiServer::seeded(1);
    let status = refusal(server.client_with_token("wrong").apiserver_version().await);
    assert_eq!((status.code, status.reason.as_str()), (401, "Unauthorized"));
    server.deny("list", "pods");
    let pods: Api<Pod> = Api::namespaced(server.client(), "default");
    let status = refusal(pods.list(&ListParams::default()).await);
    assert_eq!(
        status.message,
        "pods is forbidden: User \"kubernetes-admin\" cannot list resource \"pods\" in API group \"\" in the namespace \
         \"default\""
    );
}

#[tokio::test(start_paused = true)]
async fn the_same_seed_gives_the_same_objects() {
    let run = async || {
        let server = ApiServer::seeded(7);
        super::apply(&server, &super::stateful_set(2))
            .await
            .unwrap();
        server.until_ready("default", "web", 2).await;
        server.objects("", "pods")
    };
    assert_eq!(run().await, run().await);
}
