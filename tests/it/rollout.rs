//! The subcommands of `rollout` that look back or change something, and what a later `up` makes of it.

mod stuck;

use apiserver_model::{ApiServer, Fault, Rule};
use http::Method;
use serde_json::Value;

use crate::harness::{Cryptoctl, Output, built_in};

const SET: (&str, &str, &str, &str) = ("apps", "statefulsets", "logaiter", "cryptoserver");
const OTHER: [&str; 2] = ["--image", "quay.io/k8sexercices/fileserver:v2.0"];

async fn run(server: &ApiServer, arguments: &[&str]) -> Output {
    Cryptoctl::new(server).args(arguments).run().await
}

async fn rollout(server: &ApiServer, verb: &str, flags: &[&str]) -> Output {
    run(server, &[&["rollout", verb], flags].concat()).await
}

fn live(server: &ApiServer) -> Value {
    let (group, resource, namespace, name) = SET;
    server.object(group, resource, namespace, name).unwrap()
}

fn image(object: &Value) -> String {
    let image = &object["spec"]["template"]["spec"]["containers"][0]["image"];
    image.as_str().unwrap().to_owned()
}

/// The UIDs of the pods, by name.
fn pods(server: &ApiServer) -> Vec<String> {
    let pods = server.objects("", "pods");
    let uid = |pod: &Value| pod["metadata"]["uid"].as_str().unwrap().to_owned();
    pods.iter().map(uid).collect()
}

#[tokio::test]
async fn the_history_tells_what_each_revision_changed() {
    let server = built_in().await;
    run(&server, &[&["up"], &OTHER[..]].concat())
        .await
        .expect_code(0);
    server.forget_requests();
    let shown = rollout(&server, "history", &[]).await.expect_code(0);
    let [first, second, change, _] = shown.stdout.lines().collect::<Vec<_>>().try_into().unwrap();
    assert!(first.starts_with("revision 1: cryptoserver-"), "{first}");
    assert!(first.ends_with("no pods"), "{first}");
    assert!(second.contains("update revision"), "{second}");
    assert!(
        second.ends_with("cryptoserver-0, cryptoserver-1"),
        "{second}"
    );
    assert!(
        change.contains(".image: \"quay.io/k8sexercices/fileserver:v1.0\" → "),
        "{change}"
    );
    let report = rollout(&server, "history", &["-o", "json"])
        .await
        .expect_code(0);
    let report = &report.json_lines().pop().unwrap()["report"];
    assert_eq!(report["revisions"][1]["changes"][0]["action"], "change");
    assert_eq!(server.writes().len(), 0);
}

#[tokio::test]
async fn undo_goes_back_and_up_goes_forward_again_without_a_conflict() {
    let server = built_in().await;
    let before = image(&live(&server));
    run(&server, &[&["up"], &OTHER[..]].concat())
        .await
        .expect_code(0);
    let undone = rollout(&server, "undo", &["--no-evidence"])
        .await
        .expect_code(0);
    let words = "statefulset/cryptoserver rolled back to revision 1";
    assert!(undone.stderr.contains(words), "{}", undone.stderr);
    assert_eq!(image(&live(&server)), before);
    let again = rollout(&server, "undo", &["--no-evidence", "--to-revision", "3"]).await;
    let again = again.expect_code(0);
    let words = "has the template of revision 3 already";
    assert!(again.stderr.contains(words), "{}", again.stderr);
    let shown = run(&server, &[&["diff"], &OTHER[..]].concat())
        .await
        .expect_code(3);
    let words = "from cryptoctl-rollout";
    assert!(shown.stderr.contains(words), "{}", shown.stderr);
    run(&server, &[&["up"], &OTHER[..]].concat())
        .await
        .expect_code(0);
    assert_eq!(image(&live(&server)), OTHER[1]);
    // With the manifests that were rolled back to, there is nothing to do.
    rollout(&server, "undo", &["--no-evidence"])
        .await
        .expect_code(0);
    let revision = server.revision();
    run(&server, &["diff"]).await.expect_code(0);
    assert_eq!(server.revision(), revision);
}

#[tokio::test]
async fn undo_goes_back_once_even_if_its_answer_is_lost() {
    let server = built_in().await;
    let before = image(&live(&server));
    run(&server, &[&["up"], &OTHER[..]].concat())
        .await
        .expect_code(0);
    let lost = Rule::new(Fault::CutAfter).method(Method::PATCH).writes();
    server.fault(lost.times(1));
    let undone = rollout(&server, "undo", &["--no-evidence"]).await;
    let undone = undone.expect_code(0);
    let words = "rolled back to revision 1";
    assert!(undone.stderr.contains(words), "{}", undone.stderr);
    assert_eq!(image(&live(&server)), before);
}

#[tokio::test]
async fn what_an_undo_brings_back_and_nobody_declares_is_told() {
    let server = ApiServer::listen().await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("set.yaml");
    let file = file.to_str().unwrap();
    let set = |env: &str| {
        format!(
            "apiVersion: apps/v1\nkind: StatefulSet\nmetadata: {{name: cryptoserver, namespace: logaiter}}\nspec:\n  \
             serviceName: web\n  replicas: 1\n  selector: {{matchLabels: {{app: web}}}}\n  template:\n    \
             metadata: {{labels: {{app: web}}}}\n    spec: {{containers: [{{name: api, image: a, env: [{env}]}}]}}\n"
        )
    };
    let [one, other] = ["{name: A, value: one}", "{name: B, value: two}"];
    std::fs::write(file, set(&format!("{one}, {other}"))).unwrap();
    run(&server, &["up", "-f", file]).await.expect_code(0);
    std::fs::write(file, set(one)).unwrap();
    run(&server, &["up", "-f", file]).await.expect_code(0);
    let undo = ["--no-evidence", "-f", file];
    rollout(&server, "undo", &undo).await.expect_code(0);
    let flags = ["diff", "-f", file, "--fail-on-undeclared"];
    let shown = run(&server, &flags).await.expect_code(3);
    for words in [
        "undeclared in statefulset/cryptoserver",
        "cryptoctl-rollout",
        "name=\"B\"",
    ] {
        assert!(shown.stdout.contains(words), "{words}: {}", shown.stdout);
    }
}

#[tokio::test]
async fn undo_names_the_revisions_that_there_are() {
    let server = built_in().await;
    let refused = rollout(&server, "undo", &["--no-evidence"])
        .await
        .expect_code(1);
    for words in ["there is no earlier revision", "cryptoctl rollout history"] {
        assert!(refused.stderr.contains(words), "{}", refused.stderr);
    }
    let flags = ["--no-evidence", "--to-revision", "7"];
    let refused = rollout(&server, "undo", &flags).await.expect_code(1);
    let words = "there is no revision 7; the history has 1";
    assert!(refused.stderr.contains(words), "{}", refused.stderr);
    assert_eq!(server.writes().len(), 0);
}

#[tokio::test]
async fn a_pause_outlives_up_until_it_is_resumed() {
    let server = built_in().await;
    let before = pods(&server);
    rollout(&server, "pause", &[]).await.expect_code(0);
    let again = rollout(&server, "pause", &[]).await.expect_code(0);
    assert!(
        again.stderr.contains("is paused already"),
        "{}",
        again.stderr
    );
    let held = run(&server, &[&["up"], &OTHER[..]].concat())
        .await
        .expect_code(0);
    let words = "2 of 2 replicas keep the old template because the rollout is paused";
    assert!(held.stderr.contains(words), "{}", held.stderr);
    assert_eq!(pods(&server), before);
    let refused = rollout(&server, "restart", &[]).await.expect_code(1);
    assert!(
        refused.stderr.contains("its rollout is paused"),
        "{}",
        refused.stderr
    );
    rollout(&server, "resume", &[]).await.expect_code(0);
    let after = pods(&server);
    assert!(
        before.iter().all(|uid| !after.contains(uid)),
        "all are updated"
    );
    let annotations = live(&server)["metadata"]["annotations"].to_string();
    assert!(!annotations.contains("paused"), "{annotations}");
    run(&server, &[&["diff"], &OTHER[..]].concat())
        .await
        .expect_code(0);
}

#[tokio::test]
async fn a_declared_partition_waits_until_a_paused_rollout_is_resumed() {
    let server = ApiServer::listen().await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("set.yaml");
    let set = |image: &str| {
        format!(
            "apiVersion: apps/v1\nkind: StatefulSet\nmetadata: {{name: cryptoserver, namespace: logaiter}}\nspec:\n  \
             serviceName: web\n  replicas: 2\n  updateStrategy: {{rollingUpdate: {{partition: 1}}}}\n  \
             selector: {{matchLabels: {{app: web}}}}\n  template:\n    metadata: {{labels: {{app: web}}}}\n    \
             spec: {{containers: [{{name: api, image: \"{image}\"}}]}}\n"
        )
    };
    let file = file.to_str().unwrap();
    std::fs::write(file, set("a:1")).unwrap();
    run(&server, &["up", "-f", file]).await.expect_code(0);
    let before = pods(&server);
    rollout(&server, "pause", &["-f", file])
        .await
        .expect_code(0);
    std::fs::write(file, set("a:2")).unwrap();
    let held = run(&server, &["up", "-f", file]).await.expect_code(0);
    let partition = |server: &ApiServer| {
        live(server)["spec"]["updateStrategy"]["rollingUpdate"]["partition"].clone()
    };
    assert_eq!(partition(&server), 2, "{}", held.stderr);
    assert_eq!(pods(&server), before);
    rollout(&server, "resume", &["-f", file])
        .await
        .expect_code(0);
    assert_eq!(partition(&server), 1);
    let after = pods(&server);
    assert_eq!(
        (after[0] == before[0], after[1] == before[1]),
        (true, false)
    );
    run(&server, &["diff", "-f", file]).await.expect_code(0);
}

#[tokio::test]
async fn a_restart_replaces_every_pod_once_even_if_its_answer_is_lost() {
    let server = built_in().await;
    let before = pods(&server);
    let lost = Rule::new(Fault::CutAfter).method(Method::PATCH).writes();
    server.fault(lost.times(1));
    rollout(&server, "restart", &[]).await.expect_code(0);
    let after = pods(&server);
    assert!(before.iter().all(|uid| !after.contains(uid)));
    let writes = server.writes();
    assert_eq!(writes.len(), 1, "{writes:#?}");
    let path = "/apis/apps/v1/namespaces/logaiter/statefulsets/cryptoserver";
    assert_eq!(writes[0].path, path);
}
