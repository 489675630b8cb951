//! Problems that a dry run on the real cluster shows before anything is written.

use crate::harness::Namespace;
use crate::one_file::{diff, up};
use crate::sets;

fn map(metadata: &str) -> String {
    format!(
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: settings{metadata}}}\ndata: {{colour: red}}\n"
    )
}

#[test]
fn a_refused_apply_leaves_no_namespace() {
    let namespace = Namespace::new("exact");
    let twice = "apiVersion: apps/v1
kind: StatefulSet
metadata: {name: twice}
spec:
  serviceName: twice
  replicas: 0
  selector: {matchLabels: {app: twice}}
  template:
    metadata: {labels: {app: twice}}
    spec: {containers: [{name: main, image: i, env: [{name: MODE, value: a}, {name: MODE, value: b}]}]}
";
    // Only a dry run in the new namespace shows that the account does not exist.
    let pod = "apiVersion: v1
kind: Pod
metadata: {name: one}
spec: {serviceAccountName: nobody, containers: [{name: main, image: i}]}
";
    let table = [
        (
            twice.to_owned(),
            "duplicate entries for key [name=\"MODE\"]",
        ),
        (
            map(", managedFields: [{manager: kubectl, operation: Apply}]"),
            "delete `metadata.managedFields` from the file",
        ),
        (
            map(", uid: 00000000-0000-4000-8000-000000000015"),
            "delete `metadata.uid` from the file",
        ),
        (map(", labels: {a: no value}"), "metadata.labels"),
        (map(", finalizers: [unqualified]"), "metadata.finalizers"),
        (pod.to_owned(), "nobody"),
    ];
    for (manifest, words) in table {
        let ended = up(&namespace, &manifest).expect(1).says(words);
        assert!(!ended.stderr.contains("dry-run"), "{}", ended.stderr);
        namespace.eventually("the namespace is not there", || {
            let found = namespace.try_kubectl(&["get", "namespace", &namespace.name]);
            (!found.status.success()).then_some(())
        });
    }
}

#[test]
fn a_version_conflict_and_another_uid_are_named() {
    let namespace = Namespace::new("exported");
    up(&namespace, &map("")).expect(0);
    up(&namespace, &map(", resourceVersion: \"1\""))
        .expect(1)
        .says("version conflict");
    up(
        &namespace,
        &map(", uid: 00000000-0000-4000-8000-000000000015"),
    )
    .expect(1)
    .says("the manifest is for another object");
}

#[test]
fn a_status_without_a_subresource_is_shown_and_written() {
    let namespace = Namespace::new("status");
    let group = format!("{}.example.org", namespace.name);
    let light = |phase: &str| {
        format!(
            "apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {{name: lights.{group}}}
spec:
  group: {group}
  scope: Namespaced
  names: {{kind: Light, plural: lights, singular: light}}
  versions:
  - name: v1
    served: true
    storage: true
    schema: {{openAPIV3Schema: {{type: object, x-kubernetes-preserve-unknown-fields: true}}}}
---
apiVersion: {group}/v1
kind: Light
metadata: {{name: crossing}}
status: {{phase: {phase}}}
"
        )
    };
    up(&namespace, &light("green")).expect(0);
    diff(&namespace, &light("green")).expect(0);
    let ended = diff(&namespace, &light("blue")).expect(3);
    assert!(ended.stdout.contains("+  phase: blue"), "{}", ended.stdout);
    up(&namespace, &light("blue")).expect(0);
    let live = namespace.object(&format!("light.{group}/crossing"));
    namespace.kubectl(&["delete", "crd", &format!("lights.{group}")]);
    assert_eq!(live["status"]["phase"], "blue");
}

#[test]
fn a_bare_pod_goes_into_a_new_namespace() {
    let namespace = Namespace::new("bare");
    let pod = "apiVersion: v1
kind: Pod
metadata: {name: one}
spec: {containers: [{name: main, image: i}]}
";
    up(&namespace, pod).expect(0);
}

#[test]
fn a_warning_of_the_api_server_is_passed_on_once() {
    let namespace = Namespace::new("warned");
    let pod = "apiVersion: v1
kind: Pod
metadata: {name: one}
spec:
  containers:
  - {name: a, image: i, ports: [{containerPort: 80}]}
  - {name: b, image: i, ports: [{containerPort: 80}]}
";
    let ended = up(&namespace, pod).expect(0);
    let count = ended.stderr.matches("duplicate port definition").count();
    assert_eq!(count, 1, "{}", ended.stderr);
}

#[test]
fn no_value_of_a_misshapen_secret_is_repeated() {
    let namespace = Namespace::new("misshapen");
    for field in ["stringData: {a: [correct-horse]}", "data: correct-horse"] {
        let secret = format!("apiVersion: v1\nkind: Secret\nmetadata: {{name: db}}\n{field}\n");
        let ended = up(&namespace, &secret).expect(1).says("***");
        assert!(!ended.stderr.contains("correct-horse"), "{}", ended.stderr);
    }
}

/// Its `fieldRef` is one field, in which the API server sets a default.
const NAMED: &str = "apiVersion: apps/v1
kind: Deployment
metadata: {name: named}
spec:
  replicas: 0
  selector: {matchLabels: {app: named}}
  template:
    metadata: {labels: {app: named}}
    spec:
      containers:
      - name: api
        image: cryptoctl.local/none
        env: [{name: NAME, valueFrom: {fieldRef: {fieldPath: metadata.name}}}]
";

#[test]
fn the_same_manifest_applied_by_another_manager_is_owned_by_both() {
    let namespace = Namespace::new("shared");
    let file = namespace.file("named.yaml", NAMED);
    let file = file.to_str().unwrap();
    namespace.kubectl(&["create", "namespace", &namespace.name]);
    namespace.kubectl(&["apply", "--server-side", "-f", file]);
    let up = ["up", "-f", file, "--no-wait"];
    namespace.here(&up).expect(0);
    let live = namespace.kubectl(&[
        "get",
        "deployment",
        "named",
        "-o",
        "json",
        "--show-managed-fields",
    ]);
    let live: serde_json::Value = serde_json::from_str(&live).unwrap();
    let managers = live["metadata"]["managedFields"].as_array().unwrap();
    let owners: Vec<&str> = managers
        .iter()
        .filter(|entry| entry["fieldsV1"].to_string().contains("f:fieldRef"))
        .map(|entry| entry["manager"].as_str().unwrap())
        .collect();
    assert_eq!(owners, ["cryptoctl", "kubectl"]);
    namespace.here(&["diff", "-f", file]).expect(0);
}

#[test]
fn the_built_in_set_applied_by_another_manager_is_no_conflict() {
    let namespace = Namespace::new("adopted");
    let set = sets::built_in(&namespace, 50);
    namespace.kubectl(&["create", "namespace", &namespace.name]);
    namespace.kubectl(&["apply", "--server-side", "-f", &set]);
    namespace
        .cryptoctl(&["up", "-f", &set, "--no-wait"])
        .expect(0);
}
