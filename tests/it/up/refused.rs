//! Refusals before the first write, and their messages.

use apiserver_model::{ApiServer, Fault, Rule};
use http::Method;
use serde_json::json;

use super::{STATEFUL_SET, up};
use crate::harness::Cryptoctl;

#[tokio::test]
async fn kinds_dry_runs_and_permissions_are_reported_together() {
    let server = ApiServer::listen().await;
    server.deny("create", "namespaces");
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("set.yaml");
    let text = "apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: data, namespace: absent}
spec: {storageClassName: fast, accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}
---
apiVersion: example.org/v1
kind: Widget
metadata: {name: one}
";
    std::fs::write(&file, text).unwrap();
    let output = Cryptoctl::new(&server)
        .args(["up", "-f", file.to_str().unwrap()])
        .run()
        .await
        .expect_code(1);
    for words in ["create namespaces", "`fast`", "`Widget`"] {
        assert!(
            output.stderr.contains(words),
            "`{words}` is not in:\n{}",
            output.stderr
        );
    }
    assert_eq!(server.writes().len(), 0);
}

#[tokio::test]
async fn an_internal_error_of_a_read_is_read_again_and_of_an_apply_is_final() {
    let server = ApiServer::listen().await;
    let error = || Fault::Error {
        status: 500,
        reason: "InternalError",
        message: "etcdserver: leader changed",
        retry_after: None,
    };
    server.fault(Rule::new(error()).method(Method::GET).times(2));
    Cryptoctl::new(&server)
        .args(["up"])
        .run()
        .await
        .expect_code(0);
    server.fault(Rule::new(error()).method(Method::PATCH).times(1));
    Cryptoctl::new(&server)
        .args(["up"])
        .run()
        .await
        .expect_code(1);
}

#[tokio::test]
async fn diff_shows_what_differs_even_where_up_would_be_refused() {
    let server = ApiServer::listen().await;
    up(&server).await;
    server.change("kubectl-edit", STATEFUL_SET, |object| {
        object["spec"]["replicas"] = json!(5);
    });
    let output = Cryptoctl::new(&server)
        .args(["diff"])
        .run()
        .await
        .expect_code(3);
    assert!(
        output.stdout.contains("-  replicas: 5"),
        "{}",
        output.stdout
    );
    assert!(
        output.stdout.contains("+  replicas: 2"),
        "{}",
        output.stdout
    );
    assert!(output.stderr.contains("kubectl-edit"), "{}", output.stderr);
    let output = Cryptoctl::new(&server)
        .args(["up"])
        .run()
        .await
        .expect_code(1);
    assert!(
        output.stderr.contains("(live 5, ours 2)"),
        "{}",
        output.stderr
    );
    assert_eq!(server.writes().len(), 0);
}

#[tokio::test]
async fn a_policy_of_the_dry_runs_namespace_says_nothing_about_the_set() {
    let server = ApiServer::listen().await;
    let denied = Fault::Error {
        status: 422,
        reason: "Invalid",
        message: "ValidatingAdmissionPolicy 'no-default' denied request",
        retry_after: None,
    };
    // Only objects created in `default`, and only the dry runs are.
    server.fault(Rule::new(denied).path("/namespaces/default/"));
    Cryptoctl::new(&server)
        .args(["up"])
        .run()
        .await
        .expect_code(0);
}

#[tokio::test]
async fn an_impossible_container_or_namespace_is_a_usage_error() {
    let server = ApiServer::listen().await;
    up(&server).await;
    let output = Cryptoctl::new(&server)
        .args(["logs", "-c", "nope"])
        .run()
        .await
        .expect_code(2);
    assert!(
        output.stderr.contains("api"),
        "the names are given:\n{}",
        output.stderr
    );
    let output = Cryptoctl::new(&server)
        .args(["up", "-n", "Bad_NS"])
        .run()
        .await
        .expect_code(2);
    assert!(output.stderr.contains("`Bad_NS`"), "{}", output.stderr);
    assert_eq!(server.writes().len(), 0);
}

#[tokio::test]
async fn a_field_of_another_manager_is_named_and_nothing_is_written() {
    let server = ApiServer::listen().await;
    up(&server).await;
    server.change("kubectl-edit", STATEFUL_SET, |object| {
        object["spec"]["replicas"] = json!(5);
    });
    let output = Cryptoctl::new(&server)
        .args(["up"])
        .run()
        .await
        .expect_code(1);
    assert!(
        output.stderr.contains("`.spec.replicas`"),
        "{}",
        output.stderr
    );
    assert!(output.stderr.contains("kubectl-edit"), "{}", output.stderr);
    assert_eq!(server.writes().len(), 0);
}
