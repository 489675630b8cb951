//! Which process answers, which one restarts, and which pods are replicas.

use std::net::TcpListener;

use serde_json::{Value, json};

use crate::harness::{Ended, Namespace};

const IMAGE: &str = "quay.io/k8sexercices/fileserver:v1.0";
const SERVE: &str =
    r#"mkdir -p /data && printf "1\n2\n3\n4\n5\n" > /data/keys.txt && exec dotnet FileServer.dll"#;

fn container(name: &str, command: &[&str]) -> Value {
    json!({"name": name, "image": IMAGE, "command": command,
           "env": [{"name": "DATA_PATH", "value": "/data"}]})
}

/// A container that serves the keys.
fn serving(name: &str) -> Value {
    let mut container = container(name, &["bash", "-c", SERVE]);
    container["ports"] = json!([{"name": "web", "containerPort": 80}]);
    container["readinessProbe"] =
        json!({"httpGet": {"path": "/keys", "port": "web"}, "periodSeconds": 1});
    container
}

/// A container that does nothing.
fn idle(name: &str) -> Value {
    let wait = "trap 'exit 0' TERM; while :; do sleep 1 & wait $!; done";
    container(name, &["bash", "-c", wait])
}

fn pod_template(mut pod: Value) -> Value {
    pod["terminationGracePeriodSeconds"] = json!(1);
    json!({"metadata": {"labels": {"app": "web"}}, "spec": pod})
}

/// A StatefulSet `web` of two such pods.
fn stateful_set(pod: Value) -> Value {
    json!({
        "apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": {"name": "web"},
        "spec": {"serviceName": "web", "replicas": 2, "podManagementPolicy": "Parallel",
                 "selector": {"matchLabels": {"app": "web"}}, "template": pod_template(pod)},
    })
}

/// Deploys objects in their own namespace.
fn up(test: &str, objects: &[Value]) -> Namespace {
    let namespace = Namespace::new(test);
    let space =
        json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace.name}});
    let mut documents = vec![space.to_string()];
    documents.extend(objects.iter().map(Value::to_string));
    let file = namespace.file("set.yaml", &documents.join("\n---\n"));
    namespace
        .here(&["up", "-f", file.to_str().unwrap()])
        .expect(0);
    namespace
}

fn on_web(namespace: &Namespace, verb: &[&str], flags: &[&str]) -> Ended {
    namespace.here(&[&["-o", "json"], verb, &["statefulset/web"], flags].concat())
}

const CHAOS: [&str; 2] = ["chaos", "--yes"];
const KEYS: [&str; 2] = ["--path", "/keys"];

#[test]
fn a_native_sidecar_is_a_container_like_any_other() {
    let mut server = serving("server");
    server["restartPolicy"] = json!("Always");
    let pod = json!({"initContainers": [server], "containers": [idle("main")]});
    let namespace = up("sidecar", &[stateful_set(pod)]);
    on_web(&namespace, &["verify"], &KEYS).expect(0);
    let kill = [&KEYS[..], &["--fault", "kill"]].concat();
    // On a busy machine the container may be back before a probe finds it away.
    let ended = namespace.eventually("an outage is seen", || {
        let ended = on_web(&namespace, &CHAOS, &kill);
        let is_missed = ended.code == 5 && ended.stdout.contains("answered without an outage");
        (!is_missed).then_some(ended)
    });
    let report = ended.expect(0).report();
    assert_eq!(report["verdict"], "survived", "{report:#}");
    assert_eq!(report["experiment"]["container"], "server");
    let restarts = |key: &str| report["faults"][0][key].as_i64().unwrap();
    assert_eq!(restarts("restarts_after"), restarts("restarts_before") + 1);
    let restarts = restarts("restarts_after");
    // kubectl's columns and ours have to agree.
    let row = namespace.kubectl(&["get", "pod", "web-0", "--no-headers"]);
    let columns: Vec<&str> = row.split_whitespace().collect();
    assert_eq!(&columns[1..3], ["2/2", "Running"], "{row}");
    assert_eq!(columns[3], restarts.to_string(), "{row}");
    let progress = on_web(&namespace, &["rollout", "status"], &[]).expect(0);
    let pod = progress.report()["progress"]["replicas"][0]["pod"].clone();
    assert_eq!(pod["ready"], json!([2, 2]), "{pod}");
    assert_eq!(pod["restarts"], restarts, "{pod}");
    let logs = namespace.here(&["logs", "statefulset/web"]).expect(0);
    assert!(logs.stdout.contains("web-1"), "{}", logs.stdout);
}

#[test]
fn the_labels_of_a_replica_do_not_make_a_pod_a_replica() {
    let deployment = json!({
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"},
        "spec": {"replicas": 1, "selector": {"matchLabels": {"app": "web"}},
                 "template": pod_template(json!({"containers": [idle("main")]}))},
    });
    let pod = json!({"containers": [serving("api")]});
    let namespace = up("strangers", &[stateful_set(pod), deployment]);
    let report = on_web(&namespace, &["verify"], &KEYS).expect(0).report();
    let note = report["notes"][0].as_str().unwrap();
    assert!(note.contains("belongs to `replicaset/web-"), "{note}");
    let logs = namespace.here(&["logs", "statefulset/web"]).expect(0);
    let is_of_replica = |line: &str| line.starts_with("web-0 ") || line.starts_with("web-1 ");
    assert!(logs.stdout.lines().all(is_of_replica), "{}", logs.stdout);
    let in_turn = [&KEYS[..], &["--all-in-turn"]].concat();
    let report = on_web(&namespace, &CHAOS, &in_turn).expect(0).report();
    assert_eq!(report["faults"].as_array().map(Vec::len), Some(2));

    namespace.kubectl(&[
        "run", "stray", "-l", "app=web", "--image", IMAGE, "--", "sleep", "3600",
    ]);
    let report = on_web(&namespace, &["verify"], &KEYS).expect(4).report();
    let findings = report["findings"].to_string();
    assert!(
        findings.contains("`stray` matches the selector"),
        "{findings}"
    );
}

#[test]
fn an_answer_on_the_network_of_a_node_proves_nothing() {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr();
    let port = port.unwrap().port();
    let script = format!(
        "mkdir -p /www; echo hello > /www/same.txt; \
         busybox httpd -f -p 127.0.0.1:{port} -h /www; sleep 3600"
    );
    let pod =
        json!({"hostNetwork": true, "containers": [container("main", &["bash", "-c", &script])]});
    let namespace = up("host-network", &[stateful_set(pod)]);
    let port = port.to_string();
    let same = ["--port", &port, "--path", "/same.txt"];
    let report = on_web(&namespace, &["verify"], &same).expect(5).report();
    let shared = "shares the network of node";
    assert!(
        report["findings"].to_string().contains(shared),
        "{report:#}"
    );
    let refused = on_web(&namespace, &CHAOS, &same).expect(5).report();
    assert_eq!(refused["verdict"], "refused", "{refused:#}");
    assert_eq!(refused["faults"], json!([]));
    // Whichever of the two got the port: alone on the node it proves nothing either, and the kubelet's
    // own port is no replica's.
    namespace.kubectl(&["scale", "statefulset/web", "--replicas=1"]);
    namespace
        .here(&["rollout", "status", "statefulset/web"])
        .expect(0);
    for (port, path) in [(port.as_str(), "/same.txt"), ("10248", "/healthz")] {
        let ended = on_web(&namespace, &["verify"], &["--port", port, "--path", path]);
        assert!([4, 5].contains(&ended.code), "{}", ended.stdout);
    }
}

#[test]
fn a_kill_never_hits_the_pause_process_instead_of_the_server() {
    let pod =
        json!({"shareProcessNamespace": true, "containers": [serving("api"), idle("helper")]});
    let namespace = up("processes", &[stateful_set(pod)]);
    let kill = [&KEYS[..], &["--fault", "kill"]].concat();
    on_web(&namespace, &CHAOS, &kill)
        .expect(2)
        .says("shareProcessNamespace");
    let pod = namespace.object("pod/web-0");
    for status in pod["status"]["containerStatuses"].as_array().unwrap() {
        assert_eq!(status["restartCount"], 0, "{status:#}");
    }
    on_web(&namespace, &CHAOS, &KEYS).expect(0);
}
