//! Nodes, and which one a pod gets.

use apiserver_model::ApiServer;
use k8s_openapi::api::core::v1::Node;
use kube::api::{Patch, PatchParams};
use kube::{Api, ResourceExt};
use serde_json::{Value, json};

use super::{apply, refusal, stateful_set};

fn nodes(server: &ApiServer) -> Api<Node> {
    Api::all(server.client())
}

async fn cordon(
    server: &ApiServer,
    name: &str,
    version: &str,
    cordoned: Value,
) -> kube::Result<Node> {
    let patch = json!({
        "metadata": { "resourceVersion": version, "annotations": { "example.org/why": "test" } },
        "spec": { "unschedulable": cordoned },
    });
    let patch = Patch::Merge(patch);
    nodes(server)
        .patch(name, &PatchParams::default(), &patch)
        .await
}

async fn version(server: &ApiServer, name: &str) -> String {
    nodes(server)
        .get(name)
        .await
        .unwrap()
        .resource_version()
        .unwrap()
}

fn pod(server: &ApiServer, name: &str) -> Value {
    server
        .object("", "pods", "default", name)
        .unwrap_or_default()
}

fn scheduled(pod: &Value) -> Option<&Value> {
    let conditions = pod["status"]["conditions"].as_array()?;
    conditions
        .iter()
        .find(|condition| condition["type"] == "PodScheduled")
}

#[tokio::test(start_paused = true)]
async fn a_cordon_holds_new_pods_back_until_it_is_lifted() {
    let server = ApiServer::seeded(1);
    let before = version(&server, "node-1").await;
    let node = cordon(&server, "node-1", &before, json!(true))
        .await
        .unwrap();
    assert_eq!(node.annotations()["example.org/why"], "test");
    apply(&server, &stateful_set(1)).await.unwrap();
    server
        .until(|server| scheduled(&pod(server, "web-0")).is_some())
        .await;
    let waiting = pod(&server, "web-0");
    let condition = scheduled(&waiting).unwrap();
    assert_eq!(
        (&condition["status"], &condition["reason"]),
        (&json!("False"), &json!("Unschedulable"))
    );
    assert_eq!(
        condition["message"],
        "0/1 nodes are available: 1 node(s) were unschedulable. preemption: 0/1 nodes are available: 1 Preemption is not \
         helpful for scheduling."
    );
    assert_eq!(waiting["status"]["phase"], "Pending");
    assert_eq!(waiting["spec"].get("nodeName"), None);

    // Somebody else has written the taint meanwhile, so the version of the cordon's own answer is stale.
    let stale = node.resource_version().unwrap();
    let status = refusal(cordon(&server, "node-1", &stale, Value::Null).await);
    assert_eq!((status.code, status.reason.as_str()), (409, "Conflict"));
    let tainted = nodes(&server).get("node-1").await.unwrap();
    assert_eq!(
        tainted.spec.unwrap().taints.unwrap()[0].key,
        "node.kubernetes.io/unschedulable"
    );
    let now = version(&server, "node-1").await;
    cordon(&server, "node-1", &now, Value::Null).await.unwrap();
    server.until_ready("default", "web", 1).await;
    let spec = nodes(&server)
        .get("node-1")
        .await
        .unwrap()
        .spec
        .unwrap_or_default();
    assert_eq!((spec.unschedulable, spec.taints), (None, None));
}

#[tokio::test(start_paused = true)]
async fn pods_go_to_the_nodes_that_take_them() {
    let server = ApiServer::seeded(1);
    server.add_node("node-2");
    apply(&server, &stateful_set(2)).await.unwrap();
    server.until_ready("default", "web", 2).await;
    let place = |name: &str| {
        let pod = pod(&server, name);
        [
            pod["spec"]["nodeName"].clone(),
            pod["status"]["hostIP"].clone(),
        ]
    };
    assert_eq!(place("web-0"), ["node-1", "10.0.0.1"]);
    assert_eq!(place("web-1"), ["node-2", "10.0.0.2"]);
    // What runs on a cordoned node stays there; its successor goes elsewhere.
    let before = version(&server, "node-1").await;
    cordon(&server, "node-1", &before, json!(true))
        .await
        .unwrap();
    assert_eq!(place("web-0")[0], "node-1");
    server.happen(&apiserver_model::Disturbance::Delete {
        namespace: "default".to_owned(),
        pod: "web-0".to_owned(),
        at_once: true,
    });
    server
        .until(|server| pod(server, "web-0")["spec"]["nodeName"] == "node-2")
        .await;
}
