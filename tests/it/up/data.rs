//! Claims and namespaces: no data is deleted without `--delete-data`.

use apiserver_model::ApiServer;
use serde_json::json;

use super::up;
use crate::harness::Cryptoctl;

#[tokio::test]
async fn a_claim_goes_only_when_told() {
    let server = ApiServer::listen().await;
    up(&server).await;
    let claim = |server: &ApiServer| {
        server
            .object("", "persistentvolumeclaims", "logaiter", "cryptodata")
            .is_some()
    };
    let output = Cryptoctl::new(&server)
        .args(["down", "--yes"])
        .run()
        .await
        .expect_code(0);
    assert!(claim(&server));
    assert!(output.stderr.contains("cryptodata"), "{}", output.stderr);
    Cryptoctl::new(&server)
        .args(["down", "--yes", "--delete-data"])
        .run()
        .await
        .expect_code(0);
    assert!(!claim(&server));
    assert!(
        server.object("", "namespaces", "", "logaiter").is_none(),
        "up created it"
    );
}

#[tokio::test]
async fn scaling_down_never_deletes_claims_by_itself() {
    let server = ApiServer::listen().await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("set.yaml");
    let text = "apiVersion: apps/v1
kind: StatefulSet
metadata: {name: web, namespace: default}
spec:
  replicas: 2
  serviceName: web
  persistentVolumeClaimRetentionPolicy: {whenScaled: Delete, whenDeleted: Delete}
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: web, image: web}]}
  volumeClaimTemplates:
    - metadata: {name: data}
      spec: {storageClassName: standard, accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}
";
    std::fs::write(&file, text).unwrap();
    let file = file.to_str().unwrap();
    Cryptoctl::new(&server)
        .args(["up", "-f", file])
        .run()
        .await
        .expect_code(1);
    assert_eq!(server.writes().len(), 0);
    Cryptoctl::new(&server)
        .args(["up", "-f", file, "--allow", "claim-deletion"])
        .run()
        .await
        .expect_code(0);
    server.forget_requests();
    let output = Cryptoctl::new(&server)
        .args(["up", "-f", file, "--replicas", "1"])
        .run()
        .await
        .expect_code(1);
    assert!(output.stderr.contains("--delete-data"), "{}", output.stderr);
    Cryptoctl::new(&server)
        .args(["down", "-f", file, "--yes"])
        .run()
        .await
        .expect_code(1);
    assert_eq!(server.writes().len(), 0);
}

/// A StatefulSet with its own claims, which are deleted with their replicas.
fn with_claims(ordinals: &str) -> String {
    format!(
        "apiVersion: apps/v1
kind: StatefulSet
metadata: {{name: web, namespace: default}}
spec:
  {ordinals}
  serviceName: web
  persistentVolumeClaimRetentionPolicy: {{whenScaled: Delete, whenDeleted: Retain}}
  selector: {{matchLabels: {{app: web}}}}
  template:
    metadata: {{labels: {{app: web}}}}
    spec: {{containers: [{{name: web, image: web}}]}}
  volumeClaimTemplates:
    - metadata: {{name: data}}
      spec: {{storageClassName: standard, accessModes: [ReadWriteOnce], resources: {{requests: {{storage: 1Gi}}}}}}
"
    )
}

#[tokio::test]
async fn moving_the_ordinals_never_deletes_claims_by_itself() {
    let server = ApiServer::listen().await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("set.yaml");
    std::fs::write(&file, with_claims("replicas: 2")).unwrap();
    let arguments = ["up", "--no-wait", "-f", file.to_str().unwrap()];
    Cryptoctl::new(&server)
        .args(arguments)
        .args(["--allow", "claim-deletion"])
        .run()
        .await
        .expect_code(0);
    std::fs::write(&file, with_claims("replicas: 2\n  ordinals: {start: 2}")).unwrap();
    server.forget_requests();
    let output = Cryptoctl::new(&server)
        .args(arguments)
        .run()
        .await
        .expect_code(1);
    assert!(output.stderr.contains("--delete-data"), "{}", output.stderr);
    let diff = Cryptoctl::new(&server).args(["diff", "-f"]).arg(&file);
    let output = diff.run().await.expect_code(3);
    let words = "`up` would refuse this without `--delete-data`";
    assert!(output.stderr.contains(words), "{}", output.stderr);
    assert_eq!(server.writes().len(), 0);
}

#[tokio::test]
async fn a_namespace_with_something_foreign_in_it_stays() {
    let server = ApiServer::listen().await;
    up(&server).await;
    let node = server.object("", "nodes", "", "node-1").unwrap();
    server.create(
        "somebody",
        "",
        "configmaps",
        json!({"metadata": {"name": "foreign", "namespace": "logaiter",
            // Its owner is elsewhere, so it is not deleted with anything here.
            "ownerReferences": [{"apiVersion": "v1", "kind": "Node", "name": "node-1", "uid": node["metadata"]["uid"]}]}}),
    );
    let output = Cryptoctl::new(&server)
        .args(["down", "--yes", "--delete-data"])
        .run()
        .await
        .expect_code(0);
    assert!(
        output.stderr.contains("configmap/foreign"),
        "{}",
        output.stderr
    );
    assert!(server.object("", "namespaces", "", "logaiter").is_some());
}
