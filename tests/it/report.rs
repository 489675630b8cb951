//! Report files, and journals that are rendered again.

use std::path::{Path, PathBuf};

use apiserver_model::{Pods, Reply};
use boon::{Compiler, Schemas};
use serde_json::Value;

use crate::harness::{Cryptoctl, Output, built_in};

/// A folder for reports, and the arguments that write them there.
struct Reports {
    folder: tempfile::TempDir,
}

impl Reports {
    fn new() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn arguments(&self, names: &[&str]) -> Vec<String> {
        let path = |name| self.path(name).display().to_string();
        names
            .iter()
            .flat_map(|name| ["--report".to_owned(), path(name)])
            .collect()
    }

    fn text(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap()
    }

    fn names(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.folder.path()).unwrap();
        let mut names: Vec<String> = entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }
}

fn fits(schema: &str, report: &Value) {
    let schema: Value = serde_json::from_str(schema).unwrap();
    let (mut schemas, mut compiler) = (Schemas::new(), Compiler::new());
    compiler.add_resource("schema.json", schema).unwrap();
    let index = compiler.compile("schema.json", &mut schemas).unwrap();
    if let Err(error) = schemas.validate(report, index) {
        panic!("{error}\n{report}");
    }
}

async fn again(journal: &Path, more: &[String]) -> Output {
    Cryptoctl::without_cluster()
        .arg("report")
        .arg(journal)
        .args(more)
        .run()
        .await
}

#[tokio::test]
async fn a_verification_writes_reports_that_can_be_rendered_again() {
    let server = built_in().await;
    let reports = Reports::new();
    let output = Cryptoctl::new(&server)
        .args(["-o", "json", "verify"])
        .args(reports.arguments(&["a.json", "a.jsonl", "a.xml", "a.html"]))
        .run()
        .await
        .expect_code(0);
    let events = output.json_lines();
    // The context's own namespace is another one.
    assert_eq!(events[0]["namespace"], "logaiter");
    assert!(reports.text("a.xml").contains("value=\"logaiter\""));
    let journal: Value = serde_json::from_str(&reports.text("a.json")).unwrap();
    assert_eq!(journal["events"].as_array().unwrap(), &events);
    assert_eq!(reports.text("a.jsonl"), output.stdout);
    let report = &events.last().unwrap()["report"];
    fits(
        include_str!("../../docs/schema/verify-report.schema.json"),
        report,
    );
    assert_eq!(reports.names(), ["a.html", "a.json", "a.jsonl", "a.xml"]);
    for journal in ["a.json", "a.jsonl"] {
        again(
            &reports.path(journal),
            &reports.arguments(&["b.xml", "b.html"]),
        )
        .await
        .expect_code(0);
        assert_eq!(reports.text("b.xml"), reports.text("a.xml"));
        assert_eq!(reports.text("b.html"), reports.text("a.html"));
    }
}

#[tokio::test]
async fn an_experiment_leaves_reports_of_every_format() {
    let server = built_in().await;
    let reports = Reports::new();
    let names = ["a.html", "a.json", "a.jsonl", "a.svg", "a.xml"];
    let output = Cryptoctl::new(&server)
        .args(["-o", "json", "chaos", "--yes"])
        .args(reports.arguments(&names))
        .run()
        .await
        .expect_code(0);
    assert_eq!(reports.names(), names);
    let report = output.json_lines().pop().unwrap()["report"].clone();
    fits(
        include_str!("../../docs/schema/chaos-report.schema.json"),
        &report,
    );
    assert!(reports.text("a.html").contains("<h1>✓ Survived</h1>"));
    assert!(reports.text("a.xml").contains("errors=\"0\""));
}

#[tokio::test]
async fn the_output_of_the_run_is_reproduced() {
    let server = built_in().await;
    server.serve(
        Pods::of("cryptoserver").ordinal(1),
        "/keys",
        Reply::new(500, ""),
    );
    let reports = Reports::new();
    let first = Cryptoctl::new(&server)
        .arg("verify")
        .args(reports.arguments(&["a.json"]))
        .run()
        .await
        .expect_code(4);
    let second = again(&reports.path("a.json"), &[]).await.expect_code(0);
    assert_eq!(second.stdout, first.stderr);
    let piped = Cryptoctl::without_cluster()
        .args(["report", "-"])
        .stdin(&reports.text("a.json"))
        .run()
        .await
        .expect_code(0);
    assert_eq!(piped.stdout, second.stdout);
}

#[tokio::test]
async fn an_impossible_report_is_refused_before_anything_is_sent() {
    let server = built_in().await;
    let reports = Reports::new();
    for (command, name, words) in [
        (
            "verify",
            "a.pdf",
            "`.json`, `.jsonl`, `.ndjson`, `.xml`, `.svg` or `.html`",
        ),
        (
            "chaos",
            "a",
            "`.json`, `.jsonl`, `.ndjson`, `.xml`, `.svg` or `.html`",
        ),
        ("verify", "a.svg", "only an experiment has a timeline"),
        ("verify", "nowhere/a.json", "its folder does not exist"),
        ("chaos", "nowhere/a.json", "its folder does not exist"),
    ] {
        let output = Cryptoctl::new(&server)
            .args([command, "--yes"])
            .args(reports.arguments(&[name]))
            .run()
            .await
            .expect_code(2);
        assert!(output.stderr.contains(words), "{words}\n{}", output.stderr);
    }
    assert_eq!(server.requests().len(), 0);
    assert_eq!(reports.names(), Vec::<String>::new());
}

#[tokio::test]
async fn a_report_that_cannot_be_written_is_no_success() {
    let server = built_in().await;
    let reports = Reports::new();
    std::fs::create_dir(reports.path("a.json")).unwrap();
    let output = Cryptoctl::new(&server)
        .arg("verify")
        .args(reports.arguments(&["a.json", "b.json"]))
        .run()
        .await
        .expect_code(1);
    assert!(
        output.stderr.contains("error: failed to write the report"),
        "{}",
        output.stderr
    );
    assert_eq!(
        reports.names(),
        ["a.json", "b.json"],
        "the other one is written, and nothing is left"
    );
}

#[tokio::test]
async fn an_interrupted_run_leaves_its_reports_too() {
    let server = built_in().await;
    server.serve(Pods::of("cryptoserver"), "/keys", Reply::silence());
    let reports = Reports::new();
    let process = Cryptoctl::new(&server)
        .arg("verify")
        .args(reports.arguments(&["a.json", "a.html", "a.xml"]))
        .start()
        .await;
    server.until(|server| !server.requests().is_empty()).await;
    process.interrupt().await;
    process.finish().await.expect_code(130);
    let journal: Value = serde_json::from_str(&reports.text("a.json")).unwrap();
    let last = journal["events"]
        .as_array()
        .unwrap()
        .last()
        .unwrap()
        .clone();
    assert_eq!(last["status"], "interrupted");
    assert!(reports.text("a.html").contains("<h1>? Interrupted</h1>"));
    assert!(!reports.text("a.xml").contains("errors=\"0\""));
}

#[tokio::test]
async fn an_invalid_journal_is_refused_with_its_reason() {
    let reports = Reports::new();
    for (text, words) in [
        ("", "the journal is empty"),
        ("garbage\n", "line 1 is not a journal event"),
        (
            "{\"version\":1,\"events\":[\n{\"time\"",
            "the journal is truncated in line 2",
        ),
        ("{\"version\":1,\"events\":[]}", "the journal is incomplete"),
        ("{\"version\":7,\"events\":[]}", "the journal has version 7"),
    ] {
        std::fs::write(reports.path("a.json"), text).unwrap();
        let output = again(&reports.path("a.json"), &reports.arguments(&["b.html"]))
            .await
            .expect_code(2);
        assert!(output.stderr.contains(words), "{words}\n{}", output.stderr);
    }
    let output = again(&reports.path("missing.json"), &[])
        .await
        .expect_code(2);
    assert!(
        output.stderr.contains("failed to read the journal"),
        "{}",
        output.stderr
    );
    assert_eq!(reports.names(), ["a.json"]);
}
