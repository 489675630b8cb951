//! `up`, `diff` and `down`: what they write, what they do not write, and how a run ends.

mod at_once;
mod data;
mod every_write;
mod former_tools;
mod inventory;
mod migration;
mod ownership;
mod refused;
mod replacement;
mod risks;
mod roll;
mod saved_plan;
mod undeclared;

use std::time::Duration;

use apiserver_model::{ApiServer, Disturbance, Fault, PodScript, Pods, Rule};
use http::Method;
use serde_json::Value;

use crate::harness::{Cryptoctl, DEADLINE, Output};

/// The StatefulSet of the built-in set.
const STATEFUL_SET: (&str, &str, &str, &str) = ("apps", "statefulsets", "logaiter", "cryptoserver");

async fn up(server: &ApiServer) {
    Cryptoctl::new(server)
        .args(["up"])
        .run()
        .await
        .expect_code(0);
    server.forget_requests();
}

/// Changes the StatefulSet as another field manager, and waits until its controller has nothing left to do: a
/// command that starts earlier meets versions that only the status has moved.
async fn change(server: &ApiServer, manager: &str, change: impl FnOnce(&mut Value)) {
    server.change(manager, STATEFUL_SET, change);
    let is_settled = |server: &ApiServer| {
        let (group, resource, namespace, name) = STATEFUL_SET;
        let set = server.object(group, resource, namespace, name).unwrap();
        let (wanted, status) = (&set["spec"]["replicas"], &set["status"]);
        let counts = ["replicas", "readyReplicas", "updatedReplicas"];
        status["observedGeneration"] == set["metadata"]["generation"]
            && status["currentRevision"] == status["updateRevision"]
            && counts.iter().all(|count| status[count] == *wanted)
    };
    server.until(is_settled).await;
    server.forget_requests();
}

async fn run(server: &ApiServer, arguments: &[&str]) -> Output {
    Cryptoctl::new(server).args(arguments).run().await
}

/// Lets something happen during the first patch after so many others, among those that a rule matches.
fn meanwhile(
    server: &ApiServer,
    disturbance: Disturbance,
    after: u32,
    rule: impl Fn(Rule) -> Rule,
) {
    let meanwhile = Rule::new(Fault::Meanwhile(disturbance)).method(Method::PATCH);
    server.fault(rule(meanwhile).after(after).times(1));
}

/// Another field manager sets the number of replicas.
fn scale(replicas: i64) -> Disturbance {
    Disturbance::Scale("logaiter".to_owned(), "cryptoserver".to_owned(), replicas)
}

#[tokio::test]
async fn an_object_without_drift_is_not_written() {
    let server = ApiServer::listen().await;
    up(&server).await;
    let revision = server.revision();
    Cryptoctl::new(&server)
        .args(["up"])
        .run()
        .await
        .expect_code(0);
    assert_eq!(server.revision(), revision);
    assert_eq!(server.writes().len(), 0);
    Cryptoctl::new(&server)
        .args(["diff"])
        .run()
        .await
        .expect_code(0);
}

#[tokio::test]
async fn a_dry_run_and_a_diff_write_nothing() {
    let server = ApiServer::listen().await;
    Cryptoctl::new(&server)
        .args(["up", "--dry-run"])
        .run()
        .await
        .expect_code(0);
    Cryptoctl::new(&server)
        .args(["diff"])
        .run()
        .await
        .expect_code(3);
    assert_eq!(server.writes().len(), 0);
}

#[tokio::test]
async fn only_what_drifted_is_written() {
    let server = ApiServer::listen().await;
    up(&server).await;
    Cryptoctl::new(&server)
        .args(["up", "--replicas", "3"])
        .run()
        .await
        .expect_code(0);
    let writes = server.writes();
    assert_eq!(writes.len(), 1, "{writes:?}");
    assert!(
        writes[0].path.ends_with("/statefulsets/cryptoserver"),
        "{}",
        writes[0].path
    );
    assert_eq!(
        writes[0].parameter("fieldManager").as_deref(),
        Some("cryptoctl")
    );
    assert_ne!(writes[0].parameter("force").as_deref(), Some("true"));
    assert!(
        writes[0].user_agent().contains("cryptoctl/") && writes[0].user_agent().contains("(up)")
    );
}

#[tokio::test]
async fn a_lost_answer_to_an_apply_does_not_end_the_run() {
    let server = ApiServer::listen().await;
    server.fault(
        Rule::new(Fault::CutAfter)
            .method(Method::PATCH)
            .path("/services/")
            .times(1),
    );
    Cryptoctl::new(&server)
        .args(["up"])
        .run()
        .await
        .expect_code(0);
}

#[tokio::test]
async fn a_lost_answer_to_a_delete_is_read_back() {
    let server = ApiServer::listen().await;
    up(&server).await;
    server.fault(Rule::new(Fault::CutAfter).method(Method::DELETE).times(1));
    Cryptoctl::new(&server)
        .args(["down", "--yes"])
        .run()
        .await
        .expect_code(0);
    let deletes: Vec<String> = server
        .writes()
        .iter()
        .map(|request| request.path.clone())
        .collect();
    let unique: std::collections::BTreeSet<&String> = deletes.iter().collect();
    assert_eq!(
        unique.len(),
        deletes.len(),
        "no delete is repeated: {deletes:?}"
    );
}

#[tokio::test]
async fn watches_that_end_go_stale_or_break_do_not_end_the_wait() {
    let server = ApiServer::listen().await;
    server.script(
        Pods::of("cryptoserver"),
        PodScript::default().ready_after(Duration::from_millis(700)),
    );
    let process = Cryptoctl::new(&server).args(["up"]).start().await;
    let exists = |server: &ApiServer| {
        server
            .object("", "pods", "logaiter", "cryptoserver-0")
            .is_some()
    };
    server.until(exists).await;
    server.drop_watches();
    server.compact();
    process.finish().await.expect_code(0);
}

#[tokio::test]
async fn a_rollout_that_outlasts_the_deadline_is_undecided_and_says_what_it_waits_for() {
    let server = ApiServer::listen().await;
    server.script(
        Pods::of("cryptoserver"),
        PodScript::default().never_ready("stays so"),
    );
    let output = Cryptoctl::new(&server)
        .args(["up", "--timeout", DEADLINE])
        .run()
        .await
        .expect_code(5);
    assert!(
        output.stderr.contains("replica 0 is not Ready"),
        "{}",
        output.stderr
    );
}

#[tokio::test]
async fn an_image_that_cannot_be_pulled_ends_the_wait() {
    let server = ApiServer::listen().await;
    server.script(
        Pods::of("cryptoserver"),
        PodScript::default().pull_fails("manifest unknown"),
    );
    let output = Cryptoctl::new(&server)
        .args(["up"])
        .run()
        .await
        .expect_code(4);
    assert!(
        output.stderr.contains("cannot pull the image"),
        "{}",
        output.stderr
    );
    Cryptoctl::new(&server)
        .args(["rollout", "status"])
        .run()
        .await
        .expect_code(4);
}

#[tokio::test]
async fn signals_end_a_run_with_their_own_status_and_an_account() {
    for (terminate, code) in [(false, 130), (true, 143)] {
        let server = ApiServer::listen().await;
        server.script(
            Pods::of("cryptoserver"),
            PodScript::default().never_ready("stays so"),
        );
        let process = Cryptoctl::new(&server).args(["up"]).start().await;
        let exists = |server: &ApiServer| {
            server
                .object("", "pods", "logaiter", "cryptoserver-0")
                .is_some()
        };
        server.until(exists).await;
        if terminate {
            process.terminate().await;
        } else {
            process.interrupt().await;
        }
        let output = process.finish().await.expect_code(code);
        assert!(output.stderr.contains("created"), "{}", output.stderr);
    }
}

#[tokio::test]
async fn a_closed_pipe_is_success() {
    let server = ApiServer::listen().await;
    up(&server).await;
    // More than a pipe holds.
    server.print(
        "logaiter",
        "cryptoserver-0",
        &"a line of the log\n".repeat(20_000),
    );
    let folder = tempfile::tempdir().unwrap();
    let kubeconfig = server.kubeconfig_file(folder.path());
    let program = env!("CARGO_BIN_EXE_cryptoctl");
    let command = format!(
        "set -o pipefail; {program} --kubeconfig {} logs | head -n 1",
        kubeconfig.display()
    );
    let output = tokio::process::Command::new("bash")
        .args(["-c", &command])
        .output()
        .await
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    let lines = String::from_utf8_lossy(&output.stdout).lines().count();
    assert_eq!(lines, 1, "{output:?}");
}

#[tokio::test]
async fn every_command_keeps_its_time_limit() {
    let server = ApiServer::listen().await;
    up(&server).await;
    server.freeze();
    for command in ["verify", "diff", "up", "logs"] {
        let output = Cryptoctl::new(&server)
            .args([command, "--timeout", "1s"])
            .run()
            .await
            .expect_code(5);
        assert!(
            output.stderr.contains("--timeout"),
            "{command}: {}",
            output.stderr
        );
    }
    let output = Cryptoctl::new(&server)
        .args(["rollout", "status", "--timeout", "1s"])
        .run()
        .await
        .expect_code(5);
    assert!(output.stderr.contains("--timeout"), "{}", output.stderr);
}

#[tokio::test]
async fn a_job_that_is_not_done_is_named_in_the_summary() {
    let server = ApiServer::listen().await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("job.yaml");
    let text = "apiVersion: batch/v1
kind: Job
metadata: {name: migrate, namespace: default}
spec: {template: {spec: {restartPolicy: Never, containers: [{name: c, image: i}]}}}
";
    std::fs::write(&file, text).unwrap();
    let output = Cryptoctl::new(&server)
        .args(["up", "--timeout", DEADLINE, "-f", file.to_str().unwrap()])
        .run()
        .await
        .expect_code(5);
    let summary = output
        .stderr
        .lines()
        .find(|line| line.contains("undecided"))
        .unwrap();
    assert!(summary.contains("job/migrate"), "{}", output.stderr);
}

#[tokio::test]
async fn an_unreachable_api_server_is_named_once_and_waited_for() {
    let server = ApiServer::listen().await;
    server.script(
        Pods::of("cryptoserver"),
        PodScript::default().ready_after(Duration::from_millis(700)),
    );
    let process = Cryptoctl::new(&server)
        .args(["-o", "json", "up"])
        .start()
        .await;
    let exists = |server: &ApiServer| {
        server
            .object("", "pods", "logaiter", "cryptoserver-0")
            .is_some()
    };
    server.until(exists).await;
    server.fault(Rule::new(Fault::CutBefore).method(Method::GET).times(6));
    server.drop_watches();
    let output = process.finish().await.expect_code(0);
    let events = output.json_lines();
    let count = |name: &str| events.iter().filter(|event| event["event"] == name).count();
    assert!(count("server_unresponsive") >= 1, "{}", output.stdout);
    assert_eq!(
        count("server_unresponsive"),
        count("server_answers"),
        "{}",
        output.stdout
    );
}
