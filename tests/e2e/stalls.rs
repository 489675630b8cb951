//! What keeps a workload from becoming Ready on the real cluster, named by one cause whose first command works when it
//! is pasted.

use serde_json::Value;

use crate::harness::{Ended, Namespace};

const IMAGE: &str = "quay.io/k8sexercices/fileserver:v1.0";
const SLEEPS: &str = "command: [sleep, \"3600\"]";

/// A StatefulSet with one replica, from its metadata, its pod spec and its container.
fn set(metadata: &str, pod: &str, image: &str, container: &str) -> String {
    format!(
        "apiVersion: apps/v1\nkind: StatefulSet\nmetadata: {{name: web}}\nspec:\n  serviceName: web\n  replicas: 1\n  \
         selector: {{matchLabels: {{app: web}}}}\n  template:\n    metadata: {{labels: {{app: web}}, {metadata}}}\n    spec:\n      \
         terminationGracePeriodSeconds: 1\n      {pod}\n      containers:\n      - {{name: main, image: \"{image}\", {container}}}\n"
    )
}

/// Applies objects with kubectl, which checks no references, and follows the rollout.
fn followed(namespace: &Namespace, objects: &str, timeout: &str) -> Ended {
    let file = namespace.file("set.yaml", objects);
    let exists = namespace.try_kubectl(&["get", "namespace", &namespace.name]);
    if !exists.status.success() {
        namespace.kubectl(&["create", "namespace", &namespace.name]);
    }
    namespace.kubectl(&["apply", "-f", file.to_str().unwrap()]);
    let status = ["rollout", "status", "statefulset/web", "--timeout", timeout];
    namespace.here(&[&["-o", "json"], &status[..]].concat())
}

/// Asserts that a rollout failed because of this, and that the first command works.
#[track_caller]
fn failed(namespace: &Namespace, ended: Ended, cause: &str, words: &str) -> Value {
    let report = ended.expect(4).report();
    let found = &report["progress"]["cause"];
    assert_eq!(found["cause"], cause, "{report:#}");
    let message = found["message"].as_str().unwrap();
    assert!(message.contains(words), "{report:#}");
    for evidence in found["evidence"].as_array().unwrap() {
        assert!(evidence["object"]["name"].is_string(), "{report:#}");
    }
    assert_ne!(found["evidence"][0], Value::Null, "{report:#}");
    let next = found["next"][0].as_str().unwrap();
    if next.starts_with("cryptoctl ") {
        let command = format!("{next} --yes --no-evidence --no-wait");
        namespace.paste(&command).expect(0);
    } else {
        let arguments: Vec<&str> = next.split(' ').skip(1).collect();
        namespace.kubectl(&arguments);
    }
    report
}

#[test]
fn the_first_report_of_a_missing_image_is_enough() {
    let namespace = Namespace::new("first-report");
    let absent = "quay.io/k8sexercices/fileserver:absent";
    let ended = followed(&namespace, &set("", "", absent, SLEEPS), "180s");
    let report = failed(&namespace, ended, "image_not_found", absent);
    let pod = &report["progress"]["replicas"][0]["pod"];
    assert_eq!(pod["status"], "ErrImagePull", "{report:#}");
    let denied = "quay.io/denied/fileserver:v1.0";
    let ended = followed(&namespace, &set("", "", denied, SLEEPS), "180s");
    // The pod is of the old revision, and broken for a reason of its own. The command deletes it.
    failed(&namespace, ended, "stuck_revision", "old revision");
    let ended = followed(&namespace, &set("", "", denied, SLEEPS), "180s");
    failed(&namespace, ended, "image_access_denied", denied);
    let never = "imagePullPolicy: Never, command: [sleep, \"3600\"]";
    namespace.kubectl(&["delete", "statefulset", "web"]);
    let ended = followed(&namespace, &set("", "", "absent:1", never), "180s");
    failed(&namespace, ended, "image_never_pulled", "absent:1");
    namespace.kubectl(&["delete", "statefulset", "web"]);
    let ended = followed(&namespace, &set("", "", "In_Valid:1", SLEEPS), "180s");
    failed(&namespace, ended, "invalid_image_name", "In_Valid:1");
}

#[test]
fn a_program_that_does_not_exist_is_named() {
    let namespace = Namespace::new("program");
    for (program, words) in [("/nope", "`/nope`"), ("nope", "`nope`")] {
        let command = format!("command: [{program}]");
        let ended = followed(&namespace, &set("", "", IMAGE, &command), "180s");
        failed(&namespace, ended, "command_not_found", words);
        namespace.kubectl(&["delete", "statefulset", "web"]);
    }
}

#[test]
fn what_a_pod_lacks_is_named() {
    let namespace = Namespace::new("lacks");
    let map = "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: theme}\ndata: {size: big}\n";
    let of = |kind: &str, name: &str| {
        format!(
            "{SLEEPS}, env: [{{name: COLOR, valueFrom: {{{kind}KeyRef: {{name: {name}, key: color}}}}}}]"
        )
    };
    let table = [
        (
            of("configMap", "theme"),
            "missing_key",
            "`color` of `configmap/theme`",
        ),
        (
            of("configMap", "late"),
            "missing_config_map",
            "`configmap/late`",
        ),
        (of("secret", "late"), "missing_secret", "`secret/late`"),
    ];
    for (container, cause, words) in table {
        let objects = format!("{}{map}", set("", "", IMAGE, &container));
        let ended = followed(&namespace, &objects, "180s");
        failed(&namespace, ended, cause, words);
        namespace.kubectl(&["delete", "statefulset", "web"]);
    }
    let volume = "volumes: [{name: v, secret: {secretName: login}}]";
    let mounts = format!("{SLEEPS}, volumeMounts: [{{name: v, mountPath: /login}}]");
    let ended = followed(&namespace, &set("", volume, IMAGE, &mounts), "180s");
    failed(&namespace, ended, "missing_secret", "`secret/login`");
}

#[test]
fn a_claim_without_a_volume_is_told_apart() {
    let namespace = Namespace::new("claims");
    let mounts = "volumes: [{name: v, persistentVolumeClaim: {claimName: data}}]";
    let claim = |class: &str| {
        format!(
            "---\napiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {{name: data}}\nspec: {{accessModes: [ReadWriteOnce], \
             storageClassName: \"{class}\", resources: {{requests: {{storage: 1Mi}}}}}}\n"
        )
    };
    let set = set("", mounts, IMAGE, SLEEPS);
    let missing = followed(&namespace, &set, "180s");
    let words = "`persistentvolumeclaim/data`, which does not exist";
    failed(&namespace, missing, "claim_missing", words);
    let class = format!("{}-class", namespace.name);
    let no_class = followed(&namespace, &format!("{set}{}", claim(&class)), "180s");
    failed(&namespace, no_class, "storage_class_missing", &class);
    namespace.kubectl(&["delete", "persistentvolumeclaim", "data", "--wait=false"]);
    namespace.kubectl(&["delete", "statefulset", "web"]);
    namespace.eventually("the claim is gone", || {
        let claim = namespace.try_kubectl(&["get", "persistentvolumeclaim", "data"]);
        (!claim.status.success()).then_some(())
    });
    // Somebody may make a volume at any time, so only the deadline ends the wait.
    let by_hand = followed(&namespace, &format!("{set}{}", claim("")), "25s");
    failed(&namespace, by_hand, "no_provisioner", "no storage class");
}

#[test]
fn a_pod_that_no_node_takes_is_unhealthy_at_the_deadline() {
    let namespace = Namespace::new("no-node");
    let selects = "nodeSelector: {example.com/disk: ssd}";
    let ended = followed(&namespace, &set("", selects, IMAGE, SLEEPS), "25s");
    let report = failed(&namespace, ended, "unschedulable", "node selector");
    let evidence = report["progress"]["cause"]["evidence"].to_string();
    assert!(evidence.contains("no node has that label"), "{report:#}");
    assert!(evidence.contains("PodScheduled"), "{report:#}");
}

#[test]
fn a_pod_that_a_finalizer_holds_is_named_with_it() {
    let namespace = Namespace::new("held");
    let held = "finalizers: [example.com/hold]";
    let set = set(held, "", IMAGE, SLEEPS);
    followed(&namespace, &set, "180s").expect(0);
    namespace.kubectl(&["delete", "pod", "web-0", "--wait=false"]);
    let ended = followed(&namespace, &set, "40s");
    failed(&namespace, ended, "stuck_terminating", "`example.com/hold`");
    namespace.kubectl(&["delete", "statefulset", "web"]);
    let freed = r#"{"metadata":{"finalizers":null}}"#;
    namespace.kubectl(&["patch", "pod", "web-0", "--type=merge", "-p", freed]);
}

#[test]
fn a_broken_pod_that_the_strategy_keeps_is_told_apart() {
    let namespace = Namespace::new("kept");
    let absent = "quay.io/k8sexercices/fileserver:absent";
    let strategy = |strategy: &str, image: &str| {
        let set = set("", "", image, SLEEPS);
        set.replace(
            "  replicas: 1\n",
            &format!("  replicas: 1\n  updateStrategy: {strategy}\n"),
        )
    };
    for (kept, cause, words) in [
        ("{type: OnDelete}", "on_delete", "`OnDelete`"),
        (
            "{rollingUpdate: {partition: 1}}",
            "partition",
            "partition 1",
        ),
    ] {
        followed(&namespace, &strategy(kept, absent), "180s").expect(4);
        let report = followed(&namespace, &strategy(kept, IMAGE), "180s");
        let report = report.expect(4).report();
        let found = &report["progress"]["cause"];
        assert_eq!(found["cause"], cause, "{report:#}");
        assert!(found["message"].to_string().contains(words), "{report:#}");
        namespace.kubectl(&["delete", "statefulset", "web"]);
    }
}
