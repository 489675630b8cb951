//! References of a set to objects that do not exist: reported before the first write.

use apiserver_model::ApiServer;
use serde_json::json;

use crate::harness::{Cryptoctl, Output};

/// A StatefulSet whose pods have this in their spec, with the other objects of the set.
fn set(replicas: u32, pod: &str, others: &str) -> String {
    format!(
        "apiVersion: apps/v1\nkind: StatefulSet\nmetadata: {{name: web}}\nspec:\n  serviceName: web\n  replicas: {replicas}\n  \
         selector: {{matchLabels: {{app: web}}}}\n  template:\n    metadata: {{labels: {{app: web}}}}\n    spec:\n      {pod}\n      \
         containers: [{{name: api, image: \"example.com/web:1\", envFrom: [{{configMapRef: {{name: settings}}}}]}}]\n\
         ---\napiVersion: v1\nkind: Service\nmetadata: {{name: web}}\nspec: {{clusterIP: None, selector: {{app: web}}, ports: [{{port: 80}}]}}\n{others}"
    )
}

const SETTINGS: &str =
    "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\ndata: {a: b}\n";

async fn up(server: &ApiServer, set: String) -> Output {
    run(server, &["up", "--no-wait"], set).await
}

async fn run(server: &ApiServer, verb: &[&str], set: String) -> Output {
    let call = Cryptoctl::new(server);
    let file = call.home().join("set.yaml");
    std::fs::write(&file, set).unwrap();
    call.args(verb)
        .args(["-n", "shop", "-f"])
        .arg(file)
        .run()
        .await
}

fn make_namespace(server: &ApiServer) {
    let shop = json!({"metadata": {"name": "shop"}});
    server.create("kubectl", "", "namespaces", shop);
}

#[tokio::test]
async fn what_neither_the_set_nor_the_cluster_has_is_refused_before_the_first_write() {
    let server = ApiServer::listen().await;
    let output = up(&server, set(1, "", "")).await.expect_code(1);
    assert!(
        output
            .stderr
            .contains("`configmap/settings`, which exists neither"),
        "{}",
        output.stderr
    );
    assert!(
        !output.stderr.contains("kubectl get configmap"),
        "there is no such namespace yet: {}",
        output.stderr
    );
    assert_eq!(server.writes().len(), 0);
    make_namespace(&server);
    let output = up(&server, set(1, "", "")).await.expect_code(1);
    assert!(
        output.stderr.contains("kubectl get configmap -n shop"),
        "{}",
        output.stderr
    );
    up(&server, set(1, "", SETTINGS)).await.expect_code(0);
}

#[tokio::test]
async fn a_diff_says_what_up_would_refuse_and_warn_of() {
    let server = ApiServer::listen().await;
    make_namespace(&server);
    let lonely = set(1, "", "").replace("selector: {app: web}", "selector: {app: wbe}");
    let output = run(&server, &["diff"], lonely).await.expect_code(3);
    for words in [
        "warning: `up` would refuse this: `statefulset/web`: its `configMapRef` names",
        "warning: `service/web`: its selector `app=wbe` matches no pod template",
    ] {
        assert!(output.stderr.contains(words), "{words}: {}", output.stderr);
    }
    let fine = run(&server, &["diff"], set(1, "", SETTINGS)).await;
    let fine = fine.expect_code(3);
    assert!(!fine.stderr.contains("warning"), "{}", fine.stderr);
}

#[tokio::test]
async fn existing_and_optional_references_are_no_problem() {
    let server = ApiServer::listen().await;
    up(&server, set(0, "", "")).await.expect_code(0);
    server.create(
        "kubectl",
        "",
        "configmaps",
        json!({"metadata": {"name": "settings", "namespace": "shop"}}),
    );
    up(&server, set(1, "serviceAccountName: default", ""))
        .await
        .expect_code(0);
}

#[tokio::test]
async fn a_missing_key_is_named_with_the_existing_ones() {
    let server = ApiServer::listen().await;
    let pod = "volumes: [{name: v, configMap: {name: settings, items: [{key: url, path: url}]}}]";
    let output = up(&server, set(1, pod, SETTINGS)).await.expect_code(1);
    assert!(
        output.stderr.contains("the key `url`") && output.stderr.contains("it has `a`"),
        "{}",
        output.stderr
    );
    assert!(
        !output.stderr.contains("kubectl describe"),
        "the cluster has none: {}",
        output.stderr
    );
    let of_everyone = pod.replace("name: settings", "name: kube-root-ca.crt");
    let output = up(&server, set(1, &of_everyone, SETTINGS)).await;
    let output = output.expect_code(1);
    assert!(
        output.stderr.contains("it has `ca.crt`"),
        "{}",
        output.stderr
    );
    let projected = "volumes: [{name: v, projected: {sources: [{configMap: {name: kube-root-ca.crt, items: [{key: ca.crt, path: x}]}}]}}]";
    up(&server, set(1, projected, SETTINGS))
        .await
        .expect_code(0);
}

#[tokio::test]
async fn a_reference_that_another_object_may_create_is_only_a_warning() {
    let server = ApiServer::listen().await;
    let job = "---\napiVersion: batch/v1\nkind: Job\nmetadata: {name: prepare}\nspec: {template: {spec: \
               {restartPolicy: Never, containers: [{name: a, image: \"example.com/prepare:1\"}]}}}\n";
    let output = up(&server, set(1, "", job)).await.expect_code(0);
    assert!(
        output
            .stderr
            .contains("`configmap/settings`, which exists neither"),
        "{}",
        output.stderr
    );
}

#[tokio::test]
async fn an_unreadable_reference_is_not_reported_as_missing() {
    let server = ApiServer::listen().await;
    up(&server, set(0, "", "")).await.expect_code(0);
    server.deny("get", "configmaps");
    up(&server, set(1, "", "")).await.expect_code(0);
}

#[tokio::test]
async fn a_storage_class_of_the_set_is_not_missing() {
    let server = ApiServer::listen().await;
    let claim = "---\napiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {name: data}\nspec: {storageClassName: fast, \
                 accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Mi}}}\n";
    let alone = format!("{SETTINGS}{claim}");
    up(&server, set(1, "", &alone)).await.expect_code(1);
    assert_eq!(server.writes().len(), 0);
    let class = "---\napiVersion: storage.k8s.io/v1\nkind: StorageClass\nmetadata: {name: fast}\nprovisioner: example.com/disk\n";
    let with_class = format!("{alone}{class}");
    up(&server, set(1, "", &with_class)).await.expect_code(0);
    let writes = server.writes();
    let place = |path: &str| {
        writes
            .iter()
            .position(|write| write.path.contains(path))
            .unwrap()
    };
    assert!(place("/storageclasses/") < place("/persistentvolumeclaims/"));
}

#[tokio::test]
async fn the_class_of_a_volume_that_comes_with_its_pod_is_looked_for_too() {
    let server = ApiServer::listen().await;
    let pod = |class: &str| {
        format!(
            "volumes: [{{name: v, ephemeral: {{volumeClaimTemplate: {{spec: {{accessModes: [ReadWriteOnce], \
             storageClassName: {class}, resources: {{requests: {{storage: 1Mi}}}}}}}}}}}}]"
        )
    };
    let output = up(&server, set(1, &pod("nope"), SETTINGS)).await;
    let output = output.expect_code(1);
    for words in [
        "storage class `nope` does not exist",
        "kubectl get storageclass",
    ] {
        assert!(output.stderr.contains(words), "{words}: {}", output.stderr);
    }
    assert!(
        !output.stderr.contains("--storage-class"),
        "it is of claims: {}",
        output.stderr
    );
    assert_eq!(server.writes().len(), 0);
    let class = "---\napiVersion: storage.k8s.io/v1\nkind: StorageClass\nmetadata: {name: nope}\nprovisioner: example.com/disk\n";
    let with_class = format!("{SETTINGS}{class}");
    up(&server, set(1, &pod("nope"), &with_class))
        .await
        .expect_code(0);
}
