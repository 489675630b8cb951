//! What may keep pods from their data is refused before the first write.

use apiserver_model::ApiServer;
use serde_json::{Value, json};

use crate::harness::{Cryptoctl, Output};

/// Two replicas that share a claim of this class and mode.
fn sharing(class: &str, mode: &str) -> String {
    format!(
        "apiVersion: v1
kind: PersistentVolumeClaim
metadata: {{name: data, namespace: default}}
spec: {{storageClassName: {class}, accessModes: [{mode}], resources: {{requests: {{storage: 1Gi}}}}}}
---
apiVersion: apps/v1
kind: StatefulSet
metadata: {{name: web, namespace: default}}
spec:
  replicas: 2
  serviceName: web
  selector: {{matchLabels: {{app: web}}}}
  template:
    metadata: {{labels: {{app: web}}}}
    spec:
      containers: [{{name: web, image: web, resources: {{limits: {{cpu: '1'}}}}}}]
      volumes: [{{name: data, persistentVolumeClaim: {{claimName: data}}}}]
"
    )
}

/// A cluster of two nodes, with a class whose volumes can be on any of them and one that makes none.
async fn cluster() -> ApiServer {
    let server = ApiServer::listen().await;
    server.add_node("node-2");
    for (name, provisioner) in [
        ("disk", "disk.example.test"),
        ("hand", "kubernetes.io/no-provisioner"),
    ] {
        let class = json!({"metadata": {"name": name}, "provisioner": provisioner});
        server.create("somebody", "storage.k8s.io", "storageclasses", class);
    }
    server
}

async fn run(server: &ApiServer, set: &str, arguments: &[&str]) -> Output {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("set.yaml");
    std::fs::write(&file, set).unwrap();
    Cryptoctl::new(server)
        .args(arguments)
        .args(["-f", file.to_str().unwrap()])
        .run()
        .await
}

/// The only problem before the first write, which has to say this, and which only this risk accepts.
async fn is_refused(server: &ApiServer, set: &str, risk: &str, words: &str) {
    server.forget_requests();
    let refused = run(server, set, &["up", "--no-wait"]).await.expect_code(1);
    assert_eq!(server.writes().len(), 0);
    assert!(refused.stderr.contains(words), "{}", refused.stderr);
    let hint = "cryptoctl up --filename=";
    let allow = format!("--allow {risk}`");
    let mut lines = refused.stderr.lines();
    let is_hint = |line: &str| line.contains(hint) && line.contains(&allow);
    assert!(lines.any(is_hint), "{}", refused.stderr);
    let shown = run(server, set, &["diff"]).await.expect_code(3);
    let warning = format!("`up` would refuse this without `--allow {risk}`: ");
    assert!(shown.stderr.contains(&warning), "{}", shown.stderr);
    run(
        server,
        set,
        &["up", "--no-wait", "--dry-run", "--allow", risk],
    )
    .await
    .expect_code(0);
}

#[tokio::test]
async fn replicas_on_several_nodes_do_not_share_what_one_node_mounts() {
    let server = cluster().await;
    let words = "`statefulset/web`: its 2 replicas share `persistentvolumeclaim/data`";
    is_refused(
        &server,
        &sharing("disk", "ReadWriteOnce"),
        "shared-claim",
        words,
    )
    .await;
    let one_pod = sharing("disk", "ReadWriteOncePod");
    is_refused(&server, &one_pod, "single-pod-claim", words).await;
    let many = sharing("disk", "ReadWriteMany");
    run(&server, &many, &["up", "--no-wait"])
        .await
        .expect_code(0);
}

#[tokio::test]
async fn a_claim_that_gets_no_volume_is_refused() {
    let server = cluster().await;
    let words = "`persistentvolumeclaim/data`: it needs a volume, and its storage class makes none";
    is_refused(
        &server,
        &sharing("hand", "ReadWriteMany"),
        "no-volume",
        words,
    )
    .await;
}

#[tokio::test]
async fn pods_that_a_quota_or_a_limit_range_refuses_are_not_asked_for() {
    let server = cluster().await;
    let set = sharing("disk", "ReadWriteMany");
    let metadata = |name: &str| json!({"name": name, "namespace": "default"});
    let create = |resource: &str, object: Value| server.create("somebody", "", resource, object);
    let hard = json!({"limits.cpu": "1500m"});
    create(
        "resourcequotas",
        json!({"metadata": metadata("small"), "spec": {"hard": hard}, "status": {"used": {}}}),
    );
    let words = "the quota `small` allows 1500m more of `limits.cpu`, but 2 pods need 2";
    is_refused(&server, &set, "quota", words).await;
    let rule = json!({"type": "Container", "max": {"cpu": "500m"}});
    create(
        "limitranges",
        json!({"metadata": metadata("narrow"), "spec": {"limits": [rule]}}),
    );
    let words = "a limit range refuses its container `web`: its cpu limit of 1 is above the maximum of 500m";
    is_refused(&server, &set, "quota", words).await;
}
