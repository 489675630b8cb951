//! The configuration file, tested from outside: what it refuses, which value wins, and what it
//! protects.

use std::path::Path;

use apiserver_model::{ApiServer, Pods, Reply};

use crate::harness::{Cryptoctl, Output, built_in};

/// A folder whose configuration file says this.
fn folder(text: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("cryptoctl.yaml"), text).unwrap();
    folder
}

async fn run_in(server: &ApiServer, folder: &Path, arguments: &[&str]) -> Output {
    Cryptoctl::new(server)
        .current_dir(folder)
        .args(arguments)
        .run()
        .await
}

#[tokio::test]
async fn a_file_with_mistakes_is_refused_with_all_of_them_and_nothing_is_sent() {
    let server = ApiServer::listen().await;
    let folder = folder("workload: web\nendpoints:\n- path: /a\n  statuss: 200\n");
    for arguments in [
        ["verify", "--path", "/a"].as_slice(),
        &["chaos", "--yes"],
        &["rollout", "status"],
        &["logs"],
        &["up", "--config", "cryptoctl.yaml"],
    ] {
        let output = run_in(&server, folder.path(), arguments)
            .await
            .expect_code(2);
        for words in [
            "2 problems in `cryptoctl.yaml`",
            "cryptoctl.yaml:1:11",
            "`statefulset/NAME`",
            "cryptoctl.yaml:4:3",
            "did you mean `status`?",
        ] {
            assert!(output.stderr.contains(words), "{words}\n{}", output.stderr);
        }
        assert_eq!(server.requests().len(), 0, "{arguments:?}");
    }
}

#[tokio::test]
async fn a_file_that_does_not_concern_a_command_is_not_read() {
    let server = ApiServer::listen().await;
    let folder = folder("nonsense");
    run_in(&server, folder.path(), &["completions", "bash"])
        .await
        .expect_code(0);
}

#[tokio::test]
async fn a_file_that_was_named_has_to_exist() {
    let server = ApiServer::listen().await;
    let output = Cryptoctl::new(&server)
        .args(["verify", "--config", "absent.yaml"])
        .run()
        .await
        .expect_code(2);
    assert!(output.stderr.contains("absent.yaml"), "{}", output.stderr);
    assert_eq!(server.requests().len(), 0);
}

#[tokio::test]
async fn flags_win_over_the_file_and_the_file_over_the_built_in() {
    let server = built_in().await;
    server.serve(Pods::of("cryptoserver"), "/of-file", Reply::ok("f"));
    server.serve(Pods::of("cryptoserver"), "/of-flag", Reply::ok("g"));
    let folder = folder("endpoints: [{path: /of-file}]");
    for (arguments, asked) in [
        (["-o", "json", "verify"].as_slice(), "/of-file"),
        (&["-o", "json", "verify", "--path", "/of-flag"], "/of-flag"),
    ] {
        let output = run_in(&server, folder.path(), arguments)
            .await
            .expect_code(0);
        let report = output.json_lines().last().unwrap()["report"].clone();
        assert_eq!(report["endpoints"][0]["path"], asked, "{report}");
    }
}

#[tokio::test]
async fn a_file_elsewhere_counts_only_when_it_is_named() {
    let server = built_in().await;
    let folder = folder("workload: statefulset/absent\nendpoints: [{path: /}]");
    let file = folder.path().join("cryptoctl.yaml");
    run_in(&server, Path::new("/"), &["verify"])
        .await
        .expect_code(0);
    let output = run_in(
        &server,
        Path::new("/"),
        &["verify", "--config", file.to_str().unwrap()],
    )
    .await
    .expect_code(1);
    assert!(
        output.stderr.contains("statefulset/absent"),
        "the file's workload is looked for:\n{}",
        output.stderr
    );
    let output = run_in(
        &server,
        folder.path(),
        &["rollout", "status", "statefulset/cryptoserver"],
    );
    output.await.expect_code(0);
}

#[tokio::test]
async fn without_a_terminal_nothing_is_changed_in_a_protected_context() {
    let server = built_in().await;
    let folder = folder("protected_contexts: [production, 'mod*']\n");
    for arguments in [
        ["chaos", "--yes"].as_slice(),
        &["chaos", "--yes", "--context", "model"],
        &["up"],
        &["up", "--yes"],
        &["down", "--yes"],
        &["down", "--yes", "--delete-data"],
    ] {
        let output = run_in(&server, folder.path(), arguments)
            .await
            .expect_code(2);
        for words in ["`model`", "`mod*`", "line 1", "`cryptoctl.yaml`", "`--yes`"] {
            assert!(output.stderr.contains(words), "{words}\n{}", output.stderr);
        }
        assert_eq!(server.requests().len(), 0, "{arguments:?}");
    }
    for harmless in [
        ["verify"].as_slice(),
        &["chaos", "--control", "--for", "500ms"],
        &["chaos", "--restore", "--yes"],
        &["chaos", "--yes", "--dry-run"],
        &["up", "--dry-run"],
    ] {
        run_in(&server, folder.path(), harmless)
            .await
            .expect_code(0);
    }
    assert_eq!(server.writes().len(), 0);
}

#[tokio::test]
async fn the_experiment_of_the_file_is_the_one_that_is_done() {
    let server = built_in().await;
    let folder = folder(
        "chaos: {fault: force-delete, select: all-in-turn, pause: 0, probe_interval: 50ms, \
         max_recovery: 2m}",
    );
    for (more, fault, faults) in [
        ([].as_slice(), "force-delete", 2),
        (&["--fault", "evict", "--pod", "cryptoserver-1"], "evict", 1),
    ] {
        let mut arguments = vec!["-o", "json", "chaos", "--dry-run"];
        arguments.extend(more);
        let output = run_in(&server, folder.path(), &arguments)
            .await
            .expect_code(0);
        let report = output.json_lines().last().unwrap()["report"].clone();
        let experiment = &report["experiment"];
        assert_eq!(experiment["fault"], fault, "{report}");
        assert_eq!(experiment["repeat"], faults, "{report}");
        assert_eq!(experiment["probe_interval_ms"], 50, "{report}");
        assert_eq!(experiment["max_recovery_ms"], 120_000, "{report}");
    }
    assert_eq!(server.writes().len(), 0, "a dry run breaks nothing");
}

#[tokio::test]
async fn an_invalid_older_run_is_refused_before_anything_is_sent() {
    let server = ApiServer::listen().await;
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("old.json"), "{}").unwrap();
    for file in ["old.json", "absent.json"] {
        let output = run_in(
            &server,
            folder.path(),
            &["chaos", "--yes", "--compare", file],
        )
        .await
        .expect_code(2);
        assert!(output.stderr.contains(file), "{}", output.stderr);
        assert_eq!(server.requests().len(), 0);
    }
}

#[test]
fn the_documented_example_is_a_configuration() {
    let document = include_str!("../../docs/configuration.md");
    let example = document
        .split("```yaml\n")
        .nth(1)
        .and_then(|rest| rest.split("```").next())
        .unwrap();
    let config = cryptoctl::config::parse(Path::new("docs/configuration.md"), example)
        .unwrap_or_else(|error| panic!("{error}"));
    assert!(!config.protected_contexts.is_empty() && !config.endpoints.is_empty());
    for key in cryptoctl::config::keys() {
        assert!(document.contains(&format!("`{key}`")), "`{key}` is missing");
    }
}
