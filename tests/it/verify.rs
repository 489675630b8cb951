//! `verify` against replicas that lie, break off, hang or flood: the verdict, the exit code and the
//! words. Wrong is 4, unknown is 5, and only proof is 0.

mod baselines;
mod beside;
mod endpoints;
mod proxied;
mod watching;

use std::time::Duration;

use apiserver_model::{ApiServer, Framing, PodScript, Pods, Reply};
use serde_json::{Value, json};

use crate::harness::{Cryptoctl, KEYS, Output};

/// A cluster in which the built-in set is Ready and every replica serves the same keys.
async fn cluster() -> ApiServer {
    let server = ApiServer::listen().await;
    server.serve(Pods::of("cryptoserver"), "/keys", Reply::ok(KEYS));
    Cryptoctl::new(&server)
        .args(["up"])
        .run()
        .await
        .expect_code(0);
    server
}

async fn verify(server: &ApiServer) -> Output {
    verify_with(server, &[]).await
}

async fn verify_with(server: &ApiServer, flags: &[&str]) -> Output {
    Cryptoctl::new(server)
        .args(["-o", "json", "verify"])
        .args(flags)
        .run()
        .await
}

/// The first finding's kind and sentence.
fn finding(output: &Output) -> (String, String) {
    let finding = &report(output)["findings"][0];
    let text = |field: &str| finding[field].as_str().unwrap_or_default().to_owned();
    (text("kind"), text("message"))
}

fn report(output: &Output) -> Value {
    output.json_lines().last().unwrap()["report"].clone()
}

#[tokio::test]
async fn the_same_bytes_from_every_replica_are_success() {
    let server = cluster().await;
    let output = verify(&server).await.expect_code(0);
    let report = report(&output);
    assert_eq!(report["groups"][0]["ordinals"], json!([0, 1]));
    assert_eq!(report["groups"][0]["bytes"], KEYS.len());
    assert_eq!(server.writes().len(), 5, "nothing but what `up` wrote");
}

#[tokio::test]
async fn one_replica_that_is_wrong_is_named_with_what_is_wrong() {
    let table: [(Reply, i32, Value); 12] = [
        (Reply::ok("1\n22\n333\n4444\n6\n"), 4, Value::Null),
        (Reply::ok(format!("{KEYS}\n")), 4, json!("not_matching")),
        (
            Reply::ok(format!("\u{feff}{KEYS}")),
            4,
            json!("not_matching"),
        ),
        (Reply::ok("1\n22\n333\n"), 4, json!("not_matching")),
        (Reply::ok(KEYS).framed(Framing::Chunked), 0, Value::Null),
        (Reply::new(500, KEYS), 4, json!("wrong_status")),
        (Reply::new(301, KEYS), 4, json!("wrong_status")),
        (Reply::ok(""), 4, json!("empty")),
        (Reply::refused(), 4, json!("not_listening")),
        (Reply::ok(KEYS).closing_after(5), 5, json!("incomplete")),
        (
            Reply::ok(KEYS).framed(Framing::Chunked).closing_after(5),
            5,
            json!("incomplete"),
        ),
        (
            Reply::ok(KEYS).framed(Framing::Close),
            5,
            json!("incomplete"),
        ),
    ];
    for (reply, code, problem) in table {
        let server = cluster().await;
        let shown = format!("{reply:?}");
        server.serve(Pods::of("cryptoserver").ordinal(1), "/keys", reply);
        let output = verify(&server).await;
        assert_eq!(output.code(), code, "{shown}\n{}", output.stdout);
        let report = report(&output);
        assert_eq!(
            report["replicas"][1]["error"]["problem"], problem,
            "{shown}: {report}"
        );
        assert_eq!(report["replicas"][0]["error"], Value::Null, "{shown}");
    }
}

#[tokio::test]
async fn agreement_on_an_empty_answer_or_an_error_is_no_agreement() {
    for reply in [Reply::ok(""), Reply::new(500, "the same words everywhere")] {
        let server = cluster().await;
        server.serve(Pods::of("cryptoserver"), "/keys", reply);
        verify(&server).await.expect_code(4);
    }
}

#[tokio::test]
async fn a_flood_is_bounded_and_the_replica_named() {
    let server = cluster().await;
    let flood = Reply::ok("x".repeat(64 * 1024))
        .repeated(64 * 1024)
        .framed(Framing::Chunked);
    server.serve(Pods::of("cryptoserver").ordinal(1), "/keys", flood);
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("cryptoctl.yaml");
    let bounds = "verify: {largest_body: 1Mi, answer_time: 2m}\n";
    std::fs::write(&config, bounds).unwrap();
    let flags = ["--config", config.to_str().unwrap()];
    let output = verify_with(&server, &flags).await.expect_code(4);
    let report = report(&output);
    assert_eq!(
        report["replicas"][1]["error"]["problem"], "too_large",
        "{report}"
    );
    assert!(
        report["findings"][0]["message"]
            .as_str()
            .unwrap()
            .contains("`cryptoserver-1`")
    );
}

#[tokio::test]
async fn a_missing_answer_is_bounded_and_the_replica_named() {
    let server = cluster().await;
    server.serve(
        Pods::of("cryptoserver").ordinal(0),
        "/keys",
        Reply::silence(),
    );
    let output = verify(&server).await.expect_code(5);
    let report = report(&output);
    assert_eq!(
        report["replicas"][0]["error"]["problem"], "no_answer",
        "{report}"
    );
}

#[tokio::test]
async fn a_replica_that_does_not_run_is_wrong_without_a_request() {
    let server = cluster().await;
    server.script(
        Pods::of("cryptoserver").ordinal(1),
        PodScript::default().crashes(Duration::ZERO, 134, "Keys file already exists"),
    );
    server.kill_container("logaiter", "cryptoserver-1", 137);
    server
        .until(|server| {
            let pod = server
                .object("", "pods", "logaiter", "cryptoserver-1")
                .unwrap();
            let state = &pod["status"]["containerStatuses"][0]["state"];
            !state["waiting"].is_null()
        })
        .await;
    let output = verify(&server).await.expect_code(4);
    assert_eq!(
        report(&output)["replicas"][1]["error"]["problem"],
        "not_running"
    );
}

#[tokio::test]
async fn a_missing_replica_is_wrong_and_zero_replicas_prove_nothing() {
    let server = ApiServer::listen().await;
    server.serve(Pods::of("cryptoserver"), "/keys", Reply::ok(KEYS));
    server.script(
        Pods::of("cryptoserver").ordinal(0),
        PodScript::default().never_ready("stays so"),
    );
    Cryptoctl::new(&server)
        .args(["up", "--no-wait"])
        .run()
        .await
        .expect_code(0);
    server
        .until(|server| {
            server
                .object("", "pods", "logaiter", "cryptoserver-0")
                .is_some()
        })
        .await;
    let output = verify(&server).await.expect_code(4);
    assert_eq!(
        report(&output)["replicas"][1]["error"]["problem"],
        "missing"
    );

    let server = ApiServer::listen().await;
    Cryptoctl::new(&server)
        .args(["up", "--replicas", "0"])
        .run()
        .await
        .expect_code(0);
    verify(&server).await.expect_code(5);
}

#[tokio::test]
async fn a_single_replica_says_that_there_is_nothing_to_compare() {
    let server = ApiServer::listen().await;
    server.serve(Pods::of("cryptoserver"), "/keys", Reply::ok(KEYS));
    Cryptoctl::new(&server)
        .args(["up", "--replicas", "1"])
        .run()
        .await
        .expect_code(0);
    let output = Cryptoctl::new(&server)
        .args(["verify"])
        .run()
        .await
        .expect_code(0);
    assert!(
        output.stderr.contains("nothing to compare"),
        "{}",
        output.stderr
    );
}

#[tokio::test]
async fn without_a_transport_nothing_is_known() {
    let server = cluster().await;
    server.deny("create", "pods/portforward");
    server.deny("get", "pods/portforward");
    server.deny("get", "pods/proxy");
    let output = verify(&server).await.expect_code(5);
    assert_eq!(
        report(&output)["replicas"][0]["error"]["problem"],
        "not_asked"
    );
}

#[tokio::test]
async fn another_workload_gets_no_request_for_the_built_in_path() {
    let server = cluster().await;
    let output = Cryptoctl::new(&server)
        .args(["verify", "statefulset/other"])
        .run()
        .await;
    let output = output.expect_code(2);
    assert!(output.stderr.contains("--path"), "{}", output.stderr);
}
