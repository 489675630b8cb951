//! What no apply can do, and that nothing else happens then: kubectl and Flux test the same for theirs.

use serde_json::Value;

use crate::harness::Namespace;
use crate::one_file::{diff, up};

fn version(object: &Value) -> Value {
    object["metadata"]["resourceVersion"].clone()
}

fn exists(namespace: &Namespace, object: &str) -> bool {
    namespace.try_kubectl(&["get", object]).status.success()
}

#[test]
fn one_bad_object_stops_all_and_is_no_difference() {
    let namespace = Namespace::new("one-bad");
    namespace.kubectl(&["create", "namespace", &namespace.name]);
    let map = |name: &str, key: &str| {
        format!(
            "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}}}\ndata: {{{key}: x}}\n"
        )
    };
    let bogus = "---\napiVersion: example.com/v1\nkind: Bogus\nmetadata: {name: odd}\n";
    let set = [
        map("first", "a"),
        map("bad", "a b"),
        map("last", "a"),
        bogus.to_owned(),
    ]
    .concat();
    let refused = up(&namespace, &set).expect(1);
    refused
        .says("2 problems before the first write")
        .says("`configmap/bad`")
        .says("does not serve `Bogus` of `example.com/v1`");
    diff(&namespace, &set).expect(1).says("`configmap/bad`");
    for name in ["configmap/first", "configmap/last"] {
        assert!(!exists(&namespace, name), "{name}");
    }
}

#[test]
fn a_field_that_cannot_change_stops_the_whole_set() {
    let namespace = Namespace::new("fixed-field");
    namespace.kubectl(&["create", "namespace", &namespace.name]);
    let set = |role: &str, mode: &str| {
        format!(
            "apiVersion: v1
kind: ConfigMap
metadata: {{name: settings}}
data: {{mode: {mode}}}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {{name: readers}}
roleRef: {{apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: {role}}}
subjects: [{{kind: User, name: reader, apiGroup: rbac.authorization.k8s.io}}]
"
        )
    };
    up(&namespace, &set("view", "slow")).expect(0);
    up(&namespace, &set("edit", "fast"))
        .expect(1)
        .says("`rolebinding/readers`")
        .says("`.roleRef` cannot be changed")
        .says("--replace rolebinding/readers");
    let live = namespace.object("configmap/settings");
    assert_eq!(live["data"]["mode"], "slow", "nothing else was written");
}

#[test]
fn what_cannot_change_any_more_is_refused_without_its_values() {
    let namespace = Namespace::new("immutable");
    let set = |value: &str| {
        format!(
            "apiVersion: v1
kind: Secret
metadata: {{name: token}}
immutable: true
stringData: {{password: {value}}}
---
apiVersion: v1
kind: ConfigMap
metadata: {{name: settings}}
immutable: true
data: {{mode: fast}}
"
        )
    };
    up(&namespace, &set("correct-horse")).expect(0);
    diff(&namespace, &set("correct-horse")).expect(0);
    for (ended, code) in [
        (up(&namespace, &set("battery-staple")), 1),
        (diff(&namespace, &set("battery-staple")), 3),
    ] {
        let ended = ended.expect(code).says("`.data` cannot be changed");
        for value in ["correct-horse", "battery-staple", "Y29ycm", "YmF0dG"] {
            let said = format!("{}{}", ended.stdout, ended.stderr);
            assert!(!said.contains(value), "{said}");
        }
    }
}

#[test]
fn a_pod_changes_only_where_a_pod_can() {
    let namespace = Namespace::new("pod");
    let pod = |image: &str, more: &str| {
        format!(
            "apiVersion: v1
kind: Pod
metadata: {{name: one}}
spec: {{schedulerName: nobody, containers: [{{name: main, image: '{image}'{more}}}]}}
"
        )
    };
    up(&namespace, &pod("i:1", "")).expect(0);
    diff(&namespace, &pod("i:1", "")).expect(0);
    let before = namespace.object("pod/one");
    let shown = diff(&namespace, &pod("i:2", "")).expect(3);
    assert!(shown.stdout.contains("image: i:2"), "{}", shown.stdout);
    let live = namespace.object("pod/one");
    assert_eq!(version(&live), version(&before), "a diff stores nothing");
    up(&namespace, &pod("i:2", "")).expect(0);
    let live = namespace.object("pod/one");
    assert_eq!(live["spec"]["containers"][0]["image"], "i:2");
    assert_eq!(
        live["metadata"]["uid"], before["metadata"]["uid"],
        "it is the same pod"
    );
    up(&namespace, &pod("i:2", ", command: [a]"))
        .expect(1)
        .says("`.spec` cannot be changed");
    let after = namespace.object("pod/one");
    assert_eq!(version(&after), version(&live));
}
