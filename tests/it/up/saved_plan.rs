//! `up --plan-out` saves what would be done, and `up --plan` does exactly that or nothing.

use std::path::Path;

use apiserver_model::ApiServer;
use serde_json::json;
use tempfile::TempDir;

use super::{STATEFUL_SET, change, former_tools, meanwhile, run, scale, up};
use crate::harness::Output;

/// The built-in set with three replicas planned, but two live.
async fn planned(flags: &[&str]) -> (ApiServer, TempDir) {
    let server = ApiServer::listen().await;
    up(&server).await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("plan.json");
    let out = [
        "up",
        "--replicas",
        "3",
        "--plan-out",
        file.to_str().unwrap(),
    ];
    let saved = run(&server, &[&out, flags].concat()).await.expect_code(0);
    let words = "nothing was stored: the plan is in";
    assert!(saved.stderr.contains(words), "{}", saved.stderr);
    assert!(
        saved.stderr.contains("cryptoctl up --replicas=3 "),
        "{}",
        saved.stderr
    );
    assert_eq!(server.writes().len(), 0);
    (server, folder)
}

async fn carry_out(server: &ApiServer, folder: &TempDir, flags: &[&str]) -> Output {
    let file = folder.path().join("plan.json");
    let plan = ["up", "--no-wait", "--plan", file.to_str().unwrap()];
    run(server, &[&plan, flags].concat()).await
}

fn replicas(server: &ApiServer) -> i64 {
    let (group, resource, namespace, name) = STATEFUL_SET;
    let set = server.object(group, resource, namespace, name).unwrap();
    set["spec"]["replicas"].as_i64().unwrap()
}

#[tokio::test]
async fn what_was_planned_is_done() {
    let (server, folder) = planned(&[]).await;
    carry_out(&server, &folder, &["--replicas", "3"])
        .await
        .expect_code(0);
    assert_eq!(replicas(&server), 3);
    // The write names the version that was just read.
    let [write] = server.writes().try_into().unwrap();
    let body = write.json().unwrap();
    assert!(body["metadata"]["resourceVersion"].is_string(), "{body}");
}

#[tokio::test]
async fn a_change_by_hand_is_named_and_nothing_is_done() {
    let (server, folder) = planned(&[]).await;
    change(&server, "kubectl-annotate", |object| {
        object["metadata"]["annotations"]["note"] = json!("by hand");
    })
    .await;
    let refused = carry_out(&server, &folder, &["--replicas", "3"])
        .await
        .expect_code(1);
    let words = "the live state of `statefulset/cryptoserver` has changed since the plan was saved: .metadata.annotations.note";
    assert!(refused.stderr.contains(words), "{}", refused.stderr);
    assert_eq!(server.writes().len(), 0);
}

#[tokio::test]
async fn other_manifests_are_not_what_was_planned() {
    let (server, folder) = planned(&[]).await;
    let refused = carry_out(&server, &folder, &["--replicas", "4"])
        .await
        .expect_code(1);
    let words = "the manifest of `statefulset/cryptoserver` has changed since the plan was saved: .spec.replicas";
    assert!(refused.stderr.contains(words), "{}", refused.stderr);
    assert_eq!(server.writes().len(), 0);
}

#[tokio::test]
async fn a_status_is_no_change_but_a_change_during_the_write_is() {
    let (server, folder) = planned(&[]).await;
    let budget = ("policy", "poddisruptionbudgets", "logaiter", "cryptoserver");
    server.set_status(budget, json!({"disruptionsAllowed": 7}));
    // Only the dry run comes before the write.
    meanwhile(&server, scale(7), 1, |rule| {
        rule.path("/statefulsets/cryptoserver")
    });
    let refused = carry_out(&server, &folder, &["--replicas", "3"])
        .await
        .expect_code(1);
    assert!(refused.stderr.contains("refused"), "{}", refused.stderr);
    assert_eq!(replicas(&server), 7);
}

#[tokio::test]
async fn what_is_left_to_others_may_change_meanwhile() {
    let server = ApiServer::listen().await;
    up(&server).await;
    let set_replicas = |replicas: i64| {
        change(&server, "autoscaler", move |object| {
            object["spec"]["replicas"] = json!(replicas);
        })
    };
    set_replicas(3).await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("plan.json");
    let file = file.to_str().unwrap();
    let yields = ["--yield", ".spec.replicas"];
    run(
        &server,
        &[&["up", "--plan-out", file], &yields[..]].concat(),
    )
    .await
    .expect_code(0);
    set_replicas(4).await;
    let refused = carry_out(&server, &folder, &[]).await.expect_code(1);
    assert!(!refused.stderr.contains("panicked"), "{}", refused.stderr);
    carry_out(&server, &folder, &yields).await.expect_code(0);
    assert_eq!(replicas(&server), 4);
}

#[tokio::test]
async fn what_moves_from_a_former_manager_belongs_to_the_plan() {
    let server = former_tools::made_by(former_tools::CLIENT_SIDE, true).await;
    let folder = former_tools::folder(former_tools::SET);
    let run = |flags: &'static [&'static str]| former_tools::run_in(&server, &folder, flags);
    run(&["up", "--plan-out", "plan.json"]).await.expect_code(0);
    assert_eq!(server.writes().len(), 0);
    let other = ["up", "--plan", "plan.json", "--take-over", "helm"];
    let refused = former_tools::run_in(&server, &folder, &other).await;
    let words = "and this run has `--take-over helm`";
    assert!(refused.expect_code(1).stderr.contains(words));
    run(&["up", "--plan", "plan.json"]).await.expect_code(0);
    let live = former_tools::live(&server, former_tools::SETTINGS);
    assert_eq!(former_tools::managers(&live), ["cryptoctl"]);
    assert_eq!(live["data"], json!({"mode": "fast"}));
}

#[tokio::test]
async fn what_is_no_plan_is_refused_before_any_request() {
    let server = ApiServer::listen().await;
    let folder = tempfile::tempdir().unwrap();
    let refused = carry_out(&server, &folder, &[]).await.expect_code(2);
    assert!(
        refused.stderr.contains("cannot read the plan"),
        "{}",
        refused.stderr
    );
    std::fs::write(folder.path().join("plan.json"), "{}").unwrap();
    let refused = carry_out(&server, &folder, &[]).await.expect_code(2);
    assert!(
        refused.stderr.contains("is not a plan"),
        "{}",
        refused.stderr
    );
    let nowhere = Path::new("/nowhere/plan.json");
    run(&server, &["up", "--plan-out", nowhere.to_str().unwrap()])
        .await
        .expect_code(2);
    assert_eq!(server.requests().len(), 0);
}
