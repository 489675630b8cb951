//! The model behaves as a cluster does, seen through kube's client.
#![expect(
    clippy::panic,
    clippy::unwrap_used,
    reason = "in helpers of tests, too, a broken assumption is to fail the test at once"
)]

mod applying;
mod endpoints;
mod executing;
mod faults;
mod forwarding;
mod lifecycle;
mod meddling;
mod nodes;
mod proxying;
mod reading;
mod scaling;
mod scripting;

use apiserver_model::ApiServer;
use k8s_openapi::api::apps::v1::StatefulSet;
use kube::Api;
use kube::api::{Patch, PatchParams};
use kube::config::{KubeConfigOptions, Kubeconfig};
use serde_json::{Value, json};

/// A `StatefulSet` as a person writes it.
fn stateful_set(replicas: i64) -> Value {
    json!({
        "apiVersion": "apps/v1", "kind": "StatefulSet",
        "metadata": { "name": "web", "namespace": "default" },
        "spec": {
            "serviceName": "web", "replicas": replicas,
            "selector": { "matchLabels": { "app": "web" } },
            "template": {
                "metadata": { "labels": { "app": "web" } },
                "spec": { "containers": [{
                    "name": "web", "image": "example.org/web:1", "ports": [{ "containerPort": 80 }],
                }] },
            },
        },
    })
}

/// Applies it as `tester`.
async fn apply(server: &ApiServer, set: &Value) -> kube::Result<StatefulSet> {
    let sets: Api<StatefulSet> = Api::namespaced(server.client(), "default");
    sets.patch("web", &PatchParams::apply("tester"), &Patch::Apply(set))
        .await
}

/// A client of a server that listens, as its kubeconfig says.
async fn client_over_tcp(server: &ApiServer) -> kube::Client {
    let folder = tempfile::tempdir().unwrap();
    let file = server.kubeconfig_file(folder.path());
    let kubeconfig = Kubeconfig::read_from(file).unwrap();
    let options = KubeConfigOptions::default();
    let config = kube::Config::from_custom_kubeconfig(kubeconfig, &options).await;
    kube::Client::try_from(config.unwrap()).unwrap()
}

/// The status of a refused request.
fn refusal<T>(result: kube::Result<T>) -> kube::core::Status {
    match result {
        Err(kube::Error::Api(status)) => *status,
        Err(error) => panic!("not an API error: {error}"),
        Ok(_) => panic!("not refused"),
    }
}
