//! A set as other tools have made it.

use apiserver_model::ApiServer;
use serde_json::{Value, json};

use crate::harness::{Cryptoctl, Output};

pub(super) const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";
pub(super) const CLIENT_SIDE: &str = "kubectl-client-side-apply";
pub(super) const WEB: (&str, &str, &str, &str) = ("apps", "statefulsets", "default", "web");
pub(super) const SETTINGS: (&str, &str, &str, &str) = ("", "configmaps", "default", "settings");
pub(super) const TOKEN: (&str, &str, &str, &str) = ("", "secrets", "default", "token");

/// What is declared now: of what was there before, `extra`, `OLD` and `old` are missing.
pub(super) const SET: &str = "apiVersion: v1
kind: ConfigMap
metadata: {name: settings, namespace: default}
data: {mode: fast}
---
apiVersion: v1
kind: Secret
metadata: {name: token, namespace: default}
stringData: {password: hunter2-hunter2}
---
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: web, namespace: default}
spec:
  replicas: 2
  serviceName: web
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: api, image: web, env: [{name: A, value: one}]}]}
";

pub(super) fn objects() -> [(&'static str, &'static str, Value); 3] {
    let metadata = |name: &str| json!({"name": name, "namespace": "default"});
    let settings = json!({
        "apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata("settings"),
        "data": {"mode": "slow", "extra": "gone"},
    });
    let token = json!({
        "apiVersion": "v1", "kind": "Secret", "metadata": metadata("token"), "type": "Opaque",
        "data": {"password": "aHVudGVyMi1odW50ZXIy", "old": "YW4tb2xkLXNlY3JldA=="},
    });
    let web = json!({
        "apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": metadata("web"),
        "spec": {
            "replicas": 2, "serviceName": "web", "selector": {"matchLabels": {"app": "web"}},
            "template": {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [
                {"name": "api", "image": "web", "env": [
                    {"name": "A", "value": "one"}, {"name": "OLD", "value": "1"}]}]}}},
    });
    [
        ("", "configmaps", settings),
        ("", "secrets", token),
        ("apps", "statefulsets", web),
    ]
}

/// The set as another tool has made it.
pub(super) async fn made_by(manager: &str, has_copy: bool) -> ApiServer {
    let server = ApiServer::listen().await;
    for (group, resource, mut object) in objects() {
        if has_copy {
            let copy = object.to_string();
            object["metadata"]["annotations"] = json!({LAST_APPLIED: copy});
        }
        server.create(manager, group, resource, object);
    }
    server.until_ready("default", "web", 2).await;
    server.forget_requests();
    server
}

pub(super) async fn run_in(
    server: &ApiServer,
    folder: &tempfile::TempDir,
    arguments: &[&str],
) -> Output {
    let call = Cryptoctl::new(server).args(arguments);
    call.args(["-f", "set.yaml"])
        .current_dir(folder.path())
        .run()
        .await
}

pub(super) fn folder(set: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("set.yaml"), set).unwrap();
    folder
}

pub(super) async fn run(server: &ApiServer, arguments: &[&str]) -> Output {
    run_in(server, &folder(SET), arguments).await
}

pub(super) fn live(
    server: &ApiServer,
    (group, resource, namespace, name): (&str, &str, &str, &str),
) -> Value {
    server.object(group, resource, namespace, name).unwrap()
}

pub(super) fn managers(object: &Value) -> Vec<&str> {
    let entries = object["metadata"]["managedFields"].as_array().unwrap();
    let entries = entries
        .iter()
        .filter(|entry| entry["subresource"].is_null());
    entries
        .map(|entry| entry["manager"].as_str().unwrap())
        .collect()
}
