//! Comparing answers with those of an earlier day.

use std::fs;
use std::path::Path;

use apiserver_model::{ApiServer, Pods, Reply};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::{KEYS, cluster, finding, report, verify_with};
use crate::harness::{Cryptoctl, Output};

const OTHER: &str = "1\n22\n333\n4444\n6\n";

async fn save(server: &ApiServer, path: &Path, flags: &[&str]) -> Value {
    let mut all = vec!["--save-baseline", path.to_str().unwrap()];
    all.extend(flags);
    verify_with(server, &all).await.expect_code(0);
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

async fn compare(server: &ApiServer, path: &Path) -> Output {
    verify_with(server, &["--baseline", path.to_str().unwrap()]).await
}

#[tokio::test]
async fn a_baseline_holds_hashes_and_content_only_on_request() {
    let server = cluster().await;
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("baseline.json");
    let saved = save(&server, &path, &[]).await;
    assert_eq!(saved["version"], 1);
    assert_eq!(saved["object"]["name"], "cryptoserver");
    assert_eq!(saved["endpoints"][0]["bytes"], KEYS.len());
    assert_eq!(saved["endpoints"][0]["content"], Value::Null);
    let output = compare(&server, &path).await.expect_code(0);
    let summary = report(&output)["summary"].clone();
    assert_eq!(
        summary,
        format!(
            "all 2 replicas serve the same {} bytes (1 answer each), as in the baseline",
            KEYS.len()
        )
    );
    let saved = save(&server, &path, &["--show-content"]).await;
    assert_ne!(saved["endpoints"][0]["content"], Value::Null);
}

#[tokio::test]
async fn regenerated_and_stale_replicas_are_told_apart() {
    let server = cluster().await;
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("baseline.json");
    save(&server, &path, &[]).await;

    let one = Pods::of("cryptoserver").ordinal(1);
    server.serve(one, "/keys", Reply::ok(OTHER));
    let output = compare(&server, &path).await.expect_code(4);
    let (kind, message) = finding(&output);
    assert_eq!(kind, "stale_replica");
    assert!(
        message.starts_with("replica 0 still serves the baseline of ")
            && message.ends_with(", but replica 1 serves different data"),
        "{message}"
    );

    server.serve(Pods::of("cryptoserver"), "/keys", Reply::ok(OTHER));
    let output = compare(&server, &path).await.expect_code(4);
    let (kind, message) = finding(&output);
    assert_eq!(kind, "regenerated");
    assert!(
        message.starts_with("all 2 replicas serve different data than the baseline of "),
        "{message}"
    );
    let groups = report(&output)["groups"].clone();
    assert_eq!(
        groups[0]["ordinals"],
        json!([0, 1]),
        "they agree, for all that"
    );
}

#[tokio::test]
async fn a_failed_verification_saves_nothing() {
    let server = cluster().await;
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("baseline.json");
    let one = Pods::of("cryptoserver").ordinal(1);
    server.serve(one, "/keys", Reply::ok(OTHER));
    let flags = ["--save-baseline", path.to_str().unwrap()];
    let output = verify_with(&server, &flags).await.expect_code(4);
    assert!(!path.exists());
    assert!(
        output.stderr.contains("no baseline was saved"),
        "{}",
        output.stderr
    );
}

#[tokio::test]
async fn a_baseline_of_another_workload_is_an_error_that_names_both() {
    let server = cluster().await;
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("baseline.json");
    save(&server, &path, &[]).await;
    let text = fs::read_to_string(&path).unwrap();
    let words = |path: &Path, flags: &'static [&'static str]| {
        let call = Cryptoctl::new(&server)
            .args(["verify", "--baseline", path.to_str().unwrap()])
            .args(flags);
        async move { call.run().await.expect_code(2).stderr }
    };
    let elsewhere = words(&path, &["--path", "/other"]).await;
    assert!(
        elsewhere
            .contains("the baseline covers `GET /keys` on port 80, not `GET /other` on port 80"),
        "{elsewhere}"
    );
    fs::write(&path, text.replace("\"logaiter\"", "\"prod\"")).unwrap();
    let other = words(&path, &[]).await;
    assert!(
        other.contains("`statefulset/cryptoserver` in namespace `prod`"),
        "{other}"
    );
    assert!(other.contains("in namespace `logaiter`"), "{other}");
    fs::write(&path, "{}").unwrap();
    let none = words(&path, &[]).await;
    assert!(none.contains("is not a baseline"), "{none}");
}

#[tokio::test]
async fn a_baseline_without_a_folder_is_refused_before_anything_is_sent() {
    let server = cluster().await;
    let before = server.requests().len();
    let refused = verify_with(&server, &["--save-baseline", "/nowhere/new.json"])
        .await
        .expect_code(2)
        .stderr;
    let words = "`--save-baseline /nowhere/new.json`: its folder does not exist";
    assert!(refused.contains(words), "{refused}");
    assert_eq!(server.requests().len(), before);
}

#[tokio::test]
async fn excerpts_of_answers_are_shown_only_on_request() {
    let server = cluster().await;
    let one = Pods::of("cryptoserver").ordinal(1);
    server.serve(one, "/keys", Reply::ok(OTHER));
    let hidden = verify_with(&server, &[]).await.expect_code(4);
    assert!(!hidden.stdout.contains("excerpt"), "{}", hidden.stdout);
    let shown = verify_with(&server, &["--show-content"])
        .await
        .expect_code(4);
    let excerpt = &report(&shown)["groups"][1]["excerpt"];
    assert_eq!(excerpt["text"], "1.22.333.4444.6.");
    let text = Cryptoctl::new(&server)
        .args(["verify", "--show-content"])
        .run()
        .await
        .expect_code(4);
    assert!(
        text.stderr.contains("|1.22.333.4444.6.|"),
        "{}",
        text.stderr
    );
}
