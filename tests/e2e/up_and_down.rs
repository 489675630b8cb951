//! `up`, `diff`, `logs` and `down` on the real cluster, without faults.

use serde_json::Value;

use crate::harness::Namespace;
use crate::sets;

const SETTINGS: &str = "apiVersion: v1
kind: ConfigMap
metadata: {name: settings}
data: {mode: \"0400\"}
---
apiVersion: v1
kind: Secret
metadata: {name: password}
stringData: {password: correct-horse}
";

fn version(namespace: &Namespace, object: &str) -> String {
    namespace.object(object)["metadata"]["resourceVersion"]
        .as_str()
        .unwrap()
        .to_owned()
}

#[test]
fn a_set_that_has_not_drifted_is_left_alone() {
    let namespace = Namespace::new("unchanged");
    let set = sets::built_in(&namespace, 50);
    namespace
        .cryptoctl(&["up", "-f", &set])
        .expect(0)
        .says("namespace");
    let objects = [
        "statefulset/cryptoserver",
        "service/cryptoserver",
        "pvc/cryptodata",
        "pdb/cryptoserver",
    ];
    let before: Vec<String> = objects
        .iter()
        .map(|object| version(&namespace, object))
        .collect();
    let report = namespace
        .cryptoctl(&["-o", "json", "up", "-f", &set])
        .expect(0)
        .report();
    for object in report["objects"].as_array().unwrap() {
        assert_eq!(object["action"], "keep", "{object}");
    }
    let after: Vec<String> = objects
        .iter()
        .map(|object| version(&namespace, object))
        .collect();
    assert_eq!(before, after, "no resourceVersion moves");
    namespace.cryptoctl(&["diff", "-f", &set]).expect(0);
}

#[test]
fn diff_shows_what_up_then_does_and_never_a_secret() {
    let namespace = Namespace::new("diff");
    let file = namespace.file("settings.yaml", SETTINGS);
    let file = file.to_str().unwrap();
    let absent = namespace.here(&["diff", "-f", file]).expect(3);
    assert!(
        absent.stdout.contains("+  mode: \"0400\""),
        "{}",
        absent.stdout
    );
    assert!(
        !namespace
            .try_kubectl(&["get", "namespace", &namespace.name])
            .status
            .success()
    );
    namespace.here(&["up", "-f", file]).expect(0);
    namespace.here(&["diff", "-f", file]).expect(0);
    let changed = SETTINGS
        .replace("0400", "0600")
        .replace("correct-horse", "battery-staple");
    namespace.file("settings.yaml", &changed);
    let differs = namespace.here(&["diff", "-f", file]).expect(3);
    assert!(
        differs
            .stdout
            .contains("-  mode: \"0400\"  # cryptoctl\n+  mode: \"0600\"\n"),
        "{}",
        differs.stdout
    );
    assert!(differs.stdout.contains("*** (before)") && differs.stdout.contains("*** (after)"));
    for secret in [
        "correct-horse",
        "battery-staple",
        "Y29ycmVjdC1ob3JzZQ==",
        "YmF0dGVyeS1zdGFwbGU=",
    ] {
        assert!(!differs.stdout.contains(secret), "{}", differs.stdout);
    }
    namespace.here(&["up", "-f", file]).expect(0);
    namespace.here(&["diff", "-f", file]).expect(0);
}

#[test]
fn three_replicas_keep_two_at_all_times() {
    let namespace = Namespace::new("three");
    let set = sets::built_in(&namespace, 50);
    namespace
        .cryptoctl(&["up", "-f", &set, "--replicas", "3"])
        .expect(0);
    let budget = namespace.object("pdb/cryptoserver");
    assert_eq!(budget["status"]["desiredHealthy"], 2, "{budget}");
    let report = namespace
        .cryptoctl(&["-o", "json", "verify", "-f", &set, "--path", "/keys"])
        .expect(0)
        .report();
    assert_eq!(
        report["groups"][0]["ordinals"],
        serde_json::json!([0, 1, 2])
    );
}

#[test]
fn logs_come_from_every_replica() {
    let namespace = Namespace::new("logs");
    let set = sets::built_in(&namespace, 50);
    namespace.cryptoctl(&["up", "-f", &set]).expect(0);
    let logs = namespace.cryptoctl(&["logs", "-f", &set]).expect(0);
    for pod in ["cryptoserver-0", "cryptoserver-1"] {
        let line = logs.stdout.lines().find(|line| line.contains(pod));
        assert!(
            line.is_some_and(|line| line.contains("Starting API Host.")),
            "{}",
            logs.stdout
        );
    }
    let mut following = namespace.start(&["logs", "statefulset/cryptoserver", "--follow"]);
    following.until(|event| event["event"] == "log_line" && event["ordinal"] == 1);
    following.interrupt();
    assert_eq!(following.end().code, 130);
}

#[test]
fn down_deletes_data_only_when_told_and_a_namespace_only_when_it_is_ours_and_empty() {
    let namespace = Namespace::new("down");
    let set = sets::built_in(&namespace, 50);
    namespace
        .cryptoctl(&["up", "-f", &set, "--no-wait"])
        .expect(0);
    namespace.kubectl(&["create", "configmap", "foreign"]);
    namespace
        .cryptoctl(&["down", "-f", &set])
        .expect(2)
        .says("--yes");
    let kept = namespace
        .cryptoctl(&["down", "-f", &set, "--delete-data", "--yes"])
        .expect(0);
    kept.says("configmap/foreign");
    assert!(
        !namespace
            .try_kubectl(&["get", "pvc/cryptodata"])
            .status
            .success()
    );
    namespace.object("configmap/foreign");
    namespace.kubectl(&["delete", "configmap", "foreign"]);
    namespace
        .cryptoctl(&["down", "-f", &set, "--delete-data", "--yes"])
        .expect(0);
    assert!(
        !namespace
            .try_kubectl(&["get", "namespace", &namespace.name])
            .status
            .success()
    );
}

#[test]
fn a_namespace_that_was_there_before_stays() {
    let namespace = Namespace::new("theirs");
    namespace.kubectl(&["create", "namespace", &namespace.name]);
    let file = namespace.file("settings.yaml", SETTINGS);
    let file = file.to_str().unwrap();
    namespace.here(&["up", "-f", file]).expect(0);
    namespace
        .here(&["down", "-f", file, "--delete-data", "--yes"])
        .expect(0);
    assert_eq!(
        namespace.object(&format!("namespace/{}", namespace.name))["status"]["phase"],
        "Active"
    );
}

#[test]
fn ctrl_c_says_what_was_and_was_not_done() {
    let namespace = Namespace::new("interrupted");
    let set = sets::stage(&namespace, "3-refined", 5000);
    let mut up = namespace.start(&["up", "-f", &set]);
    up.until(|event| event["event"] == "rollout");
    up.interrupt();
    let ended = up.end();
    assert_eq!(ended.code, 130, "{}", ended.stderr);
    let events = ended.events();
    let last = events.last().unwrap();
    assert_eq!(last["status"], "interrupted");
    let written =
        |event: &&Value| event["event"] == "write_finished" && event["result"]["result"] == "done";
    assert_eq!(
        events.iter().filter(written).count(),
        3,
        "namespace, claim and StatefulSet"
    );
}

#[test]
fn a_definition_and_its_object_go_together() {
    let namespace = Namespace::new("definition");
    let plural = "gadgets";
    let group = format!("{}.example.org", namespace.name);
    let text = format!(
        "apiVersion: {group}/v1
kind: Gadget
metadata: {{name: one}}
spec: {{size: 3}}
---
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {{name: {plural}.{group}}}
spec:
  group: {group}
  scope: Namespaced
  names: {{kind: Gadget, plural: {plural}, singular: gadget}}
  versions:
    - name: v1
      served: true
      storage: true
      schema: {{openAPIV3Schema: {{type: object, x-kubernetes-preserve-unknown-fields: true}}}}
"
    );
    let file = namespace.file("gadget.yaml", &text);
    let file = file.to_str().unwrap();
    let report = namespace
        .here(&["-o", "json", "up", "-f", file])
        .expect(0)
        .report();
    let waited = report["waited"].as_array().unwrap();
    let state = |kind: &str| {
        let found = waited
            .iter()
            .find(|waited| waited["object"]["kind"] == kind)
            .unwrap();
        found["status"]["state"].clone()
    };
    assert_eq!(state("CustomResourceDefinition"), "ready");
    assert_eq!(state("Gadget"), "not_waited_for");
    namespace.here(&["up", "-f", file]).expect(0).says("gadget");
    namespace
        .here(&["down", "-f", file, "--yes"])
        .expect(0)
        .says("customresourcedefinition");
    namespace
        .here(&["down", "-f", file, "--yes", "--delete-data"])
        .expect(0);
    assert!(
        !namespace
            .try_kubectl(&["get", "crd", &format!("{plural}.{group}")])
            .status
            .success()
    );
}
