//! Rollouts that fail: what heals them, and what is left alone.

use apiserver_model::{ApiServer, Disturbance, Fault, PodScript, Pods, Rule};
use http::Method;
use serde_json::Value;

use super::{image, live, pods, rollout, run};
use crate::harness::built_in;

const BAD: [&str; 2] = ["--image", "quay.io/k8sexercices/fileserver:absent"];

fn claims(server: &ApiServer) -> Vec<Value> {
    let claims = server.objects("", "persistentvolumeclaims");
    claims
        .iter()
        .map(|it| it["metadata"]["uid"].clone())
        .collect()
}

/// The built-in set, in which no image of this tag can be pulled.
async fn with_a_bad_image() -> ApiServer {
    let server = built_in().await;
    let broken = PodScript::default().pull_fails("failed to pull and unpack image: not found");
    server.script(
        Pods::of("cryptoserver").image("quay.io/k8sexercices/fileserver:absent"),
        broken,
    );
    server
}

/// The same, deployed and failed: one pod has the image.
async fn failed() -> ApiServer {
    let server = with_a_bad_image().await;
    run(&server, &[&["up"], &BAD[..]].concat())
        .await
        .expect_code(4);
    server.forget_requests();
    server
}

#[tokio::test]
async fn the_stuck_roll_back_is_healed_by_deleting_the_broken_pod_alone() {
    let server = failed().await;
    let (before, data) = (pods(&server), claims(&server));
    let stuck = rollout(&server, "undo", &["--no-evidence"])
        .await
        .expect_code(4);
    assert!(
        stuck.stderr.contains("at an old revision"),
        "{}",
        stuck.stderr
    );
    let refused = rollout(&server, "unstick", &["--no-evidence"])
        .await
        .expect_code(2);
    assert!(refused.stderr.contains("--yes"), "{}", refused.stderr);
    assert_eq!(pods(&server), before);
    let healed = rollout(&server, "unstick", &["--yes", "--no-evidence"])
        .await
        .expect_code(0);
    let words = "pod/cryptoserver-1 deleted: it was stuck at revision";
    assert!(healed.stderr.contains(words), "{}", healed.stderr);
    let after = pods(&server);
    assert_eq!(
        (after[0] == before[0], after[1] == before[1]),
        (true, false)
    );
    assert_eq!(claims(&server), data);
    let nothing = rollout(&server, "unstick", &["--yes"]).await.expect_code(0);
    assert!(
        nothing.stderr.contains("has no pod that is stuck"),
        "{}",
        nothing.stderr
    );
}

#[tokio::test]
async fn undo_heals_by_itself_when_told_to_and_saves_the_evidence_first() {
    let server = failed().await;
    let before = pods(&server);
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().to_str().unwrap();
    let flags = ["--auto-unstick", "--evidence", place];
    let healed = rollout(&server, "undo", &flags).await.expect_code(0);
    assert!(
        healed.stderr.contains("evidence saved in"),
        "{}",
        healed.stderr
    );
    let after = pods(&server);
    assert_eq!(
        (after[0] == before[0], after[1] == before[1]),
        (true, false)
    );
    let saved = std::fs::read_dir(folder.path()).unwrap();
    let folders: Vec<_> = saved.map(|entry| entry.unwrap().path()).collect();
    let diagnosis = std::fs::read_to_string(folders[0].join("diagnosis.json")).unwrap();
    assert!(diagnosis.contains("cannot pull the image"), "{diagnosis}");
    for name in ["statefulset.json", "pods.json", "revisions.json"] {
        assert!(folders[0].join(name).is_file(), "{name}");
    }
}

#[tokio::test]
async fn up_heals_the_trap_when_told_to() {
    let server = failed().await;
    let before = pods(&server);
    let stuck = run(&server, &["up"]).await.expect_code(4);
    assert!(
        stuck.stderr.contains("at an old revision"),
        "{}",
        stuck.stderr
    );
    let healed = run(&server, &["up", "--auto-unstick", "--no-evidence"]).await;
    let healed = healed.expect_code(0);
    let words = "pod/cryptoserver-1 deleted: it was stuck at revision";
    assert!(healed.stderr.contains(words), "{}", healed.stderr);
    assert_eq!(pods(&server)[0], before[0]);
}

#[tokio::test]
async fn a_failed_rollout_is_rolled_back_and_still_a_failure() {
    let server = with_a_bad_image().await;
    let (before, data) = (pods(&server), claims(&server));
    let good = image(&live(&server));
    let flags = ["--rollback-on-failure", "--no-evidence"];
    let failed = run(&server, &[&["up"], &BAD[..], &flags].concat()).await;
    let failed = failed.expect_code(4);
    for words in [
        "cannot pull the image",
        "rolled back to revision 1",
        "2 of 2 replicas Ready",
    ] {
        assert!(failed.stderr.contains(words), "{words}: {}", failed.stderr);
    }
    assert_eq!(image(&live(&server)), good);
    assert_eq!(pods(&server)[0], before[0]);
    assert_eq!(claims(&server), data);
    run(&server, &["diff"]).await.expect_code(0);
}

#[tokio::test]
async fn nothing_is_rolled_back_where_no_revision_was_ever_complete() {
    let server = ApiServer::listen().await;
    let broken = PodScript::default().pull_fails("failed to pull and unpack image: not found");
    server.script(Pods::of("cryptoserver"), broken);
    let flags = ["up", "--rollback-on-failure", "--no-evidence"];
    let failed = run(&server, &flags).await.expect_code(4);
    let words = "was not rolled back: no other revision was ever complete";
    assert!(failed.stderr.contains(words), "{}", failed.stderr);
}

#[tokio::test]
async fn a_pod_that_is_another_one_by_now_is_left_alone() {
    let server = failed().await;
    rollout(&server, "undo", &["--no-evidence"])
        .await
        .expect_code(4);
    let replaced = Disturbance::Delete {
        namespace: "logaiter".to_owned(),
        pod: "cryptoserver-1".to_owned(),
        at_once: true,
    };
    let rule = Rule::new(Fault::Meanwhile(replaced)).method(Method::DELETE);
    server.fault(rule.times(1));
    rollout(&server, "unstick", &["--yes", "--no-evidence"])
        .await
        .expect_code(0);
    let deletions = server
        .writes()
        .into_iter()
        .filter(|it| it.method == Method::DELETE);
    let done = deletions.filter(|it| it.executed.as_ref().is_some_and(|it| it.status == 200));
    assert_eq!(done.count(), 0, "somebody else was faster");
}
