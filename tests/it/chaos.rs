//! `chaos`: consent, proof of the fault, and the verdict.

use std::time::Duration;

use apiserver_model::{ApiServer, PodScript, Pods, Reply};
use serde_json::Value;

use crate::harness::{Cryptoctl, DEADLINE, Output, built_in};

async fn chaos(server: &ApiServer, more: &[&str]) -> Output {
    Cryptoctl::new(server)
        .args(["-o", "json", "chaos", "--yes"])
        .args(more)
        .run()
        .await
}

fn report(output: &Output) -> Value {
    output.json_lines().last().unwrap()["report"].clone()
}

#[tokio::test]
async fn the_first_pod_is_deleted_once_by_its_uid_and_the_data_survives() {
    let server = built_in().await;
    let uid = |server: &ApiServer| {
        server
            .object("", "pods", "logaiter", "cryptoserver-0")
            .unwrap()["metadata"]["uid"]
            .clone()
    };
    let before = uid(&server);
    let output = chaos(&server, &[]).await.expect_code(0);
    let report = report(&output);
    assert_eq!(report["verdict"], "survived");
    assert_eq!(report["faults"][0]["uid_before"], before);
    assert_eq!(report["faults"][0]["uid_after"], uid(&server));
    assert_ne!(report["faults"][0]["uid_after"], before);
    let writes = server.writes();
    assert_eq!(writes.len(), 1, "one write: {writes:?}");
    assert_eq!(
        writes[0].json().unwrap()["preconditions"]["uid"],
        before,
        "never a pod that came meanwhile"
    );
}

#[tokio::test]
async fn a_broken_workload_gets_no_fault() {
    for (reply, code) in [(Reply::new(500, ""), 4), (Reply::silence(), 5)] {
        let server = built_in().await;
        server.serve(Pods::of("cryptoserver").ordinal(1), "/keys", reply);
        let output = chaos(&server, &[]).await.expect_code(code);
        assert_eq!(report(&output)["verdict"], "refused");
        assert_eq!(server.writes().len(), 0);
    }
}

#[tokio::test]
async fn data_that_changes_with_the_pod_is_lost_data() {
    let server = built_in().await;
    let process = Cryptoctl::new(&server)
        .args(["chaos", "--yes"])
        .start()
        .await;
    server.until(|server| !server.writes().is_empty()).await;
    server.serve(
        Pods::of("cryptoserver"),
        "/keys",
        Reply::ok("9\n9\n9\n9\n9\n"),
    );
    let output = process.finish().await.expect_code(4);
    assert!(
        output.stderr.contains("different data than before"),
        "{}",
        output.stderr
    );
}

#[tokio::test]
async fn a_pod_that_does_not_come_back_is_diagnosed_with_its_last_words() {
    let server = built_in().await;
    // Scripts apply to running pods too, so this one starts when the pod is terminating.
    server.script(
        Pods::of("cryptoserver"),
        PodScript::default().stop_after(Duration::from_secs(1)),
    );
    let process = Cryptoctl::new(&server)
        .args(["-o", "json", "chaos", "--yes"])
        .start()
        .await;
    server.until(|server| !server.writes().is_empty()).await;
    server.script(
        Pods::of("cryptoserver").ordinal(0),
        PodScript::default()
            .crashes(
                Duration::ZERO,
                134,
                "Keys file /sharedkeys/keys.txt already exists\n",
            )
            .back_off(Duration::from_millis(20)),
    );
    let output = process.finish().await.expect_code(4);
    let report = report(&output);
    assert_eq!(report["verdict"], "failed");
    assert_eq!(report["cause"]["cause"], "crash_loop", "{report}");
    assert!(
        report["cause"]["evidence"]
            .to_string()
            .contains("already exists"),
        "{report}"
    );
}

#[tokio::test]
async fn a_recovery_that_outlasts_the_deadline_is_undecided() {
    let server = built_in().await;
    // Scripts apply to running pods too, but a pod that is not Ready would get no fault.
    server.script(
        Pods::of("cryptoserver"),
        PodScript::default().stop_after(Duration::from_secs(1)),
    );
    let process = Cryptoctl::new(&server)
        .args(["-o", "json", "chaos", "--yes", "--timeout", DEADLINE])
        .start()
        .await;
    server.until(|server| !server.writes().is_empty()).await;
    server.script(
        Pods::of("cryptoserver").ordinal(0),
        PodScript::default().never_ready("stays so"),
    );
    let output = process.finish().await.expect_code(5);
    assert_eq!(report(&output)["verdict"], "inconclusive");
}

#[tokio::test]
async fn without_permission_to_forward_every_request_uses_the_pod_proxy() {
    let server = built_in().await;
    server.deny("create", "pods/portforward");
    server.deny("get", "pods/portforward");
    let output = chaos(&server, &[]).await.expect_code(0);
    let report = report(&output);
    assert_eq!(report["verdict"], "survived");
    assert_eq!(report["before"]["replicas"][0]["transport"], "pod_proxy");
    for replica in report["availability"]["replicas"].as_array().unwrap() {
        assert!(replica["right"].as_u64().unwrap() > 0, "{replica}");
    }
}
