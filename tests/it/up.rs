//! `up`, `diff` and `down`: what is written, what is not, and how a run ends.

use std::time::Duration;

use apiserver_model::{ApiServer, Fault, PodScript, Pods, Rule};
use http::Method;
use serde_json::json;

use crate::harness::{Cryptoctl, DEADLINE};

const STATEFUL_SET: (&str, &str, &str, &str) = ("apps", "statefulsets", "logaiter", "cryptoserver");

async fn up(server: &ApiServer) {
    Cryptoctl::new(server)
        .args(["up"])
        .run()
        .await
        .expect_code(0);
    server.forget_requests();
}

#[tokio::test]
async fn what_has_not_drifted_is_not_written() {
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
async fn a_field_of_another_manager_is_named_and_nothing_is_written() {
    let server = ApiServer::listen().await;
    up(&server).await;
    server.change("kubectl-edit", STATEFUL_SET, |object| {
        object["spec"]["replicas"] = json!(5);
    });
    let output = Cryptoctl::new(&server)
        .args(["up"])
        .run()
        .await
        .expect_code(1);
    assert!(
        output.stderr.contains("`.spec.replicas`"),
        "{}",
        output.stderr
    );
    assert!(output.stderr.contains("kubectl-edit"), "{}", output.stderr);
    assert_eq!(server.writes().len(), 0);
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
async fn a_lost_answer_to_a_delete_is_looked_into() {
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
        PodScript::default().pull_fails("not found"),
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
async fn a_claim_goes_only_when_told() {
    let server = ApiServer::listen().await;
    up(&server).await;
    let claim = |server: &ApiServer| {
        server
            .object("", "persistentvolumeclaims", "logaiter", "cryptodata")
            .is_some()
    };
    let output = Cryptoctl::new(&server)
        .args(["down", "--yes"])
        .run()
        .await
        .expect_code(0);
    assert!(claim(&server));
    assert!(output.stderr.contains("cryptodata"), "{}", output.stderr);
    Cryptoctl::new(&server)
        .args(["down", "--yes", "--delete-data"])
        .run()
        .await
        .expect_code(0);
    assert!(!claim(&server));
    assert!(
        server.object("", "namespaces", "", "logaiter").is_none(),
        "up created it"
    );
}

#[tokio::test]
async fn scaling_down_never_deletes_claims_by_itself() {
    let server = ApiServer::listen().await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("set.yaml");
    let text = "apiVersion: apps/v1
kind: StatefulSet
metadata: {name: web, namespace: default}
spec:
  replicas: 2
  serviceName: web
  persistentVolumeClaimRetentionPolicy: {whenScaled: Delete, whenDeleted: Delete}
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: web, image: web}]}
  volumeClaimTemplates:
    - metadata: {name: data}
      spec: {storageClassName: standard, accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}
";
    std::fs::write(&file, text).unwrap();
    let file = file.to_str().unwrap();
    Cryptoctl::new(&server)
        .args(["up", "-f", file])
        .run()
        .await
        .expect_code(0);
    server.forget_requests();
    let output = Cryptoctl::new(&server)
        .args(["up", "-f", file, "--replicas", "1"])
        .run()
        .await
        .expect_code(1);
    assert!(output.stderr.contains("--delete-data"), "{}", output.stderr);
    Cryptoctl::new(&server)
        .args(["down", "-f", file, "--yes"])
        .run()
        .await
        .expect_code(1);
    assert_eq!(server.writes().len(), 0);
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

/// A StatefulSet with claims of its own, which go with their replicas.
fn with_claims(ordinals: &str) -> String {
    format!(
        "apiVersion: apps/v1
kind: StatefulSet
metadata: {{name: web, namespace: default}}
spec:
  {ordinals}
  serviceName: web
  persistentVolumeClaimRetentionPolicy: {{whenScaled: Delete, whenDeleted: Retain}}
  selector: {{matchLabels: {{app: web}}}}
  template:
    metadata: {{labels: {{app: web}}}}
    spec: {{containers: [{{name: web, image: web}}]}}
  volumeClaimTemplates:
    - metadata: {{name: data}}
      spec: {{storageClassName: standard, accessModes: [ReadWriteOnce], resources: {{requests: {{storage: 1Gi}}}}}}
"
    )
}

#[tokio::test]
async fn moving_the_ordinals_never_deletes_claims_by_itself() {
    let server = ApiServer::listen().await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("set.yaml");
    std::fs::write(&file, with_claims("replicas: 2")).unwrap();
    let arguments = ["up", "--no-wait", "-f", file.to_str().unwrap()];
    Cryptoctl::new(&server)
        .args(arguments)
        .run()
        .await
        .expect_code(0);
    std::fs::write(&file, with_claims("replicas: 2\n  ordinals: {start: 2}")).unwrap();
    server.forget_requests();
    let output = Cryptoctl::new(&server)
        .args(arguments)
        .run()
        .await
        .expect_code(1);
    assert!(output.stderr.contains("--delete-data"), "{}", output.stderr);
    let diff = Cryptoctl::new(&server).args(["diff", "-f"]).arg(&file);
    let output = diff.run().await.expect_code(3);
    let words = "`up` would refuse this without `--delete-data`";
    assert!(output.stderr.contains(words), "{}", output.stderr);
    assert_eq!(server.writes().len(), 0);
}

#[tokio::test]
async fn a_namespace_with_something_foreign_in_it_stays() {
    let server = ApiServer::listen().await;
    up(&server).await;
    let node = server.object("", "nodes", "", "node-1").unwrap();
    server.create(
        "somebody",
        "",
        "configmaps",
        json!({"metadata": {"name": "foreign", "namespace": "logaiter",
            // Its owner is elsewhere, so it does not go with anything here.
            "ownerReferences": [{"apiVersion": "v1", "kind": "Node", "name": "node-1", "uid": node["metadata"]["uid"]}]}}),
    );
    let output = Cryptoctl::new(&server)
        .args(["down", "--yes", "--delete-data"])
        .run()
        .await
        .expect_code(0);
    assert!(
        output.stderr.contains("configmap/foreign"),
        "{}",
        output.stderr
    );
    assert!(server.object("", "namespaces", "", "logaiter").is_some());
}

#[tokio::test]
async fn the_time_of_the_whole_command_is_kept_by_all() {
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
async fn kinds_rehearsals_and_permissions_are_reported_in_one_round() {
    let server = ApiServer::listen().await;
    server.deny("create", "namespaces");
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("set.yaml");
    let text = "apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: data, namespace: absent}
spec: {storageClassName: fast, accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}
---
apiVersion: example.org/v1
kind: Widget
metadata: {name: one}
";
    std::fs::write(&file, text).unwrap();
    let output = Cryptoctl::new(&server)
        .args(["up", "-f", file.to_str().unwrap()])
        .run()
        .await
        .expect_code(1);
    for words in ["create namespaces", "`fast`", "`Widget`"] {
        assert!(
            output.stderr.contains(words),
            "`{words}` is not in:\n{}",
            output.stderr
        );
    }
    assert_eq!(server.writes().len(), 0);
}

#[tokio::test]
async fn an_internal_error_of_a_read_is_read_again_and_of_an_apply_is_final() {
    let server = ApiServer::listen().await;
    let error = || Fault::Error {
        status: 500,
        reason: "InternalError",
        message: "etcdserver: leader changed",
        retry_after: None,
    };
    server.fault(Rule::new(error()).method(Method::GET).times(2));
    Cryptoctl::new(&server)
        .args(["up"])
        .run()
        .await
        .expect_code(0);
    server.fault(Rule::new(error()).method(Method::PATCH).times(1));
    Cryptoctl::new(&server)
        .args(["up"])
        .run()
        .await
        .expect_code(1);
}

#[tokio::test]
async fn diff_shows_what_differs_even_where_up_would_be_refused() {
    let server = ApiServer::listen().await;
    up(&server).await;
    server.change("kubectl-edit", STATEFUL_SET, |object| {
        object["spec"]["replicas"] = json!(5);
    });
    let output = Cryptoctl::new(&server)
        .args(["diff"])
        .run()
        .await
        .expect_code(3);
    assert!(
        output.stdout.contains("-  replicas: 5"),
        "{}",
        output.stdout
    );
    assert!(
        output.stdout.contains("+  replicas: 2"),
        "{}",
        output.stdout
    );
    assert!(output.stderr.contains("kubectl-edit"), "{}", output.stderr);
    let output = Cryptoctl::new(&server)
        .args(["up"])
        .run()
        .await
        .expect_code(1);
    assert!(
        output.stderr.contains("(live 5, ours 2)"),
        "{}",
        output.stderr
    );
    assert!(output.stderr.contains("--replicas 5"), "{}", output.stderr);
    assert_eq!(server.writes().len(), 0);
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
async fn a_container_or_namespace_that_cannot_be_is_a_usage_error() {
    let server = ApiServer::listen().await;
    up(&server).await;
    let output = Cryptoctl::new(&server)
        .args(["logs", "-c", "nope"])
        .run()
        .await
        .expect_code(2);
    assert!(
        output.stderr.contains("api"),
        "the names are given:\n{}",
        output.stderr
    );
    let output = Cryptoctl::new(&server)
        .args(["up", "-n", "Bad_NS"])
        .run()
        .await
        .expect_code(2);
    assert!(output.stderr.contains("`Bad_NS`"), "{}", output.stderr);
    assert_eq!(server.writes().len(), 0);
}

#[tokio::test]
async fn an_api_server_that_is_away_is_said_once_and_waited_for() {
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
    assert!(count("server_silent") >= 1, "{}", output.stdout);
    assert_eq!(
        count("server_silent"),
        count("server_answers"),
        "{}",
        output.stdout
    );
}

#[tokio::test]
async fn a_policy_of_the_namespace_of_the_rehearsal_says_nothing_about_the_set() {
    let server = ApiServer::listen().await;
    let denied = Fault::Error {
        status: 422,
        reason: "Invalid",
        message: "ValidatingAdmissionPolicy 'no-default' denied request",
        retry_after: None,
    };
    // Only what is created in `default`, and nothing is but the rehearsals.
    server.fault(Rule::new(denied).path("/namespaces/default/"));
    Cryptoctl::new(&server)
        .args(["up"])
        .run()
        .await
        .expect_code(0);
}
