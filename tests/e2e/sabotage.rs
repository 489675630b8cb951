//! Every fault once on the real cluster, with its proof and its phases, and misleading states that
//! only real pods show.

use serde_json::{Value, json};

use crate::harness::{Ended, Namespace};
use crate::sets;

/// The phases of every recovery in which the pod is replaced.
const REPLACED: [&str; 10] = [
    "accepted",
    "terminating",
    "gone",
    "replaced",
    "scheduled",
    "volume_ready",
    "started",
    "ready",
    "first_right_answer",
    "all_equal",
];

/// The built-in set, up and Ready, with every step accelerated.
fn up(namespace: &Namespace) -> String {
    let set = sets::built_in(namespace, 50);
    namespace.cryptoctl(&["up", "-f", &set]).expect(0);
    set
}

fn chaos(namespace: &Namespace, set: &str, flags: &[&str]) -> Ended {
    let always = ["-o", "json", "chaos", "-f", set, "--path", "/keys", "--yes"];
    namespace.cryptoctl(&[&always[..], flags].concat())
}

fn survived(ended: Ended) -> Value {
    let report = ended.expect(0).report();
    assert_eq!(report["verdict"], "survived", "{report:#}");
    assert_eq!(report["data"]["preserved"], true);
    assert_eq!(report["not_restored"], Value::Null);
    for record in report["faults"].as_array().unwrap() {
        assert!(record["proof"].is_string(), "{record:#}");
        assert_eq!(record["wrong_answers"], 0);
    }
    report
}

/// Every phase was seen, and none before its predecessor.
#[track_caller]
fn assert_phases(record: &Value, phases: &[&str]) {
    let seen = &record["phases"];
    for phase in phases {
        assert!(seen[phase].is_u64(), "{phase} in {record:#}");
    }
    let of = |phase: &str| seen[phase].as_u64().unwrap();
    assert!(
        of("started") <= of("ready") && of("ready") <= of("all_equal"),
        "{record:#}"
    );
    assert!(of("started") <= of("first_right_answer"), "{record:#}");
}

/// The replica that was not taken is the same as ever, and is not said to have answered otherwise. How many of its
/// probes were late is a matter of the machine: the simulation holds that none is where nothing is slow.
#[track_caller]
fn assert_spared(report: &Value, before: &Value, now: &Value) {
    let identity = |pod: &Value| {
        let container = &pod["status"]["containerStatuses"][0];
        let (id, restarts) = (&container["containerID"], &container["restartCount"]);
        (pod["metadata"]["uid"].clone(), id.clone(), restarts.clone())
    };
    assert_eq!(identity(before), identity(now));
    let replica = &report["availability"]["replicas"][1];
    assert_eq!(replica["pod"], now["metadata"]["name"]);
    for state in ["wrong", "failing"] {
        assert_eq!(replica[state], 0, "{replica:#}");
    }
    assert!(replica["right"].as_u64().unwrap() > 0, "{replica:#}");
}

/// One pod is replaced, and only its own clients notice.
fn replaces_one(fault: &str) {
    let namespace = Namespace::new(fault);
    let set = up(&namespace);
    let other = namespace.object("pod/cryptoserver-1");
    let report = survived(chaos(&namespace, &set, &["--fault", fault]));
    let record = &report["faults"][0];
    assert_eq!(record["pod"], "cryptoserver-0");
    assert_ne!(record["uid_before"], record["uid_after"]);
    let now = namespace.object("pod/cryptoserver-0");
    assert_eq!(record["uid_after"], now["metadata"]["uid"]);
    assert_phases(record, &REPLACED);
    assert_spared(&report, &other, &namespace.object("pod/cryptoserver-1"));
}

#[test]
fn a_deleted_pod_is_replaced_and_the_other_replica_stays() {
    replaces_one("delete");
}

#[test]
fn a_pod_that_is_deleted_without_grace_is_replaced() {
    replaces_one("force-delete");
}

#[test]
fn an_evicted_pod_is_replaced() {
    replaces_one("evict");
}

#[test]
fn a_killed_process_restarts_in_the_same_pod() {
    let namespace = Namespace::new("kill");
    let set = up(&namespace);
    let other = namespace.object("pod/cryptoserver-1");
    let report = survived(chaos(&namespace, &set, &["--fault", "kill"]));
    let record = &report["faults"][0];
    assert_eq!(record["uid_before"], record["uid_after"]);
    assert_eq!(record["restarts_after"], json!(1), "{record:#}");
    assert_phases(record, &["accepted", "started", "ready", "all_equal"]);
    assert_spared(&report, &other, &namespace.object("pod/cryptoserver-1"));
}

#[test]
fn a_restart_replaces_every_pod() {
    let namespace = Namespace::new("restart");
    let set = up(&namespace);
    let report = survived(chaos(&namespace, &set, &["--fault", "restart"]));
    let faults = report["faults"].as_array().unwrap();
    assert_eq!(faults.len(), 2);
    for record in faults {
        assert_phases(record, &REPLACED);
    }
}

#[test]
fn all_pods_return_from_zero() {
    let namespace = Namespace::new("scale");
    let set = up(&namespace);
    let flags = ["--fault", "scale", "--allow-disruption"];
    let report = survived(chaos(&namespace, &set, &flags));
    let faults = report["faults"].as_array().unwrap();
    assert_eq!(faults.len(), 2);
    for record in faults {
        assert_phases(record, &REPLACED);
    }
}

#[test]
fn the_next_run_scales_back_what_a_killed_run_left_at_zero() {
    let namespace = Namespace::new("killed");
    let set = up(&namespace);
    let mut running = namespace.start(&[
        "chaos",
        "-f",
        &set,
        "--path",
        "/keys",
        "--yes",
        "--fault",
        "scale",
        "--allow-disruption",
    ]);
    running.until(|event| event["event"] == "write_finished");
    running.kill();
    let scaled = namespace.object("statefulset/cryptoserver");
    assert_eq!(scaled["spec"]["replicas"], 0);
    for restored in [1, 0] {
        let ended = namespace.cryptoctl(&["-o", "json", "chaos", "-f", &set, "--restore"]);
        let report = ended.expect(0).report();
        assert_eq!(report["restored"].as_array().unwrap().len(), restored);
    }
    let back = namespace.object("statefulset/cryptoserver");
    assert_eq!(back["spec"]["replicas"], 2);
    let note = &back["metadata"]["annotations"]["cryptoctl/chaos-replicas"];
    assert_eq!(*note, Value::Null);
}

#[test]
fn a_cordoned_node_takes_pods_again() {
    // All tests share the node.
    let namespace = Namespace::alone("cordon");
    let set = up(&namespace);
    let report = chaos(&namespace, &set, &["--fault", "cordon", "--timeout", "3m"])
        .expect(5)
        .report();
    // The only node is uncordoned as soon as a pod has no place to go: the others never had to, and of
    // them nothing is known.
    assert_eq!(report["verdict"], "inconclusive");
    let is_proven = |record: &Value| record["proof"].is_string();
    let is_kept = |record: &Value| record["refused"].is_string();
    let faults = report["faults"].as_array().unwrap();
    assert!(
        faults.iter().any(is_proven) && faults.iter().any(is_kept),
        "{faults:?}"
    );
    let node = namespace.object("pod/cryptoserver-0")["spec"]["nodeName"].clone();
    let node = namespace.object(&format!("node/{}", node.as_str().unwrap()));
    assert_eq!(node["spec"]["unschedulable"], Value::Null, "{node:#}");
    let left = &node["metadata"]["annotations"]["cryptoctl/chaos-cordoned-for"];
    assert_eq!(*left, Value::Null);
}

#[test]
fn a_pod_that_lingers_and_an_orphan_do_not_count() {
    let namespace = Namespace::new("orphan");
    let set = up(&namespace);
    let verify = || {
        let arguments = ["-o", "json", "verify", "-f", &set, "--path", "/keys"];
        namespace.cryptoctl(&arguments).report()
    };
    // A finalizer keeps a pod that the kubelet has long stopped, so it is not replaced.
    let patch = r#"{"metadata":{"finalizers":["example.com/stays"]}}"#;
    namespace.kubectl(&["patch", "pod", "cryptoserver-1", "-p", patch]);
    namespace.kubectl(&["delete", "pod", "cryptoserver-1", "--wait=false"]);
    let report = verify();
    assert_eq!(report["verdict"], "unhealthy", "{report:#}");
    assert_eq!(report["replicas"][1]["error"]["problem"], "terminating");
    let refused = chaos(&namespace, &set, &[]).expect(4).report();
    assert_eq!(refused["verdict"], "refused");
    let patch = r#"{"metadata":{"finalizers":null}}"#;
    namespace.kubectl(&["patch", "pod", "cryptoserver-1", "-p", patch]);
    namespace
        .cryptoctl(&["rollout", "status", "-f", &set])
        .expect(0);

    // The Service sends it requests. A name like a replica's would have the controller adopt and end it.
    let mut orphan = namespace.object("pod/cryptoserver-0");
    let labels = orphan["metadata"]["labels"]["app"].clone();
    orphan["metadata"] = json!({"name": "orphan", "labels": {"app": labels}});
    orphan["status"] = json!({});
    let file = namespace.file("orphan.json", &orphan.to_string());
    namespace.kubectl(&["create", "-f", file.to_str().unwrap()]);
    let report = verify();
    assert_eq!(report["verdict"], "unhealthy", "{report:#}");
    let findings = report["findings"].to_string();
    assert!(
        findings.contains("`orphan` matches the selector but should not exist"),
        "{findings}"
    );
}
