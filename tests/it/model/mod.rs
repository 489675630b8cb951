//! The model behaves as a cluster does, seen through the client that the tool uses.

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

use k8s_openapi::api::apps::v1::StatefulSet;
use kube::Api;
use kube::api::{Patch, PatchParams};
use serde_json::{Value, json};

use crate::apiserver::ApiServer;

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

/// Applies it as `cryptoctl`.
async fn apply(server: &ApiServer, set: &Value) -> kube::Result<StatefulSet> {
    let sets: Api<StatefulSet> = Api::namespaced(server.client(), "default");
    sets.patch("web", &PatchParams::apply("cryptoctl"), &Patch::Apply(set))
        .await
}

/// The status of a refused request.
fn refusal<T>(result: kube::Result<T>) -> kube::core::Status {
    match result {
        Err(kube::Error::Api(status)) => *status,
        Err(error) => panic!("not an API error: {error}"),
        Ok(_) => panic!("not refused"),
    }
}
