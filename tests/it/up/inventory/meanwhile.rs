//! Two `up`s with one inventory: it forgets nothing of what either of them has written.

use std::path::Path;

use apiserver_model::{ApiServer, Fault, Rule};
use http::Method;
use tempfile::TempDir;

use super::{applied, empty, folder, kinds, object, with, with_inventory};
use crate::harness::{Cryptoctl, Process};

const CLAIM: &str = "spec: {storageClassName: standard, accessModes: [ReadWriteMany], resources: {requests: {storage: 1Gi}}}";

/// The same set with another object.
fn folder_with(kind: &str, fields: &str) -> TempDir {
    let folder = folder();
    let text = format!(
        "apiVersion: v1\nkind: {kind}\nmetadata: {{name: more, namespace: shop}}\n{fields}\n"
    );
    std::fs::write(folder.path().join("more.yaml"), text).unwrap();
    folder
}

/// Starts `up`, and waits until its first write of an object is on the way, where it is held.
async fn held(server: &ApiServer, object: &str, (folder, flags): (&Path, &[&str])) -> Process {
    server.forget_requests();
    let held = Rule::new(Fault::Held).method(Method::PATCH);
    // Its dry run comes first.
    server.fault(held.path(object).after(1).times(1));
    let arguments = with_inventory(folder, "up", flags);
    let first = Cryptoctl::new(server).args(arguments).start().await;
    let is_held = |server: &ApiServer| {
        let mut writes = server.writes().into_iter();
        writes.any(|write| write.path.ends_with(object))
    };
    server.until(is_held).await;
    first
}

/// Runs `up`, and another `up` while its first write of the inventory is on the way.
async fn meanwhile(server: &ApiServer, first: (&Path, &[&str]), other: &Path) {
    let first = held(server, "/configmaps/ours", first).await;
    with(server, other, "up", &[]).await.expect_code(0);
    server.heal();
    first.finish().await.expect_code(0);
}

#[tokio::test]
async fn two_runs_forget_nothing_that_the_other_lists() {
    let service = folder_with("Service", "spec: {ports: [{port: 80}]}");
    let account = folder_with("ServiceAccount", "");
    for server in [empty().await, applied().await.0] {
        meanwhile(&server, (service.path(), &[]), account.path()).await;
        assert_eq!(
            kinds(&server),
            "ConfigMap,PersistentVolumeClaim,Service,ServiceAccount,StatefulSet.apps"
        );
        let shown = with(&server, folder().path(), "diff", &[]).await;
        let shown = shown.expect_code(0).stdout;
        for line in ["service/more", "serviceaccount/more"] {
            assert!(shown.contains(line), "{shown}");
        }
    }
}

#[tokio::test]
async fn what_is_pruned_takes_nothing_along_that_another_run_lists() {
    let flags: &[&str] = &["--prune", "--yes", "--delete-data"];
    for (kind, fields, expected) in [
        (
            "ServiceAccount",
            "",
            "ConfigMap,ServiceAccount,StatefulSet.apps",
        ),
        // The inventory has its kind already, so the other run does not write it.
        (
            "PersistentVolumeClaim",
            CLAIM,
            "ConfigMap,PersistentVolumeClaim,StatefulSet.apps",
        ),
    ] {
        let (server, folder) = applied().await;
        std::fs::remove_file(folder.path().join("claim.yaml")).unwrap();
        let other = folder_with(kind, fields);
        std::fs::remove_file(other.path().join("claim.yaml")).unwrap();
        meanwhile(&server, (folder.path(), flags), other.path()).await;
        assert!(object(&server, "persistentvolumeclaims", "data").is_none());
        assert_eq!(kinds(&server), expected, "{kind}");
    }
}

#[tokio::test]
async fn a_run_lists_again_what_another_one_has_taken_out_meanwhile() {
    let (server, folder) = applied().await;
    let other = folder_with("PersistentVolumeClaim", CLAIM);
    for folder in [&folder, &other] {
        std::fs::remove_file(folder.path().join("claim.yaml")).unwrap();
    }
    // The inventory lists claims already when the first run is planned, and no longer when it writes one.
    let claim = "/persistentvolumeclaims/more";
    let first = held(&server, claim, (other.path(), &[])).await;
    let flags = ["--prune", "--yes", "--delete-data"];
    with(&server, folder.path(), "up", &flags)
        .await
        .expect_code(0);
    assert_eq!(kinds(&server), "ConfigMap,StatefulSet.apps");
    server.heal();
    first.finish().await.expect_code(0);
    assert_eq!(
        kinds(&server),
        "ConfigMap,PersistentVolumeClaim,StatefulSet.apps"
    );
}

#[tokio::test]
async fn a_lost_answer_to_the_write_of_the_inventory_does_not_end_the_run() {
    let server = empty().await;
    let lost = Rule::new(Fault::CutAfter).method(Method::PATCH);
    server.fault(lost.path("/configmaps/ours").after(1).times(1));
    let folder = folder();
    with(&server, folder.path(), "up", &[]).await.expect_code(0);
    let listed = "ConfigMap,PersistentVolumeClaim,StatefulSet.apps";
    assert_eq!(kinds(&server), listed);
}
