//! Experiments on sets that keep an old template, two experiments at once, and what they leave
//! behind.

use serde_json::{Value, json};

use crate::harness::Namespace;
use crate::sets;

/// Two replicas without a shared volume, each with data that its template names.
fn set(strategy: &Value, start: u32, last: &str) -> String {
    let script = "mkdir -p /data && printf '%s\\n' 1 2 3 4 $LAST > /data/keys.txt && exec dotnet FileServer.dll";
    json!({
        "apiVersion": "apps/v1",
        "kind": "StatefulSet",
        "metadata": {"name": "web"},
        "spec": {
            "serviceName": "web",
            "replicas": 2,
            "ordinals": {"start": start},
            "updateStrategy": strategy,
            "selector": {"matchLabels": {"app": "web"}},
            "template": {
                "metadata": {"labels": {"app": "web"}},
                "spec": {
                    "terminationGracePeriodSeconds": 2,
                    "containers": [{
                        "name": "api",
                        "image": "quay.io/k8sexercices/fileserver:v1.0",
                        "command": ["bash", "-c", script],
                        "env": [
                            {"name": "DATA_PATH", "value": "/data"},
                            {"name": "LAST", "value": last},
                        ],
                        "ports": [{"name": "web", "containerPort": 80}],
                        "readinessProbe": {"httpGet": {"path": "/keys", "port": 80}},
                    }],
                },
            },
        },
    })
    .to_string()
}

/// Applies the set, and then the same with another template.
fn changed(namespace: &Namespace, strategy: &Value, start: u32) {
    for (file, last) in [("old.json", "7"), ("new.json", "8")] {
        let file = namespace.file(file, &set(strategy, start, last));
        namespace
            .here(&["up", "-f", file.to_str().unwrap()])
            .expect(0);
    }
}

const SET: &str = "statefulset/web";

#[test]
fn replicas_that_wait_to_be_deleted_keep_the_old_template_and_lose_no_data() {
    let namespace = Namespace::new("on-delete");
    changed(&namespace, &json!({"type": "OnDelete"}), 0);
    let status = namespace.here(&["rollout", "status", SET]).expect(0);
    status.says("2 of 2 replicas keep the old template until they are deleted");
    let chaos = ["chaos", SET, "--path", "/keys", "--yes"];
    let dry = namespace
        .here(&[&chaos[..], &["--dry-run"]].concat())
        .expect(0);
    dry.says("`web-0` comes back at a different template revision");
    let report = namespace
        .here(&[&["-o", "json"][..], &chaos].concat())
        .expect(5)
        .report();
    assert_eq!(report["verdict"], "inconclusive", "{report:#}");
    assert_eq!(report["data"]["preserved"], Value::Null);
    assert_eq!(report["remade"][0]["pod"], "web-0");
    assert!(report["faults"][0]["proof"].is_string(), "{report:#}");
}

#[test]
fn a_restart_replaces_what_the_partition_leaves_counted_from_the_first_ordinal() {
    let namespace = Namespace::new("partition");
    let strategy = json!({"type": "RollingUpdate", "rollingUpdate": {"partition": 1}});
    changed(&namespace, &strategy, 5);
    let status = namespace.here(&["rollout", "status", SET]).expect(0);
    status.says("1 of 2 replicas keeps the old template because of `partition: 1`");
    let same = namespace.file("same.json", &set(&strategy, 5, "7"));
    namespace
        .here(&["up", "-f", same.to_str().unwrap()])
        .expect(0);
    let chaos = ["-o", "json", "chaos", SET, "--path", "/keys", "--yes"];
    let flags = ["--fault", "restart"];
    let report = namespace
        .here(&[&chaos[..], &flags].concat())
        .expect(0)
        .report();
    let faults = report["faults"].as_array().unwrap();
    assert_eq!(faults.len(), 1, "{faults:#?}");
    assert_eq!(faults[0]["pod"], "web-6");
    // Replicas below the partition are recreated from the old template.
    let report = namespace.here(&chaos).expect(0).report();
    assert_eq!(report["faults"][0]["pod"], "web-5");
}

#[test]
fn of_two_experiments_at_once_the_second_is_refused_and_told_who_runs_the_first() {
    let namespace = Namespace::new("two");
    let set = sets::built_in(&namespace, 500);
    namespace.cryptoctl(&["up", "-f", &set]).expect(0);
    let chaos = ["chaos", "-f", &set, "--path", "/keys", "--yes"];
    // The first runs for as long as the second needs to notice it.
    let mut first = namespace.start(&[&chaos[..], &["--repeat", "100"]].concat());
    first.until(|event| event["event"] == "fault");
    let second = namespace.cryptoctl(&chaos).expect(5);
    second.says("started an experiment at ");
    first.interrupt();
    first.end().expect(130);
    let leases = namespace.kubectl(&["get", "leases", "-o", "name"]);
    assert_eq!(leases, "", "it is released");
}

#[test]
fn after_a_scale_the_replicas_field_returns_to_its_owner() {
    let namespace = Namespace::new("owner");
    let set = sets::built_in(&namespace, 50);
    namespace.cryptoctl(&["up", "-f", &set]).expect(0);
    let scale = [
        "chaos",
        "-f",
        &set,
        "--path",
        "/keys",
        "--yes",
        "--fault",
        "scale",
        "--allow-disruption",
    ];
    namespace.cryptoctl(&scale).expect(0);
    namespace
        .cryptoctl(&["up", "-f", &set, "--replicas", "3"])
        .expect(0);
    let now = namespace.object("statefulset/cryptoserver");
    assert_eq!(now["spec"]["replicas"], 3);

    let mut running = namespace.start(&scale);
    running.until(|event| event["event"] == "write_finished");
    running.kill();
    namespace
        .cryptoctl(&["up", "-f", &set])
        .expect(1)
        .says("--restore`");
    namespace
        .cryptoctl(&["chaos", "-f", &set, "--restore"])
        .expect(0);
    namespace.cryptoctl(&["up", "-f", &set]).expect(0);
    let now = namespace.object("statefulset/cryptoserver");
    assert_eq!(now["spec"]["replicas"], 2);
}

/// Uncordons every node, however the test ends.
struct Uncordoned<'a>(&'a Namespace);

impl Drop for Uncordoned<'_> {
    fn drop(&mut self) {
        self.0
            .try_kubectl(&["uncordon", "--selector", "kubernetes.io/hostname"]);
    }
}

#[test]
fn a_node_is_uncordoned_although_the_workload_is_gone() {
    // All tests share the node.
    let namespace = Namespace::alone("cordon-down");
    let _guard = Uncordoned(&namespace);
    let set = sets::built_in(&namespace, 50);
    namespace.cryptoctl(&["up", "-f", &set]).expect(0);
    let mut running = namespace.start(&[
        "chaos", "-f", &set, "--path", "/keys", "--yes", "--fault", "cordon",
    ]);
    running.until(|event| event["event"] == "write_finished");
    running.kill();
    let cordoned = || namespace.kubectl(&["get", "nodes", "-o", "jsonpath={..unschedulable}"]);
    assert_eq!(cordoned(), "true");
    let restore = format!(
        "chaos statefulset/cryptoserver -n {} --restore`",
        namespace.name
    );
    namespace
        .cryptoctl(&["down", "-f", &set, "--yes"])
        .expect(0)
        .says(&restore);
    namespace
        .here(&["chaos", "statefulset/cryptoserver", "--restore"])
        .expect(0);
    assert_eq!(cordoned(), "");
}
