//! Findings of `up` before it writes: differences that count, and changes that can never succeed.

use std::time::Duration;

use apiserver_model::{ApiServer, Fault, Page, Rule};
use http::Method;
use serde_json::json;

use crate::harness::{Cryptoctl, Output};

/// Runs a verb over manifests that it reads from standard input.
async fn run(server: &ApiServer, arguments: &[&str], manifests: &str) -> Output {
    Cryptoctl::new(server)
        .args(arguments)
        .args(["-f", "-"])
        .stdin(manifests)
        .run()
        .await
}

/// A kind with or without a status subresource, and an object of it.
fn light(subresources: &str, phase: &str) -> String {
    format!(
        "apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {{name: lights.example.org}}
spec:
  group: example.org
  scope: Namespaced
  names: {{kind: Light, plural: lights, singular: light}}
  versions: [{{name: v1, served: true, storage: true, {subresources} schema: {{openAPIV3Schema: {{type: object}}}}}}]
---
apiVersion: example.org/v1
kind: Light
metadata: {{name: crossing, namespace: default}}
spec: {{seconds: 600}}
{phase}
"
    )
}

#[tokio::test]
async fn a_status_without_a_subresource_is_compared_and_written() {
    let server = ApiServer::listen().await;
    let green = light("", "status: {phase: green}");
    run(&server, &["up"], &green).await.expect_code(0);
    server.forget_requests();
    run(&server, &["up"], &green).await.expect_code(0);
    assert_eq!(server.writes().len(), 0);
    let blue = light("", "status: {phase: blue}");
    let output = run(&server, &["diff"], &blue).await.expect_code(3);
    for line in ["-  phase: green", "+  phase: blue"] {
        assert!(output.stdout.contains(line), "{}", output.stdout);
    }
    run(&server, &["up"], &blue).await.expect_code(0);
    let object = || server.object("example.org", "lights", "default", "crossing");
    assert_eq!(object().unwrap()["status"]["phase"], "blue");
    let output = run(&server, &["up"], &light("", "")).await.expect_code(0);
    assert!(!output.stderr.contains("adopted"), "{}", output.stderr);
    assert!(object().unwrap()["status"]["phase"].is_null());
}

#[tokio::test]
async fn a_status_that_is_a_subresource_is_no_difference() {
    let server = ApiServer::listen().await;
    let set = |phase| light("subresources: {status: {}},", phase);
    run(&server, &["up"], &set("status: {phase: green}"))
        .await
        .expect_code(0);
    server.forget_requests();
    let blue = set("status: {phase: blue}");
    let output = run(&server, &["diff"], &blue).await.expect_code(0);
    assert_eq!(output.stdout, "");
    run(&server, &["up"], &blue).await.expect_code(0);
    assert_eq!(server.writes().len(), 0);
}

const MAP: &str = "apiVersion: v1
kind: ConfigMap
metadata: {name: settings, namespace: shop}
data: {colour: red}
";

#[tokio::test]
async fn nothing_is_written_into_a_namespace_that_is_being_deleted() {
    let server = ApiServer::listen().await;
    let held = MAP.replace(
        "{name: settings",
        "{finalizers: [example.org/hold], name: settings",
    );
    run(&server, &["up"], &held).await.expect_code(0);
    server.change("somebody", ("", "namespaces", "", "shop"), |object| {
        object["metadata"]["deletionTimestamp"] = json!("2026-01-01T00:00:00Z");
    });
    let is_marked = |server: &ApiServer| {
        let object = server.object("", "configmaps", "shop", "settings");
        !object.unwrap()["metadata"]["deletionTimestamp"].is_null()
    };
    server.until(is_marked).await;
    server.forget_requests();
    for arguments in [&["up"][..], &["up", "--dry-run"]] {
        let output = run(&server, arguments, &held).await.expect_code(1);
        for words in [
            "`namespace/shop` is being deleted",
            "kubectl wait --for=delete namespace/shop",
        ] {
            assert!(output.stderr.contains(words), "{}", output.stderr);
        }
    }
    let output = run(&server, &["diff"], &held).await.expect_code(0);
    for words in [
        "`namespace/shop` is being deleted",
        "`configmap/settings` is being deleted, held by its finalizer `example.org/hold`",
    ] {
        assert!(output.stderr.contains(words), "{}", output.stderr);
    }
    assert_eq!(server.writes().len(), 0);
}

#[tokio::test]
async fn an_object_that_is_being_deleted_is_not_unchanged() {
    let server = ApiServer::listen().await;
    let set = light("", "");
    run(&server, &["up"], &set).await.expect_code(0);
    let definition = (
        "apiextensions.k8s.io",
        "customresourcedefinitions",
        "",
        "lights.example.org",
    );
    server.change("somebody", definition, |object| {
        object["metadata"]["deletionTimestamp"] = json!("2026-01-01T00:00:00Z");
        object["metadata"]["finalizers"] = json!(["customresourcecleanup.apiextensions.k8s.io"]);
    });
    server.forget_requests();
    let output = run(&server, &["up"], &set).await.expect_code(1);
    let words = "`customresourcedefinition/lights.example.org` is being deleted";
    assert!(output.stderr.contains(words), "{}", output.stderr);
    assert_eq!(server.writes().len(), 0);
}

#[tokio::test]
async fn one_object_twice_is_refused_with_both_places() {
    let server = ApiServer::listen().await;
    server.create(
        "test",
        "",
        "namespaces",
        json!({"metadata": {"name": "shop"}}),
    );
    let other = MAP.replace(", namespace: shop", "").replace("red", "green");
    let twice = format!("{MAP}---\n{other}");
    for verb in [&["up"][..], &["diff"], &["down", "--yes"]] {
        let arguments = [verb, &["-n", "shop"]].concat();
        let output = run(&server, &arguments, &twice).await.expect_code(2);
        for words in [
            "`configmap/settings`",
            "standard input:1",
            "standard input:6",
        ] {
            assert!(output.stderr.contains(words), "{}", output.stderr);
        }
    }
    let class = "apiVersion: storage.k8s.io/v1
kind: StorageClass
metadata: {name: quick, namespace: shop}
provisioner: example.org/none
";
    let twice = format!("{class}---\n{}", class.replace(", namespace: shop", ""));
    let output = run(&server, &["up"], &twice).await.expect_code(2);
    assert!(
        output.stderr.contains("`storageclass/quick`"),
        "{}",
        output.stderr
    );
    let patches = server.requests().into_iter();
    let patches = patches.filter(|request| request.method == Method::PATCH);
    assert_eq!(patches.count(), 0);
    assert_eq!(server.writes().len(), 0);
}

#[tokio::test]
async fn what_goes_into_an_absent_namespace_is_checked_as_it_will_be_written() {
    let twice = "apiVersion: apps/v1
kind: StatefulSet
metadata: {name: twice, namespace: shop}
spec:
  serviceName: twice
  selector: {matchLabels: {app: twice}}
  template:
    metadata: {labels: {app: twice}}
    spec: {containers: [{name: main, image: i, env: [{name: MODE, value: a}, {name: MODE, value: b}]}]}
";
    let with =
        |metadata: &str| MAP.replace("{name: settings", &format!("{{{metadata}, name: settings"));
    let table = [
        (
            twice.to_owned(),
            "duplicate entries for key [name=\"MODE\"]",
        ),
        (
            with("managedFields: [{manager: kubectl, operation: Apply}]"),
            "delete `metadata.managedFields` from the file",
        ),
        (
            with("uid: 00000000-0000-4000-8000-000000000015"),
            "delete `metadata.uid` from the file",
        ),
        (with("labels: {a: no value}"), "metadata.labels"),
        (with("finalizers: [unqualified]"), "metadata.finalizers"),
    ];
    let server = ApiServer::listen().await;
    // The name is taken in the namespace of the dry run.
    server.create(
        "test",
        "",
        "configmaps",
        json!({"metadata": {"name": "settings", "namespace": "default"}}),
    );
    for (manifest, words) in table {
        for verb in ["up", "diff"] {
            let output = run(&server, &[verb], &manifest).await.expect_code(1);
            assert!(output.stderr.contains(words), "{words}:\n{}", output.stderr);
            for foreign in ["rehearsal", "settingz"] {
                assert!(!output.stderr.contains(foreign), "{}", output.stderr);
            }
        }
    }
    assert_eq!(server.writes().len(), 0);
    run(&server, &["up"], MAP).await.expect_code(0);
}

#[tokio::test]
async fn a_version_conflict_and_another_uid_are_named_and_tried_once() {
    let server = ApiServer::listen().await;
    run(&server, &["up"], MAP).await.expect_code(0);
    let with =
        |metadata: &str| MAP.replace("{name: settings", &format!("{{{metadata}, name: settings"));
    for (metadata, words) in [
        ("resourceVersion: \"1\"", "version conflict"),
        (
            "uid: 00000000-0000-4000-8000-000000000015",
            "the manifest is for another object",
        ),
    ] {
        server.forget_requests();
        let output = run(&server, &["up"], &with(metadata)).await.expect_code(1);
        assert!(output.stderr.contains(words), "{}", output.stderr);
        assert!(!output.stderr.contains("manager"), "{}", output.stderr);
        let tried = server.requests().into_iter();
        let tried = tried.filter(|request| request.method == Method::PATCH);
        assert_eq!(tried.count(), 1);
    }
}

#[tokio::test]
async fn a_new_namespace_whose_objects_are_refused_is_deleted_again() {
    let server = ApiServer::listen().await;
    let denied = Fault::Error {
        status: 422,
        reason: "Invalid",
        message: "a policy for the namespace `shop` denies it",
        retry_after: None,
    };
    // The first one finds no namespace, the second one finds it.
    server.fault(
        Rule::new(denied)
            .method(Method::PATCH)
            .path("/namespaces/shop/configmaps")
            .after(1),
    );
    let output = run(&server, &["up"], MAP).await.expect_code(1);
    let words = "1 problem in namespace `shop` (created for this run and deleted again); nothing else was written";
    assert!(output.stderr.contains(words), "{}", output.stderr);
    assert!(!output.stderr.contains("done"), "{}", output.stderr);
    let is_gone = |server: &ApiServer| server.object("", "namespaces", "", "shop").is_none();
    server.until(is_gone).await;
}

#[tokio::test]
async fn a_page_in_place_of_an_answer_does_not_say_that_the_namespace_is_absent() {
    let server = ApiServer::listen().await;
    let page = Fault::Replaced {
        status: 404,
        page: Page::Object,
        is_executed: false,
    };
    server.fault(
        Rule::new(page)
            .method(Method::PATCH)
            .path("/namespaces/shop/"),
    );
    let output = run(&server, &["up"], MAP).await.expect_code(1);
    assert!(output.stderr.contains("404"), "{}", output.stderr);
    assert_eq!(server.writes().len(), 0);
}

#[tokio::test]
async fn a_pod_waits_for_the_account_of_its_new_namespace() {
    let server = ApiServer::listen().await;
    server.slow_controllers(Duration::from_millis(500));
    let pod = "apiVersion: v1
kind: Pod
metadata: {name: one, namespace: shop}
spec: {containers: [{name: main, image: i}]}
";
    run(&server, &["up", "--no-wait"], pod).await.expect_code(0);
    assert!(server.object("", "pods", "shop", "one").is_some());
}

#[tokio::test]
async fn a_warning_of_the_api_server_is_passed_on_once() {
    let server = ApiServer::listen().await;
    let text = "duplicate port definition with \"containers[0].ports[0]\"";
    let warned = || Rule::new(Fault::Warned(text)).method(Method::PATCH);
    server.fault(warned().path("/namespaces/default/"));
    // Warnings from the other namespace are not shown.
    let output = run(&server, &["diff"], MAP).await.expect_code(3);
    assert!(!output.stderr.contains(text), "{}", output.stderr);
    let here = MAP.replace("shop", "default");
    let output = run(&server, &["up"], &here).await.expect_code(0);
    assert_eq!(output.stderr.matches(text).count(), 1, "{}", output.stderr);
    let output = run(&server, &["-o", "json", "up"], &here)
        .await
        .expect_code(0);
    let events = output.json_lines();
    let said: Vec<_> = events
        .iter()
        .filter(|event| event["event"] == "warning")
        .map(|event| event["message"].clone())
        .collect();
    assert_eq!(said, [text]);
}

#[tokio::test]
async fn no_value_of_a_secret_is_repeated() {
    let secret = "apiVersion: v1
kind: Secret
metadata: {name: db, namespace: default}
stringData: {password: [correct-horse], pin: \"4711\"}
";
    let got = "failed to create typed patch object (default/db; /v1, Kind=Secret): .stringData.password: expected string, got &value.valueUnstructured{Value:[]interface {}{\"correct-horse\"}}";
    let quoted =
        "Secret \"db\" is invalid: stringData: Invalid value: \"4711\": Y29ycmVjdC1ob3JzZQ==";
    for (status, reason, message) in [(500, "", got), (422, "Invalid", quoted)] {
        let server = ApiServer::listen().await;
        let error = Fault::Error {
            status,
            reason,
            message,
            retry_after: None,
        };
        server.fault(Rule::new(error).path("/secrets/").method(Method::PATCH));
        for arguments in [&["up"][..], &["-o", "json", "up"], &["diff"]] {
            let output = run(&server, arguments, secret).await.expect_code(1);
            let all = format!("{}{}", output.stdout, output.stderr);
            for value in ["correct-horse", "4711", "Y29ycmVjdC1ob3JzZQ"] {
                assert!(!all.contains(value), "{value}:\n{all}");
            }
            assert!(all.contains("***"), "{all}");
        }
    }
    let server = ApiServer::listen().await;
    server.fault(Rule::new(Fault::Warned("the value correct-horse is weak")).method(Method::PATCH));
    let output = run(&server, &["diff"], secret).await;
    assert!(
        !output.stderr.contains("correct-horse"),
        "{}",
        output.stderr
    );
    assert!(
        !output.stdout.contains("correct-horse"),
        "{}",
        output.stdout
    );
}
