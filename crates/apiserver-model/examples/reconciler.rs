//! A piece of a controller, tried where an answer is lost: `cargo run --package apiserver-model --example reconciler`.

use std::error::Error;
use std::time::Duration;

use apiserver_model::{ApiServer, Fault, PodScript, Pods, Rule};
use k8s_openapi::api::apps::v1::StatefulSet;
use kube::Api;
use kube::api::{Patch, PatchParams};
use serde_json::json;

/// The code under test: it keeps the set at this size, and asks again when it heard nothing.
async fn scale(client: kube::Client, replicas: i32) -> kube::Result<()> {
    let sets: Api<StatefulSet> = Api::namespaced(client, "default");
    let wanted = json!({
        "apiVersion": "apps/v1", "kind": "StatefulSet",
        "metadata": { "name": "web" }, "spec": { "replicas": replicas },
    });
    let parameters = PatchParams::apply("scaler").force();
    for _ in 0..3 {
        match sets.patch("web", &parameters, &Patch::Apply(&wanted)).await {
            Err(kube::Error::Api(status)) => return Err(kube::Error::Api(status)),
            Err(_) => {}
            Ok(_) => return Ok(()),
        }
    }
    sets.get("web").await.map(drop)
}

#[tokio::main(flavor = "current_thread", start_paused = true)]
#[expect(clippy::print_stdout, reason = "an example shows what it does")]
async fn main() -> Result<(), Box<dyn Error>> {
    let server = ApiServer::seeded(1);
    server.script(
        Pods::of("web"),
        PodScript::default().ready_after(Duration::from_secs(20)),
    );
    let set = json!({
        "metadata": { "name": "web", "namespace": "default" },
        "spec": {
            "serviceName": "web", "replicas": 1,
            "selector": { "matchLabels": { "app": "web" } },
            "template": {
                "metadata": { "labels": { "app": "web" } },
                "spec": { "containers": [{ "name": "web", "image": "example.org/web:1" }] },
            },
        },
    });
    server.create("somebody", "apps", "statefulsets", set);
    server.until_ready("default", "web", 1).await;

    // The first patch is executed, but its answer never comes.
    server.fault(Rule::new(Fault::CutAfter).path("/statefulsets/").times(1));
    server.forget_requests();
    let before = tokio::time::Instant::now();
    scale(server.client(), 3).await?;
    server.until_ready("default", "web", 3).await;

    for request in server.requests() {
        let fault = request.fault.as_deref().unwrap_or("answered");
        println!("{}: {fault}", request.line());
    }
    println!("two more pods after {:?}", before.elapsed());
    Ok(())
}
