//! The inventory of a set: what is no longer in the manifests is listed, and deleted only when told.

mod meanwhile;

use std::path::Path;

use apiserver_model::{ApiServer, PodScript, Pods};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::run;
use crate::harness::{Cryptoctl, Output};

const INVENTORY: (&str, &str, &str, &str) = ("", "configmaps", "shop", "ours");
const KINDS: &str = "applyset.kubernetes.io/contains-group-kinds";

/// A folder with a StatefulSet, and two ConfigMaps in files of their own.
fn folder() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let config = |name: &str| {
        format!(
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}, namespace: shop}}\ndata: {{a: b}}\n"
        )
    };
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    write("old.yaml", &config("old"));
    write("new.yaml", &config("new"));
    write(
        "set.yaml",
        "apiVersion: apps/v1
kind: StatefulSet
metadata: {name: web, namespace: shop}
spec:
  replicas: 1
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: web, image: web}]}
",
    );
    write(
        "claim.yaml",
        "apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: data, namespace: shop}
spec: {storageClassName: standard, accessModes: [ReadWriteMany], resources: {requests: {storage: 1Gi}}}
",
    );
    folder
}

pub(super) fn with_inventory(folder: &Path, verb: &str, flags: &[&str]) -> Vec<String> {
    let folder = folder.to_str().unwrap();
    let set = [verb, "-n", "shop", "-f", folder, "--inventory", "ours"];
    set.iter().chain(flags).map(ToString::to_string).collect()
}

async fn with(server: &ApiServer, folder: &Path, verb: &str, flags: &[&str]) -> Output {
    let arguments = with_inventory(folder, verb, flags);
    Cryptoctl::new(server).args(arguments).run().await
}

async fn empty() -> ApiServer {
    let server = ApiServer::listen().await;
    server.create(
        "somebody",
        "",
        "namespaces",
        json!({"metadata": {"name": "shop"}}),
    );
    server
}

pub(super) async fn applied() -> (ApiServer, TempDir) {
    let server = empty().await;
    let folder = folder();
    with(&server, folder.path(), "up", &[]).await.expect_code(0);
    (server, folder)
}

fn object(server: &ApiServer, resource: &str, name: &str) -> Option<Value> {
    server.object("", resource, "shop", name)
}

fn kinds(server: &ApiServer) -> String {
    let (group, resource, namespace, name) = INVENTORY;
    let live = server.object(group, resource, namespace, name).unwrap();
    let kinds = live["metadata"]["annotations"][KINDS].as_str();
    kinds.unwrap().to_owned()
}

#[tokio::test]
async fn every_object_is_listed_and_a_second_run_changes_nothing() {
    let (server, folder) = applied().await;
    assert_eq!(
        kinds(&server),
        "ConfigMap,PersistentVolumeClaim,StatefulSet.apps"
    );
    let labels = &object(&server, "configmaps", "old").unwrap()["metadata"]["labels"];
    let part_of = labels["applyset.kubernetes.io/part-of"].as_str().unwrap();
    assert!(
        part_of.starts_with("applyset-") && part_of.ends_with("-v1"),
        "{part_of}"
    );
    let revision = server.revision();
    with(&server, folder.path(), "diff", &["--prune"])
        .await
        .expect_code(0);
    with(&server, folder.path(), "up", &["--prune", "--yes"])
        .await
        .expect_code(0);
    assert_eq!(server.revision(), revision);
}

#[tokio::test]
async fn what_left_the_manifests_is_listed_and_deleted_only_when_told() {
    let (server, folder) = applied().await;
    std::fs::remove_file(folder.path().join("old.yaml")).unwrap();
    let shown = with(&server, folder.path(), "diff", &[])
        .await
        .expect_code(0);
    let line = "configmap/old in namespace shop is no longer in the manifests";
    assert!(shown.stdout.contains(line), "{}", shown.stdout);
    assert!(
        shown.stderr.contains("--inventory=ours --prune`"),
        "{}",
        shown.stderr
    );
    with(&server, folder.path(), "diff", &["--prune"])
        .await
        .expect_code(3);
    with(&server, folder.path(), "up", &[]).await.expect_code(0);
    assert!(object(&server, "configmaps", "old").is_some());
    // Without a terminal, only `--yes` gives consent.
    server.forget_requests();
    with(&server, folder.path(), "up", &["--prune"])
        .await
        .expect_code(2);
    assert_eq!(server.writes().len(), 0);
    let pruned = with(&server, folder.path(), "up", &["--prune", "--yes"])
        .await
        .expect_code(0);
    assert!(pruned.stderr.contains("1 pruned"), "{}", pruned.stderr);
    assert!(object(&server, "configmaps", "old").is_none());
    assert!(object(&server, "configmaps", "new").is_some());
    with(&server, folder.path(), "diff", &["--prune"])
        .await
        .expect_code(0);
}

#[tokio::test]
async fn a_claim_is_never_pruned_without_consent_to_lose_its_data() {
    let (server, folder) = applied().await;
    std::fs::remove_file(folder.path().join("claim.yaml")).unwrap();
    with(&server, folder.path(), "up", &["--prune", "--yes"])
        .await
        .expect_code(0);
    assert!(object(&server, "persistentvolumeclaims", "data").is_some());
    assert!(
        kinds(&server).contains("PersistentVolumeClaim"),
        "it is still listed"
    );
    let flags = ["--prune", "--yes", "--delete-data"];
    with(&server, folder.path(), "up", &flags)
        .await
        .expect_code(0);
    assert!(object(&server, "persistentvolumeclaims", "data").is_none());
    assert_eq!(kinds(&server), "ConfigMap,StatefulSet.apps");
}

#[tokio::test]
async fn nothing_is_pruned_while_the_set_is_not_ready() {
    let (server, folder) = applied().await;
    std::fs::remove_file(folder.path().join("old.yaml")).unwrap();
    let path = folder.path().join("set.yaml");
    let set = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, set.replace("image: web", "image: broken")).unwrap();
    let broken = PodScript::default().pull_fails("manifest unknown");
    server.script(Pods::of("web"), broken);
    let failed = with(&server, folder.path(), "up", &["--prune", "--yes"])
        .await
        .expect_code(4);
    assert!(
        failed.stderr.contains("nothing was pruned"),
        "{}",
        failed.stderr
    );
    assert!(object(&server, "configmaps", "old").is_some());
}

#[tokio::test]
async fn down_works_from_the_inventory_alone() {
    let (server, _folder) = applied().await;
    let down = ["down", "-n", "shop", "--inventory", "ours", "--yes"];
    run(&server, &down).await.expect_code(0);
    for name in ["old", "new"] {
        assert!(object(&server, "configmaps", name).is_none(), "{name}");
    }
    assert!(
        server
            .object("apps", "statefulsets", "shop", "web")
            .is_none()
    );
    // What lists the claim stays as long as the claim.
    assert!(object(&server, "persistentvolumeclaims", "data").is_some());
    assert!(object(&server, "configmaps", "ours").is_some());
    run(&server, &[&down, &["--delete-data"][..]].concat())
        .await
        .expect_code(0);
    assert!(object(&server, "persistentvolumeclaims", "data").is_none());
    assert!(object(&server, "configmaps", "ours").is_none());
}

#[tokio::test]
async fn an_inventory_that_is_not_where_it_is_looked_for_is_named_with_its_place() {
    let (server, _folder) = applied().await;
    let down = ["down", "-n", "default", "--inventory", "ours", "--yes"];
    let refused = run(&server, &down).await.expect_code(1);
    for words in [
        "`configmap/ours`: it does not exist in namespace `default`",
        "or the namespace that it is in with `--namespace`",
    ] {
        assert!(refused.stderr.contains(words), "{}", refused.stderr);
    }
}

#[tokio::test]
async fn an_inventory_of_another_tool_is_left_alone() {
    let (server, folder) = applied().await;
    server.change("kubectl", INVENTORY, |object| {
        object["metadata"]["annotations"]["applyset.kubernetes.io/tooling"] =
            json!("kubectl/v1.37.0");
    });
    server.forget_requests();
    let refused = with(&server, folder.path(), "up", &[]).await.expect_code(1);
    let words = "`configmap/ours`: it is the inventory of `kubectl/v1.37.0`";
    assert!(refused.stderr.contains(words), "{}", refused.stderr);
    assert_eq!(server.writes().len(), 0);
}

#[tokio::test]
async fn what_the_set_still_names_is_not_pruned() {
    let (server, folder) = applied().await;
    std::fs::remove_file(folder.path().join("old.yaml")).unwrap();
    let path = folder.path().join("set.yaml");
    let set = std::fs::read_to_string(&path).unwrap();
    let using = "image: web, envFrom: [{configMapRef: {name: old}}]";
    std::fs::write(&path, set.replace("image: web", using)).unwrap();
    let told = with(&server, folder.path(), "up", &["--prune", "--yes"])
        .await
        .expect_code(0);
    let words = "`configmap/old` is no longer in the manifests, but an object of the set names it";
    assert!(told.stderr.contains(words), "{}", told.stderr);
    assert!(object(&server, "configmaps", "old").is_some());
}

#[tokio::test]
async fn the_inventory_stays_where_it_is_whatever_the_manifests_contain() {
    let (server, folder) = applied().await;
    std::fs::remove_file(folder.path().join("set.yaml")).unwrap();
    let shown = with(&server, folder.path(), "diff", &[])
        .await
        .expect_code(0);
    let line = "statefulset/web in namespace shop is no longer in the manifests";
    assert!(shown.stdout.contains(line), "{}", shown.stdout);
}

#[tokio::test]
async fn down_with_files_deletes_only_what_they_contain() {
    let (server, folder) = applied().await;
    let old = folder.path().join("old.yaml");
    with(&server, &old, "down", &["--yes"]).await.expect_code(0);
    assert!(object(&server, "configmaps", "old").is_none());
    assert!(object(&server, "configmaps", "new").is_some());
    assert!(object(&server, "configmaps", "ours").is_some());
}

#[tokio::test]
async fn pruning_needs_an_inventory() {
    let server = ApiServer::listen().await;
    let refused = run(&server, &["up", "--prune", "--yes"])
        .await
        .expect_code(2);
    assert!(
        refused.stderr.contains("--inventory NAME"),
        "{}",
        refused.stderr
    );
    assert_eq!(server.requests().len(), 0);
}
