//! Containers that restart during a wait, or before it.

use std::time::Duration;

use apiserver_model::{ApiServer, PodScript, Pods};

use crate::harness::{Cryptoctl, DEADLINE};

/// The built-in set, whose containers end this often, with this exit code.
async fn crashing(code: i32, times: u32) -> ApiServer {
    let server = ApiServer::listen().await;
    let script = PodScript::default()
        .crashes(Duration::from_millis(300), code, "nothing to do\n")
        .crashes_times(times)
        .back_off(Duration::from_millis(600));
    server.script(Pods::of("cryptoserver"), script);
    server
}

/// Lets the set run, with no command waiting, until a container has restarted.
async fn restarted(server: &ApiServer, set: &[&str]) {
    let arguments = [&["up", "--no-wait"][..], set].concat();
    Cryptoctl::new(server)
        .args(arguments)
        .run()
        .await
        .expect_code(0);
    let has_restarted = |server: &ApiServer| {
        let pod = server.object("", "pods", "logaiter", "cryptoserver-0");
        pod.is_some_and(|pod| {
            let restarts = &pod["status"]["containerStatuses"][0]["restartCount"];
            restarts.as_i64().is_some_and(|restarts| restarts >= 1)
        })
    };
    server.until(has_restarted).await;
}

#[tokio::test]
async fn a_restart_costs_the_verdict_until_the_pod_has_stayed_ready() {
    let server = crashing(1, 1).await;
    // A liveness probe that needs an hour to fail again.
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("set.yaml");
    let set = "apiVersion: apps/v1\nkind: StatefulSet\nmetadata: {name: cryptoserver, namespace: logaiter}\nspec:\n  \
               serviceName: cryptoserver\n  replicas: 1\n  selector: {matchLabels: {app: web}}\n  template:\n    \
               metadata: {labels: {app: web}}\n    spec: {containers: [{name: api, image: \"example.com/web:1\", \
               livenessProbe: {initialDelaySeconds: 3600, tcpSocket: {port: 80}}}]}\n";
    std::fs::write(&file, set).unwrap();
    restarted(&server, &["-f", file.to_str().unwrap()]).await;
    let output = Cryptoctl::new(&server)
        .args(["rollout", "status", "--timeout", DEADLINE])
        .run()
        .await
        .expect_code(5);
    assert!(
        output.stderr.contains("restarted once") && output.stderr.contains("stay Ready"),
        "{}",
        output.stderr
    );
}

#[tokio::test]
async fn a_container_that_finishes_by_itself_ends_the_wait_with_that_cause() {
    let server = crashing(0, 1000).await;
    restarted(&server, &[]).await;
    let output = Cryptoctl::new(&server)
        .args(["-o", "json", "rollout", "status"])
        .run()
        .await
        .expect_code(4);
    let events = output.json_lines();
    let cause = &events.last().unwrap()["report"]["progress"]["cause"];
    assert_eq!(cause["cause"], "completed", "{cause}");
    assert!(
        cause["message"].to_string().contains("exit code 0"),
        "{cause}"
    );
    assert!(
        cause["evidence"].to_string().contains("nothing to do"),
        "{cause}"
    );
}

#[tokio::test]
async fn a_loop_is_never_complete_however_ready_it_looks_in_between() {
    let server = crashing(1, 1000).await;
    restarted(&server, &[]).await;
    let output = Cryptoctl::new(&server)
        .args(["rollout", "status"])
        .run()
        .await
        .expect_code(4);
    assert!(output.stderr.contains("keeps ending"), "{}", output.stderr);
}
