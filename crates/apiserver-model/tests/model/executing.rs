//! Commands that are executed in containers.

use std::time::Duration;

use apiserver_model::{ApiServer, Fault, PodScript, Pods, Rule};
use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Status;
use kube::Api;
use kube::api::{AttachParams, DeleteParams};
use serde_json::{Value, json};
use tokio::time::Instant;

use super::{apply, client_over_tcp, refusal, stateful_set};

const TERM: [&str; 3] = ["sh", "-c", "kill -TERM 1"];
const STOP: Duration = Duration::from_secs(3);

fn pods(server: &ApiServer) -> Api<Pod> {
    Api::namespaced(server.client(), "default")
}

fn only_stdout() -> AttachParams {
    AttachParams::default().stderr(false)
}

/// How a command ended; None when the link broke before.
async fn exec(server: &ApiServer, command: &[&str]) -> kube::Result<Option<Status>> {
    let mut process = pods(server)
        .exec("web-0", command.to_vec(), &only_stdout())
        .await?;
    let status = process.take_status().unwrap().await;
    let _ = process.join().await;
    Ok(status)
}

async fn cluster(script: PodScript) -> ApiServer {
    let server = ApiServer::seeded(1);
    server.script(Pods::of("web"), script);
    apply(&server, &stateful_set(1)).await.unwrap();
    server.until_ready("default", "web", 1).await;
    server
}

fn pod(server: &ApiServer) -> Value {
    server.object("", "pods", "default", "web-0").unwrap()
}

fn container(pod: &Value) -> Value {
    pod["status"]["containerStatuses"][0].clone()
}

#[tokio::test(start_paused = true)]
async fn sigterm_to_the_first_process_restarts_the_container() {
    let script = PodScript::default()
        .stop_after(STOP)
        .ready_after(Duration::from_secs(2));
    for command in [&TERM[..], &["kill", "-s", "TERM", "1"], &["/bin/kill", "1"]] {
        let server = cluster(script.clone()).await;
        let before = pod(&server);
        let start = Instant::now();
        let status = exec(&server, command).await.unwrap().unwrap();
        assert_eq!(status.status.as_deref(), Some("Success"));
        // The command ends before the process that it signals does.
        assert!(start.elapsed() < STOP);
        assert_eq!(container(&pod(&server)), container(&before));
        let signalled = server.signalled();
        assert_eq!((signalled.len(), signalled[0].as_str()), (1, "web-0"));

        server
            .until(|server| container(&pod(server))["ready"] == false)
            .await;
        assert_eq!(start.elapsed(), STOP);
        let ended = container(&pod(&server))["state"]["terminated"].clone();
        assert_eq!(
            (&ended["exitCode"], &ended["reason"]),
            (&json!(143), &json!("Error"))
        );
        assert_eq!(ended["containerID"], container(&before)["containerID"]);

        server
            .until(|server| container(&pod(server))["ready"] == true)
            .await;
        let after = pod(&server);
        assert_eq!(after["metadata"]["uid"], before["metadata"]["uid"]);
        assert_eq!(after["status"]["startTime"], before["status"]["startTime"]);
        let (old, new) = (container(&before), container(&after));
        assert_eq!(new["restartCount"], 1);
        assert_ne!(new["containerID"], old["containerID"]);
        let started = |container: &Value| container["state"]["running"]["startedAt"].to_string();
        assert!(started(&new) > started(&old), "{new} {old}");
        assert_eq!(new["lastState"]["terminated"]["exitCode"], 143);
    }
}

#[tokio::test(start_paused = true)]
async fn a_process_can_ignore_sigterm() {
    let server = cluster(PodScript::default().ignores_sigterm()).await;
    let before = pod(&server);
    let status = exec(&server, &TERM).await.unwrap().unwrap();
    assert_eq!(status.status.as_deref(), Some("Success"));
    tokio::time::sleep(Duration::from_mins(5)).await;
    assert_eq!(pod(&server)["status"], before["status"]);
    assert!(server.signalled().is_empty());
    // Its deletion takes the whole grace period.
    let start = Instant::now();
    let _ = pods(&server)
        .delete("web-0", &DeleteParams::default())
        .await
        .unwrap();
    let uid = before["metadata"]["uid"].clone();
    let is_gone = |server: &ApiServer| {
        let pod = server.object("", "pods", "default", "web-0");
        pod.is_none_or(|pod| pod["metadata"]["uid"] != uid)
    };
    server.until(is_gone).await;
    assert_eq!(start.elapsed(), Duration::from_secs(30));
}

#[tokio::test(start_paused = true)]
async fn a_program_that_is_not_there_cannot_be_started() {
    let server = cluster(PodScript::default().lacks(&["kill"])).await;
    let status = exec(&server, &["kill", "-TERM", "1"])
        .await
        .unwrap()
        .unwrap();
    assert_eq!(status.reason.as_deref(), Some("InternalError"));
    let message = status.message.unwrap();
    assert!(message.starts_with(
        "Internal error occurred: Internal error occurred: error executing command in container: "
    ));
    assert!(
        message.ends_with(": exec: \"kill\": executable file not found in $PATH: unknown"),
        "{message}"
    );
    // A shell has its own.
    exec(&server, &TERM).await.unwrap().unwrap();
    assert_eq!(server.signalled().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn an_exit_code_is_told() {
    let server = cluster(PodScript::default().lacks(&["ps"])).await;
    for (line, code) in [("exit 3", "3"), ("ps", "127")] {
        let status = exec(&server, &["sh", "-c", line]).await.unwrap().unwrap();
        assert_eq!(status.reason.as_deref(), Some("NonZeroExitCode"));
        let causes = status.details.unwrap().causes.unwrap();
        assert_eq!(
            (causes[0].reason.as_deref(), causes[0].message.as_deref()),
            (Some("ExitCode"), Some(code))
        );
        let message = format!(
            "command terminated with non-zero exit code: command terminated with exit code {code}"
        );
        assert_eq!(status.message.as_deref(), Some(message.as_str()));
    }
}

#[tokio::test(start_paused = true)]
async fn without_a_running_container_nothing_is_executed() {
    let server = cluster(PodScript::default()).await;
    server.kill_container("default", "web-0", 1);
    let status = refusal(exec(&server, &TERM).await);
    assert_eq!(
        (status.code, status.message.as_str()),
        (500, "container not found (\"web\")")
    );
    server.until_ready("default", "web", 1).await;
    assert!(server.signalled().is_empty());
}

#[tokio::test(start_paused = true)]
async fn executing_needs_two_verbs() {
    for verb in ["get", "create"] {
        let server = cluster(PodScript::default()).await;
        server.deny(verb, "pods/exec");
        let status = refusal(exec(&server, &TERM).await);
        let message = format!(
            "pods \"web-0\" is forbidden: User \"kubernetes-admin\" cannot {verb} resource \"pods/exec\" in API group \"\" \
             in the namespace \"default\""
        );
        assert_eq!((status.code, status.message), (403, message));
        assert!(server.signalled().is_empty());
    }
}

#[tokio::test(start_paused = true)]
async fn a_lost_answer_was_executed_and_a_cut_link_tells_nothing() {
    let server = cluster(PodScript::default()).await;
    server.fault(Rule::new(Fault::CutAfter).path("/exec").times(1));
    exec(&server, &TERM).await.unwrap_err();
    assert_eq!(server.signalled().len(), 1);
    server
        .until(|server| container(&pod(server))["restartCount"] == 1)
        .await;
    server.fault(Rule::new(Fault::CutDown(7)).path("/exec").times(1));
    assert_eq!(exec(&server, &TERM).await.unwrap(), None);
    assert_eq!(server.signalled().len(), 2);
    assert_eq!(
        server
            .writes()
            .iter()
            .filter(|request| request.path.ends_with("/exec"))
            .count(),
        2
    );
}

#[tokio::test]
async fn commands_are_executed_over_tcp_too() {
    let server = ApiServer::listen().await;
    apply(&server, &stateful_set(1)).await.unwrap();
    server.until_ready("default", "web", 1).await;
    let pods: Api<Pod> = Api::namespaced(client_over_tcp(&server).await, "default");
    let mut process = pods.exec("web-0", TERM, &only_stdout()).await.unwrap();
    let status = process.take_status().unwrap().await.unwrap();
    assert_eq!(status.status.as_deref(), Some("Success"));
    server
        .until(|server| container(&pod(server))["restartCount"] == 1)
        .await;
}
