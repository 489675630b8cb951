//! `down`: its order, its permissions, and its messages about what is kept.

use std::fmt::Write;
use std::path::PathBuf;

use apiserver_model::{ApiServer, Disturbance, Fault, Rule};
use http::Method;
use serde_json::{Value, json};

use crate::harness::{Cryptoctl, DEADLINE, Output};

/// A workload that a finalizer holds, with settings that it mounts.
const HELD: &str = "apiVersion: apps/v1
kind: StatefulSet
metadata: {name: web, namespace: default, finalizers: [example.com/hold]}
spec:
  replicas: 1
  serviceName: web
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers: [{name: web, image: web}]
      volumes: [{name: settings, configMap: {name: settings}}]
---
apiVersion: v1
kind: ConfigMap
metadata: {name: settings, namespace: default}
";

/// A definition, and an object of its kind.
const LEDGERS: &str = "apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: ledgers.example.com}
spec:
  group: example.com
  scope: Namespaced
  names: {kind: Ledger, plural: ledgers, singular: ledger}
  versions:
    - {name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}}
---
apiVersion: example.com/v1
kind: Ledger
metadata: {name: ours, namespace: default}
";

fn file(folder: &tempfile::TempDir, text: &str) -> PathBuf {
    let path = folder.path().join("set.yaml");
    std::fs::write(&path, text).unwrap();
    path
}

async fn run(server: &ApiServer, verb: &[&str], file: &std::path::Path) -> Output {
    let call = Cryptoctl::new(server).args(verb).arg("-f").arg(file);
    call.run().await
}

fn names(objects: &Value) -> Vec<&str> {
    let objects = objects.as_array().unwrap().iter();
    objects.map(|it| it["name"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn an_object_held_by_a_finalizer_is_named_and_later_objects_stay() {
    let server = ApiServer::listen().await;
    let folder = tempfile::tempdir().unwrap();
    let set = file(&folder, HELD);
    run(&server, &["up"], &set).await.expect_code(0);
    server.forget_requests();
    let down = ["-o", "json", "down", "--yes", "--timeout", DEADLINE];
    let output = run(&server, &down, &set).await.expect_code(5);
    let events = output.json_lines();
    let report = &events.last().unwrap()["report"];
    assert_eq!(names(&report["remaining"]), ["web"]);
    assert_eq!(names(&report["not_deleted"]), ["settings"]);
    assert_eq!(
        report["held"][0]["by"],
        json!(["its finalizer `example.com/hold`"])
    );
    let write = events.iter().find(|it| it["event"] == "write_finished");
    assert_eq!(
        write.unwrap()["result"]["result"],
        "done",
        "it was accepted"
    );
    assert_eq!(server.writes().len(), 1);

    let output = run(&server, &["down", "--yes", "--timeout", DEADLINE], &set).await;
    let output = output.expect_code(5);
    for words in [
        "statefulset/web is still there, held by its finalizer `example.com/hold`",
        "not deleted",
        "configmap/settings",
    ] {
        assert!(output.stderr.contains(words), "{words}: {}", output.stderr);
    }
    assert!(!output.stderr.contains("unknown"), "{}", output.stderr);
    assert!(
        output
            .stderr
            .contains("statefulset/web waiting: is already being deleted"),
        "{}",
        output.stderr
    );
    assert!(
        !output.stderr.contains("statefulset/web deleted"),
        "it was before: {}",
        output.stderr
    );
    assert_eq!(server.writes().len(), 1, "once is enough");
    let output = run(&server, &["up"], &set).await.expect_code(1);
    let words = "`statefulset/web` is being deleted, held by its finalizer `example.com/hold`";
    assert!(output.stderr.contains(words), "{}", output.stderr);
}

#[tokio::test]
async fn up_also_names_what_holds_the_pods_of_a_workload() {
    let server = ApiServer::listen().await;
    let folder = tempfile::tempdir().unwrap();
    let text = HELD
        .replace(", finalizers: [example.com/hold]", "")
        .replace(
            "metadata: {labels: {app: web}}",
            "metadata: {labels: {app: web}, finalizers: [example.com/hold]}",
        );
    let set = file(&folder, &text);
    run(&server, &["up"], &set).await.expect_code(0);
    let down = ["down", "--yes", "--timeout", DEADLINE];
    run(&server, &down, &set).await.expect_code(5);
    let output = run(&server, &["up"], &set).await.expect_code(1);
    let words = "held by pod/web-0 with its finalizer `example.com/hold`";
    assert!(output.stderr.contains(words), "{}", output.stderr);
    assert!(
        !output.stderr.contains("foregroundDeletion"),
        "{}",
        output.stderr
    );
}

#[tokio::test]
async fn a_namespace_that_is_being_deleted_is_not_kept() {
    let server = ApiServer::listen().await;
    let folder = tempfile::tempdir().unwrap();
    let set = file(
        &folder,
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings, namespace: shop}\n",
    );
    run(&server, &["up"], &set).await.expect_code(0);
    let other = json!({
        "metadata": {"name": "other", "namespace": "shop", "finalizers": ["example.com/hold"]},
    });
    server.create("somebody", "", "configmaps", other);
    let shop = ("", "namespaces", "", "shop");
    server.change("somebody", shop, |namespace| {
        namespace["metadata"]["deletionTimestamp"] = json!("2026-01-01T00:00:00Z");
        namespace["status"]["conditions"] = json!([
            {"type": "NamespaceFinalizersRemaining", "status": "True", "message": "Some content has finalizers"},
        ]);
    });
    for more in [&[][..], &["--delete-data"][..]] {
        let down = [&["down", "--yes", "--timeout", DEADLINE][..], more].concat();
        let output = run(&server, &down, &set).await.expect_code(5);
        for words in [
            "namespace/shop waiting: is already being deleted",
            "namespace/shop is still there, held by configmap/other with its finalizer `example.com/hold`",
        ] {
            assert!(output.stderr.contains(words), "{words}: {}", output.stderr);
        }
        assert!(!output.stderr.contains("kept"), "{}", output.stderr);
    }
}

#[tokio::test]
async fn a_definition_that_vanishes_meanwhile_takes_its_objects_with_it() {
    // It disappears before its objects are read, before they are listed, or before they are deleted.
    let rules = [
        (Method::GET, "/ledgers/ours", 0),
        (Method::GET, "/ledgers", 1),
        (Method::DELETE, "/ledgers/ours", 0),
    ];
    for (method, path, after) in rules {
        let server = ApiServer::listen().await;
        let folder = tempfile::tempdir().unwrap();
        let set = file(&folder, LEDGERS);
        run(&server, &["up"], &set).await.expect_code(0);
        let vanishes = Disturbance::Undefine("ledgers.example.com".to_owned());
        let vanishes = Rule::new(Fault::Meanwhile(vanishes));
        let rule = vanishes.method(method.clone()).path(path);
        server.fault(rule.after(after).times(1));
        let down = ["down", "--yes", "--delete-data"];
        let output = run(&server, &down, &set).await;
        assert_eq!(output.code(), 0, "{method} {path}: {}", output.stderr);
        assert_eq!(server.disturbances().len(), 1, "{method} {path}");
    }
}

#[tokio::test]
async fn permissions_are_checked_before_anything_is_deleted() {
    let server = ApiServer::listen().await;
    let folder = tempfile::tempdir().unwrap();
    let set = file(&folder, HELD);
    run(&server, &["up"], &set).await.expect_code(0);
    server.forget_requests();
    let table = [
        (
            "delete",
            "configmaps",
            "delete configmaps in namespace `default`",
        ),
        (
            "watch",
            "statefulsets.apps",
            "watch statefulsets.apps in namespace `default`",
        ),
    ];
    for (verb, resource, words) in table {
        server.deny(verb, resource);
        let output = run(&server, &["down", "--yes"], &set).await.expect_code(1);
        assert!(output.stderr.contains(words), "{}", output.stderr);
        assert!(
            output.stderr.contains("nothing was changed"),
            "{}",
            output.stderr
        );
        assert_eq!(server.writes().len(), 0, "{words}");
        server.allow_all();
    }
}

#[tokio::test]
async fn many_objects_are_deleted_together_and_not_watched_one_by_one() {
    const MANY: usize = 100;
    let server = ApiServer::listen().await;
    let folder = tempfile::tempdir().unwrap();
    let text = (0..MANY).fold(String::new(), |mut text, number| {
        let name = format!("c-{number:03}");
        writeln!(
            text,
            "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}, namespace: default}}"
        )
        .unwrap();
        text
    });
    let set = file(&folder, &text);
    run(&server, &["up"], &set).await.expect_code(0);
    server.forget_requests();
    let output = run(&server, &["down", "--yes"], &set).await.expect_code(0);
    assert!(
        output.stderr.contains(&format!("{MANY} deleted")),
        "{}",
        output.stderr
    );
    let requests = server.requests();
    let deletes = requests.iter().filter(|it| it.method == Method::DELETE);
    assert_eq!(deletes.count(), MANY);
    assert!(requests.len() < MANY + 15, "{} requests", requests.len());
}

#[tokio::test]
async fn a_definition_names_the_objects_that_are_deleted_with_it() {
    let server = ApiServer::listen().await;
    let folder = tempfile::tempdir().unwrap();
    let set = file(&folder, LEDGERS);
    run(&server, &["up"], &set).await.expect_code(0);
    server.create(
        "somebody",
        "example.com",
        "ledgers",
        json!({
            "apiVersion": "example.com/v1", "kind": "Ledger",
            "metadata": {"name": "theirs", "namespace": "kube-system"},
        }),
    );
    let theirs = "ledger.example.com/theirs in namespace kube-system";
    let kept = run(&server, &["down", "--yes"], &set).await.expect_code(0);
    assert!(kept.stderr.contains(theirs), "{}", kept.stderr);
    assert!(
        server
            .object("example.com", "ledgers", "kube-system", "theirs")
            .is_some()
    );
    assert!(
        server
            .object("example.com", "ledgers", "default", "ours")
            .is_none()
    );
    let down = ["down", "--yes", "--delete-data"];
    let gone = run(&server, &down, &set).await.expect_code(0);
    let words = format!(
        "{theirs} is not in this set, but is deleted with customresourcedefinition/ledgers.example.com"
    );
    assert!(gone.stderr.contains(&words), "{}", gone.stderr);
}

#[tokio::test]
async fn a_namespace_with_nothing_of_ours_says_what_it_has() {
    let server = ApiServer::listen().await;
    let folder = tempfile::tempdir().unwrap();
    let set = file(&folder, HELD);
    run(&server, &["up"], &set).await.expect_code(0);
    server.forget_requests();
    let verbs: [&[&str]; 5] = [
        &["verify"],
        &["logs"],
        &["rollout", "status"],
        &["chaos", "--yes"],
        &["down", "--yes"],
    ];
    let table = [
        ("default", "`statefulset/web`"),
        ("defualt", "namespace `defualt` does not exist"),
        ("defualt", "did you mean"),
        ("defualt", "default"),
    ];
    for verb in verbs {
        for (namespace, words) in table {
            let call = Cryptoctl::new(&server).args(verb).args(["-n", namespace]);
            let output = call.run().await;
            let code = i32::from(verb[0] != "down");
            let output = output.expect_code(code);
            assert!(
                output.stderr.contains(words),
                "{verb:?}, {words}: {}",
                output.stderr
            );
            assert!(
                !output.stderr.contains("with `cryptoctl up`"),
                "{verb:?}: {}",
                output.stderr
            );
        }
    }
    assert_eq!(server.writes().len(), 0);
}
