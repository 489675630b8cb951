//! `--roll-on-config-change`: pods are replaced when a ConfigMap or Secret of the set that they use changes.

use std::path::Path;

use apiserver_model::ApiServer;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::harness::{Cryptoctl, Output};

const ROLL: &str = "--roll-on-config-change";

const SET: &str = "apiVersion: apps/v1
kind: StatefulSet
metadata: {name: web, namespace: default}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - name: web
        image: web
        envFrom: [{configMapRef: {name: settings}}]
        volumeMounts: [{name: key, mountPath: /key}]
      volumes: [{name: key, secret: {secretName: key}}]
";

/// A folder with a set whose pods use a ConfigMap and a Secret.
fn folder() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("set.yaml"), SET).unwrap();
    write(&folder, "ConfigMap", "settings", "data: {mode: fast}");
    write(&folder, "Secret", "key", "stringData: {key: abc}");
    folder
}

fn write(folder: &TempDir, kind: &str, name: &str, fields: &str) {
    let text = format!(
        "apiVersion: v1\nkind: {kind}\nmetadata: {{name: {name}, namespace: default}}\n{fields}\n"
    );
    std::fs::write(folder.path().join(format!("{name}.yaml")), text).unwrap();
}

async fn with(server: &ApiServer, folder: &Path, verb: &str, flags: &[&str]) -> Output {
    let set = [verb, "-f", folder.to_str().unwrap()];
    let arguments = [&set, flags].concat();
    Cryptoctl::new(server).args(arguments).run().await
}

fn annotation(server: &ApiServer) -> Value {
    let live = server.object("apps", "statefulsets", "default", "web");
    live.unwrap()["spec"]["template"]["metadata"]["annotations"]["cryptoctl/config-digest"].clone()
}

fn pods(server: &ApiServer) -> Vec<Value> {
    let pod = |name| server.object("", "pods", "default", name).unwrap();
    ["web-0", "web-1"]
        .map(|name| pod(name)["metadata"]["uid"].clone())
        .to_vec()
}

#[tokio::test]
async fn pods_are_replaced_only_when_contents_change() {
    let (server, folder) = (ApiServer::listen().await, folder());
    with(&server, folder.path(), "up", &[ROLL])
        .await
        .expect_code(0);
    let digest = annotation(&server);
    assert_eq!(digest.as_str().map(str::len), Some(64), "{digest}");
    let first = pods(&server);

    server.forget_requests();
    write(&folder, "Secret", "key", "data: {key: YWJj}");
    with(&server, folder.path(), "diff", &[ROLL])
        .await
        .expect_code(0);
    with(&server, folder.path(), "up", &[ROLL])
        .await
        .expect_code(0);
    assert_eq!(
        server.writes().len(),
        0,
        "the same contents, written otherwise"
    );

    for (kind, name, fields) in [
        ("ConfigMap", "settings", "data: {mode: slow}"),
        ("Secret", "key", "stringData: {key: def}"),
    ] {
        let before = pods(&server);
        write(&folder, kind, name, fields);
        let shown = with(&server, folder.path(), "diff", &[ROLL])
            .await
            .expect_code(3);
        assert!(
            shown.stdout.contains("cryptoctl/config-digest"),
            "{}",
            shown.stdout
        );
        with(&server, folder.path(), "up", &[ROLL])
            .await
            .expect_code(0);
        let after = pods(&server);
        assert!(
            before
                .iter()
                .zip(&after)
                .all(|(before, after)| before != after),
            "{name}"
        );
    }

    // Without it, the annotation goes, and the pods are replaced once more.
    with(&server, folder.path(), "up", &[]).await.expect_code(0);
    assert_eq!(annotation(&server), Value::Null);
    let without = pods(&server);
    write(&folder, "ConfigMap", "settings", "data: {mode: fast}");
    with(&server, folder.path(), "up", &[]).await.expect_code(0);
    assert_eq!(pods(&server), without, "nobody asked for it");
    assert_ne!(first, without);
}

#[tokio::test]
async fn the_configuration_turns_it_on_and_a_flag_off() {
    let (server, folder) = (ApiServer::listen().await, folder());
    let config = tempfile::tempdir().unwrap();
    let text = "roll_on_config_change: true\n";
    std::fs::write(config.path().join("cryptoctl.yaml"), text).unwrap();
    let set = folder.path().to_str().unwrap();
    let up = async |flags: &[&str]| {
        let call = Cryptoctl::new(&server).current_dir(config.path());
        let call = call.args([&["up", "-f", set], flags].concat());
        call.run().await.expect_code(0);
        annotation(&server)
    };
    let off = format!("{ROLL}=false");
    assert_ne!(up(&[]).await, Value::Null);
    assert_eq!(up(&[&off]).await, Value::Null);
}

#[tokio::test]
async fn a_new_secret_is_known_once_it_exists() {
    let (server, folder) = (ApiServer::listen().await, folder());
    let shown = with(&server, folder.path(), "diff", &[ROLL])
        .await
        .expect_code(3);
    let unknown = "cryptoctl/config-digest: known once secret/key exists";
    assert!(shown.stdout.contains(unknown), "{}", shown.stdout);
    // A saved plan holds although the digest is not known yet.
    let elsewhere = tempfile::tempdir().unwrap();
    let plan = elsewhere.path().join("plan.json");
    let plan = plan.to_str().unwrap();
    for flag in ["--plan-out", "--plan"] {
        let flags = [ROLL, flag, plan];
        with(&server, folder.path(), "up", &flags)
            .await
            .expect_code(0);
    }
    let digest = annotation(&server);
    assert_eq!(digest.as_str().map(str::len), Some(64), "{digest}");
}

#[tokio::test]
async fn what_is_left_to_others_does_not_count() {
    let (server, folder) = (ApiServer::listen().await, folder());
    with(&server, folder.path(), "up", &[ROLL])
        .await
        .expect_code(0);
    let settings = ("", "configmaps", "default", "settings");
    server.change("kubectl-edit", settings, |object| {
        object["data"]["mode"] = json!("theirs");
    });
    let leave = ["--yield", "configmap/settings:.data.mode", ROLL];
    with(&server, folder.path(), "up", &leave)
        .await
        .expect_code(0);
    let before = pods(&server);
    write(&folder, "ConfigMap", "settings", "data: {mode: slow}");
    with(&server, folder.path(), "up", &leave)
        .await
        .expect_code(0);
    assert_eq!(pods(&server), before);
}
