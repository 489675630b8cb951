//! Server-side apply: ownership, conflicts, defaults, rules.

use apiserver_model::ApiServer;
use k8s_openapi::api::apps::v1::StatefulSet;
use k8s_openapi::api::core::v1::{ConfigMap, Secret};
use kube::Api;
use kube::api::{Patch, PatchParams, PostParams};
use serde_json::{Value, json};

use super::{apply, refusal, stateful_set};

#[tokio::test(start_paused = true)]
async fn applying_the_same_again_writes_nothing() {
    let server = ApiServer::seeded(1);
    let first = apply(&server, &stateful_set(2)).await.unwrap();
    server.until_ready("default", "web", 2).await;
    let before = server.revision();
    let second = apply(&server, &stateful_set(2)).await.unwrap();
    assert_eq!(server.revision(), before);
    assert_eq!(first.metadata.uid, second.metadata.uid);
    assert_eq!(
        second.spec.pod_management_policy.as_deref(),
        Some("OrderedReady")
    );
}

#[tokio::test(start_paused = true)]
async fn another_owner_is_a_conflict_in_kubernetes_words() {
    let server = ApiServer::seeded(1);
    apply(&server, &stateful_set(2)).await.unwrap();
    server.change(
        "kubectl-edit",
        ("apps", "statefulsets", "default", "web"),
        |set| set["spec"]["replicas"] = json!(3),
    );
    let status = refusal(apply(&server, &stateful_set(2)).await);
    assert_eq!(
        status.message,
        "Apply failed with 1 conflict: conflict with \"kubectl-edit\" using apps/v1: .spec.replicas"
    );
    assert_eq!(status.code, 409);
    let causes = status.details.unwrap().causes;
    assert_eq!(
        (causes[0].reason.as_str(), causes[0].field.as_str()),
        ("FieldManagerConflict", ".spec.replicas")
    );

    let sets: Api<StatefulSet> = Api::namespaced(server.client(), "default");
    let forced = PatchParams::apply("tester").force();
    let applied = sets
        .patch("web", &forced, &Patch::Apply(stateful_set(2)))
        .await
        .unwrap();
    assert_eq!(applied.spec.replicas, Some(2));
    let managers = applied.metadata.managed_fields.unwrap();
    assert!(
        managers
            .iter()
            .all(|entry| entry.manager.as_deref() != Some("kubectl-edit")),
        "{managers:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn what_is_no_longer_applied_goes_unless_owned_by_others() {
    let server = ApiServer::seeded(1);
    let maps: Api<ConfigMap> = Api::namespaced(server.client(), "default");
    let map = |data: Value| json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": "m" }, "data": data });
    let write = async |manager: &str, data: Value| {
        maps.patch("m", &PatchParams::apply(manager), &Patch::Apply(map(data)))
            .await
            .unwrap()
            .data
            .unwrap_or_default()
    };
    write("one", json!({ "a": "1", "b": "1", "c": "1" })).await;
    write("two", json!({ "b": "1" })).await;
    let left = write("one", json!({ "a": "1" })).await;
    assert_eq!(left.keys().collect::<Vec<_>>(), ["a", "b"]);
}

#[tokio::test(start_paused = true)]
async fn list_items_merge_by_their_keys() {
    let server = ApiServer::seeded(1);
    apply(&server, &stateful_set(1)).await.unwrap();
    let sets: Api<StatefulSet> = Api::namespaced(server.client(), "default");
    let sidecar = json!({
        "apiVersion": "apps/v1", "kind": "StatefulSet",
        "spec": { "template": { "spec": { "containers": [{ "name": "sidecar", "image": "example.org/sidecar:1" }] } } },
    });
    sets.patch("web", &PatchParams::apply("mesh"), &Patch::Apply(sidecar))
        .await
        .unwrap();
    let set = apply(&server, &stateful_set(1)).await.unwrap();
    let containers = set.spec.template.spec.unwrap().containers;
    assert_eq!(
        containers
            .iter()
            .map(|container| container.name.as_str())
            .collect::<Vec<_>>(),
        ["web", "sidecar"]
    );
}

#[tokio::test(start_paused = true)]
async fn dry_runs_store_nothing_and_show_everything() {
    let server = ApiServer::seeded(1);
    let sets: Api<StatefulSet> = Api::namespaced(server.client(), "default");
    let dry = PatchParams::apply("tester").dry_run();
    let shown = sets
        .patch("web", &dry, &Patch::Apply(stateful_set(2)))
        .await
        .unwrap();
    assert_eq!(shown.spec.revision_history_limit, Some(10));
    assert_eq!(shown.metadata.resource_version, None);
    assert!(sets.get_opt("web").await.unwrap().is_none());
}

#[tokio::test(start_paused = true)]
async fn immutable_fields_are_refused_in_kubernetes_words() {
    let server = ApiServer::seeded(1);
    apply(&server, &stateful_set(1)).await.unwrap();
    let mut set = stateful_set(1);
    set["spec"]["serviceName"] = json!("other");
    let status = refusal(apply(&server, &set).await);
    assert_eq!(
        (status.code, status.message.as_str()),
        (
            422,
            "StatefulSet.apps \"web\" is invalid: spec.serviceName: Invalid value: \"other\": field is immutable"
        )
    );
}

#[tokio::test(start_paused = true)]
async fn unknown_fields_are_named() {
    let server = ApiServer::seeded(1);
    let mut set = stateful_set(1);
    set["spec"]["template"]["spec"]["imagee"] = json!("x");
    let status = refusal(apply(&server, &set).await);
    assert_eq!(
        status.message,
        "failed to create typed patch object (default/web; apps/v1, Kind=StatefulSet): .spec.template.spec.imagee: field \
         not declared in schema"
    );
}

#[tokio::test(start_paused = true)]
async fn a_namespace_must_exist() {
    let server = ApiServer::seeded(1);
    let maps: Api<ConfigMap> = Api::namespaced(server.client(), "nowhere");
    let map = serde_json::from_value(json!({ "metadata": { "name": "m" } })).unwrap();
    let status = refusal(maps.create(&PostParams::default(), &map).await);
    assert_eq!(
        (status.code, status.message.as_str()),
        (404, "namespaces \"nowhere\" not found")
    );
}

#[tokio::test(start_paused = true)]
async fn string_data_becomes_data() {
    let server = ApiServer::seeded(1);
    let secrets: Api<Secret> = Api::namespaced(server.client(), "default");
    let secret = serde_json::from_value(
        json!({ "metadata": { "name": "s" }, "stringData": { "k": "value" } }),
    )
    .unwrap();
    let secret = secrets
        .create(&PostParams::default(), &secret)
        .await
        .unwrap();
    assert_eq!(secret.data.unwrap()["k"].0, b"value");
    assert_eq!(secret.type_.as_deref(), Some("Opaque"));
}
