//! `--roll-on-config-change`: real controllers replace the pods, and the new ones see what has changed.

use serde_json::Value;

use crate::harness::Namespace;

const ROLL: &str = "--roll-on-config-change";

const SET: &str = "apiVersion: apps/v1
kind: StatefulSet
metadata: {name: web}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      terminationGracePeriodSeconds: 0
      containers:
      - name: web
        image: quay.io/k8sexercices/fileserver:v1.0
        command: [sleep, '3600']
        envFrom: [{configMapRef: {name: settings}}]
        volumeMounts: [{name: key, mountPath: /key}]
      volumes: [{name: key, secret: {secretName: key}}]
";

fn file(namespace: &Namespace, kind: &str, name: &str, fields: &str) {
    let text = format!("apiVersion: v1\nkind: {kind}\nmetadata: {{name: {name}}}\n{fields}\n");
    namespace.file(&format!("set/{name}.yaml"), &text);
}

/// The pods' identities and what their containers see.
fn pods(namespace: &Namespace) -> Vec<(Value, String)> {
    let see = ["--", "sh", "-c", "echo $MODE; cat /key/key"];
    let pod = |name: &str| {
        let uid = namespace.object(&format!("pod/{name}"))["metadata"]["uid"].clone();
        (
            uid,
            namespace.kubectl(&[&["exec", name][..], &see].concat()),
        )
    };
    ["web-0", "web-1"].map(pod).to_vec()
}

/// When a pod was created, and when it became Ready.
fn times(namespace: &Namespace, name: &str) -> (String, String) {
    let pod = namespace.object(&format!("pod/{name}"));
    let conditions = pod["status"]["conditions"].as_array().unwrap();
    let ready = conditions.iter().find(|it| it["type"] == "Ready").unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let created = text(&pod["metadata"]["creationTimestamp"]);
    (created, text(&ready["lastTransitionTime"]))
}

#[test]
fn pods_see_what_has_changed_one_after_the_other() {
    let namespace = Namespace::new("roll");
    namespace.file("set/set.yaml", SET);
    file(&namespace, "ConfigMap", "settings", "data: {MODE: fast}");
    file(&namespace, "Secret", "key", "stringData: {key: abc}");
    let folder = namespace.folder().join("set");
    let set = folder.to_str().unwrap();
    let run = |verb: &str, flags: &[&str]| namespace.here(&[&[verb, "-f", set], flags].concat());

    run("up", &[ROLL]).expect(0);
    let first = pods(&namespace);
    assert!(
        first.iter().all(|(_, seen)| seen == "fast\nabc"),
        "{first:?}"
    );
    // The same contents, written otherwise.
    file(&namespace, "Secret", "key", "data: {key: YWJj}");
    run("diff", &[ROLL]).expect(0);
    run("up", &[ROLL]).expect(0);
    assert_eq!(pods(&namespace), first);

    for (kind, name, fields, seen) in [
        ("ConfigMap", "settings", "data: {MODE: slow}", "slow\nabc"),
        ("Secret", "key", "stringData: {key: def}", "slow\ndef"),
    ] {
        let before = pods(&namespace);
        file(&namespace, kind, name, fields);
        let shown = run("diff", &[ROLL]).expect(3);
        let annotation = "cryptoctl/config-digest";
        assert!(shown.stdout.contains(annotation), "{}", shown.stdout);
        run("up", &[ROLL]).expect(0);
        let after = pods(&namespace);
        for (before, after) in before.iter().zip(&after) {
            assert_ne!(before.0, after.0, "{name}");
            assert_eq!(after.1, seen);
        }
        let (_, ready) = times(&namespace, "web-1");
        let (created, _) = times(&namespace, "web-0");
        assert!(
            ready <= created,
            "the second one only once the first is Ready"
        );
    }

    // Without the flag, the annotation goes, and from then on nothing is replaced.
    run("up", &[]).expect(0);
    let without = pods(&namespace);
    file(&namespace, "ConfigMap", "settings", "data: {MODE: fast}");
    run("up", &[]).expect(0);
    assert_eq!(pods(&namespace), without);
}
