//! The exercise's own story: each stage behaves on the real cluster as the exercise says.

use serde_json::Value;

use crate::harness::Namespace;
use crate::sets;

/// Verifies until the answer satisfies the condition, and returns its report.
fn verified(
    namespace: &Namespace,
    set: &str,
    what: &str,
    accept: impl Fn(&Value) -> bool,
) -> Value {
    namespace.eventually(what, || {
        let ended = namespace.cryptoctl(&["-o", "json", "verify", "-f", set, "--path", "/keys"]);
        let report = ended.report();
        accept(&report).then_some(report)
    })
}

fn succeeded(report: &Value) -> bool {
    report["verdict"] == "success"
}

fn sha256(report: &Value) -> String {
    report["groups"][0]["sha256"].as_str().unwrap().to_owned()
}

#[test]
fn the_skeleton_answers_500_everywhere_and_verify_says_so() {
    let namespace = Namespace::new("skeleton");
    let set = sets::stage(&namespace, "1-skeleton", 100);
    namespace
        .cryptoctl(&["up", "-f", &set])
        .expect(0)
        .says("created");
    let wrong = |report: &Value| {
        report["replicas"]
            .as_array()
            .unwrap()
            .iter()
            .all(|replica| replica["status"] == 500)
    };
    let report = verified(&namespace, &set, "every replica answers 500", wrong);
    assert_eq!(report["verdict"], "unhealthy");
    assert_eq!(report["replicas"].as_array().unwrap().len(), 2);
    namespace
        .cryptoctl(&["verify", "-f", &set, "--path", "/keys"])
        .expect(4)
        .says("answered with status 500");
    namespace
        .cryptoctl(&["chaos", "-f", &set, "--path", "/keys", "--yes"])
        .expect(4);
    let pods: Value =
        serde_json::from_str(&namespace.kubectl(&["get", "pods", "-o", "json"])).unwrap();
    let deleted = |pod: &Value| !pod["metadata"]["deletionTimestamp"].is_null();
    assert!(
        !pods["items"].as_array().unwrap().iter().any(deleted),
        "what is broken is not broken further"
    );
}

#[test]
fn the_naive_stage_does_not_survive_and_chaos_quotes_why() {
    let namespace = Namespace::new("naive");
    // Generation outlasts the rollout: the readiness probe passes on the empty file.
    let set = sets::stage(&namespace, "2-naive", 9000);
    namespace.cryptoctl(&["up", "-f", &set]).expect(0);
    let early = namespace.cryptoctl(&["-o", "json", "verify", "-f", &set, "--path", "/keys"]);
    let report = early.expect(4).report();
    assert_eq!(
        report["replicas"][0]["error"]["problem"], "not_listening",
        "{report}"
    );
    verified(&namespace, &set, "generation ends", succeeded);
    let chaos = namespace
        .cryptoctl(&[
            "-o", "json", "chaos", "-f", &set, "--path", "/keys", "--yes",
        ])
        .expect(4);
    let report = chaos.report();
    assert_eq!(report["verdict"], "failed");
    assert_eq!(report["cause"]["cause"], "crash_loop");
    let evidence = report["cause"]["evidence"].to_string();
    assert!(
        evidence.contains("Keys file") && evidence.contains("already exists"),
        "{evidence}"
    );
    assert_ne!(
        report["faults"][0]["uid_before"],
        report["faults"][0]["uid_after"]
    );
}

#[test]
fn the_refined_stage_survives_and_finds_its_keys_again() {
    let namespace = Namespace::new("refined");
    let set = sets::stage(&namespace, "3-refined", 200);
    survives_and_returns(&namespace, &set);
}

#[test]
fn the_built_in_set_survives_and_finds_its_keys_again() {
    let namespace = Namespace::new("builtin");
    let set = sets::built_in(&namespace, 200);
    survives_and_returns(&namespace, &set);
}

fn survives_and_returns(namespace: &Namespace, set: &str) {
    namespace.cryptoctl(&["up", "-f", set]).expect(0);
    let first = sha256(&verified(namespace, set, "all replicas answer", succeeded));
    let report = namespace
        .cryptoctl(&["-o", "json", "chaos", "-f", set, "--path", "/keys", "--yes"])
        .expect(0)
        .report();
    assert_eq!(report["verdict"], "survived");
    assert_eq!(report["data"]["preserved"], true);
    assert_eq!(report["data"]["before_sha256"], first.as_str());
    let record = &report["faults"][0];
    assert!(
        record["uid_after"].is_string() && record["uid_after"] != record["uid_before"],
        "{record}"
    );
    let down = namespace.cryptoctl(&["down", "-f", set, "--yes"]).expect(0);
    let down = down.says("cryptodata");
    assert!(down.stderr.contains("kept"), "{}", down.stderr);
    assert_eq!(
        namespace.object("persistentvolumeclaim/cryptodata")["status"]["phase"],
        "Bound"
    );
    assert!(
        !namespace
            .try_kubectl(&["get", "statefulset/cryptoserver"])
            .status
            .success()
    );
    namespace.cryptoctl(&["up", "-f", set]).expect(0);
    let again = sha256(&verified(
        namespace,
        set,
        "all replicas answer again",
        succeeded,
    ));
    assert_eq!(again, first, "the keys on the kept claim are the same");
}

/// Deletes pod -0 without grace while its program generates, and waits for its successor.
fn killed_while_generating(namespace: &Namespace, set: &str, container: &str) {
    namespace
        .cryptoctl(&["up", "-f", set, "--no-wait"])
        .expect(0);
    namespace.eventually("generation begins", || {
        let log = namespace.try_kubectl(&["logs", "cryptoserver-0", "-c", container]);
        String::from_utf8_lossy(&log.stdout)
            .contains("Generated key 1")
            .then_some(())
    });
    let uid = namespace.object("pod/cryptoserver-0")["metadata"]["uid"].clone();
    namespace.kubectl(&[
        "delete",
        "pod",
        "cryptoserver-0",
        "--grace-period=0",
        "--force",
    ]);
    namespace.eventually("the pod is replaced", || {
        let pod = namespace.try_kubectl(&["get", "pod", "cryptoserver-0", "-o", "json"]);
        let pod: Value = serde_json::from_slice(&pod.stdout).ok()?;
        (pod["metadata"]["uid"] != uid).then_some(())
    });
}

#[test]
fn a_kill_while_generating_leaves_the_refined_stage_empty_and_verify_notices() {
    let namespace = Namespace::new("refined-killed");
    let set = sets::stage(&namespace, "3-refined", 3000);
    killed_while_generating(&namespace, &set, "api");
    namespace
        .cryptoctl(&["rollout", "status", "-f", &set])
        .expect(0);
    let empty = |report: &Value| {
        let replicas = report["replicas"].as_array().unwrap();
        replicas
            .iter()
            .all(|replica| replica["error"]["problem"] == "empty")
    };
    let report = verified(
        &namespace,
        &set,
        "both replicas serve the empty file",
        empty,
    );
    assert_eq!(
        report["verdict"], "unhealthy",
        "agreement on nothing is no agreement"
    );
}

#[test]
fn a_kill_while_generating_does_not_harm_the_built_in_set() {
    let namespace = Namespace::new("builtin-killed");
    let set = sets::built_in(&namespace, 2000);
    killed_while_generating(&namespace, &set, "keys");
    namespace
        .cryptoctl(&["rollout", "status", "-f", &set])
        .expect(0);
    verified(
        &namespace,
        &set,
        "both replicas serve the same keys",
        succeeded,
    );
    let keys = namespace.kubectl(&[
        "exec",
        "cryptoserver-1",
        "-c",
        "api",
        "--",
        "bash",
        "-c",
        "cat /sharedkeys/keys.txt",
    ]);
    assert_eq!(
        keys.lines()
            .filter(|line| line.parse::<u32>().is_ok())
            .count(),
        5,
        "{keys}"
    );
}
