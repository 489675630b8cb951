//! The expectations of `cryptoctl.yaml`, at one endpoint and at several.

use std::fs;

use apiserver_model::{ApiServer, Pods, Reply};
use serde_json::json;
use tempfile::TempDir;

use super::{KEYS, cluster, finding, report};
use crate::harness::{Cryptoctl, Output};

/// Verifies with a configuration file that lists these endpoints.
async fn verify(server: &ApiServer, endpoints: &str, output: &str) -> Output {
    let folder = TempDir::new().unwrap();
    let text = format!("endpoints:\n{endpoints}\n");
    fs::write(folder.path().join("cryptoctl.yaml"), text).unwrap();
    Cryptoctl::new(server)
        .args(["-o", output, "verify"])
        .current_dir(folder.path())
        .run()
        .await
}

fn both(reply: &Reply, server: &ApiServer) {
    server.serve(Pods::of("cryptoserver"), "/x", reply.clone());
}

#[tokio::test]
async fn agreement_on_an_unexpected_answer_is_no_success() {
    let plain = |body: &str| Reply::ok(body.to_owned()).header("Content-Type", "text/plain");
    let other = "0000000000000000000000000000000000000000000000000000000000000000";
    let digest = format!("{{path: /x, sha256: '{other}'}}");
    let table = [
        (plain("abc"), "{path: /x, match: '^a.c$'}", None),
        (
            plain("abcd"),
            "{path: /x, match: '^a.c$'}",
            Some("not_matching"),
        ),
        (
            plain("abc"),
            "{path: /x, status: 418}",
            Some("wrong_status"),
        ),
        (Reply::new(418, "abc"), "{path: /x, status: 418}", None),
        (
            Reply::new(302, "abc").header("Location", "/y"),
            "{path: /x}",
            Some("wrong_status"),
        ),
        (plain(""), "{path: /x}", Some("empty")),
        (plain(""), "{path: /x, non_empty: false}", None),
        (
            plain("abc"),
            "{path: /x, content_type: application/json}",
            Some("wrong_content_type"),
        ),
        (plain("abc"), "{path: /x, content_type: text/plain}", None),
        (plain("abc"), digest.as_str(), Some("wrong_digest")),
        (
            plain("abc"),
            "{path: /x, largest_latency: 1ms, ignore: ['(?s).*']}",
            Some("not_proven"),
        ),
    ];
    let server = cluster().await;
    for (reply, endpoint, problem) in table {
        both(&reply, &server);
        let output = verify(&server, &format!("  - {endpoint}"), "json").await;
        let report = report(&output);
        let given = report["replicas"][1]["error"]["problem"].as_str();
        assert_eq!(given, problem, "{endpoint}: {report}");
        let code = match problem {
            None => 0,
            Some("not_proven") => 5,
            Some(_) => 4,
        };
        assert_eq!(output.code(), code, "{endpoint}: {report}");
    }
}

#[tokio::test]
async fn words_say_what_was_expected_and_where_a_redirect_leads() {
    let server = cluster().await;
    let redirect = Reply::new(301, "").header("Location", "/elsewhere");
    both(&redirect, &server);
    let output = verify(&server, "  - {path: /x}", "text")
        .await
        .expect_code(4);
    let text = format!("{}{}", output.stdout, output.stderr);
    let words = "`cryptoserver-0` answered with status 301 instead of 200, a redirect to `/elsewhere`, which is not followed";
    assert!(text.contains(words), "{text}");
}

#[tokio::test]
async fn every_replica_gets_a_request_at_every_endpoint() {
    let server = cluster().await;
    for ordinal in 0..2 {
        let pod = Pods::of("cryptoserver").ordinal(ordinal);
        server.serve(pod, "/name", Reply::ok(format!("I am {ordinal}")));
    }
    let endpoints = "  - {path: /keys}\n  - {path: /name, equal: false}";
    let output = verify(&server, endpoints, "json").await.expect_code(0);
    let report = report(&output);
    assert_eq!(report["replicas"].as_array().unwrap().len(), 4);
    assert_eq!(report["replicas"][1]["path"], "/name");
    assert_eq!(
        report["may_differ"],
        json!([{ "port": 80, "path": "/name" }])
    );
    assert_eq!(
        report["summary"],
        "all 2 replicas answer as expected (1 answer each at 2 endpoints)"
    );

    let equal = "  - {path: /keys}\n  - {path: /name}";
    let output = verify(&server, equal, "json").await.expect_code(4);
    let (kind, message) = finding(&output);
    assert_eq!(kind, "differ");
    assert!(
        message.starts_with("`GET /name` on port 80: the replicas disagree")
            && message.ends_with("; the first difference is at offset 5"),
        "{message}"
    );
}

#[tokio::test]
async fn ignored_parts_are_removed_before_comparing() {
    let server = cluster().await;
    for ordinal in 0..2 {
        let pod = Pods::of("cryptoserver").ordinal(ordinal);
        server.serve(pod, "/x", Reply::ok(format!("at 10:0{ordinal}: abc")));
    }
    verify(&server, "  - {path: /x}", "json")
        .await
        .expect_code(4);
    let cut = r"  - {path: /x, ignore: ['\d\d:\d\d']}";
    let output = verify(&server, cut, "json").await.expect_code(0);
    let replicas = &report(&output)["replicas"];
    assert_ne!(replicas[0]["sha256"], replicas[1]["sha256"]);
    assert_eq!(
        replicas[0]["compared_sha256"],
        replicas[1]["compared_sha256"]
    );
}

#[tokio::test]
async fn differences_are_told_apart() {
    let table = [
        (
            "1\n22\n333\n4444\n6\n",
            "differ",
            "the first difference is at offset 14",
        ),
        (
            "1\n22\n333\n4444\n5",
            "partial",
            "replica 1 serves only the first 15 of the 16 bytes that replica 0 serves: only the final line ending is missing",
        ),
        (
            "\u{feff}1\n22\n333\n4444\n5\n",
            "differ",
            "only the data of replica 1 begins with a byte-order mark",
        ),
        (
            "",
            "empty",
            "replica 1 serves nothing, but replica 0 serves 16 bytes",
        ),
    ];
    let server = cluster().await;
    for (body, kind, words) in table {
        let pod = Pods::of("cryptoserver").ordinal(1);
        server.serve(pod, "/keys", Reply::ok(body));
        let endpoint = "  - {path: /keys, non_empty: false}";
        let output = verify(&server, endpoint, "json").await.expect_code(4);
        let found = finding(&output);
        assert_eq!(found.0, kind, "{}", found.1);
        assert!(found.1.ends_with(words), "{}", found.1);
        assert!(
            !output.stdout.contains("333\\n4444"),
            "content is never shown"
        );
    }
    let typed = Reply::ok(KEYS).header("Content-Type", "application/json");
    server.serve(Pods::of("cryptoserver").ordinal(1), "/keys", typed);
    let output = verify(&server, "  - {path: /keys}", "json")
        .await
        .expect_code(4);
    assert_eq!(finding(&output).0, "content_types");
}

#[tokio::test]
async fn a_large_body_is_compared_to_its_end() {
    let server = cluster().await;
    let body = "x".repeat(3 << 20);
    server.serve(Pods::of("cryptoserver"), "/x", Reply::ok(body.clone()));
    verify(&server, "  - {path: /x}", "json")
        .await
        .expect_code(0);
    let other = Reply::ok(format!("{}y", &body[1..]));
    server.serve(Pods::of("cryptoserver").ordinal(1), "/x", other);
    let output = verify(&server, "  - {path: /x}", "json")
        .await
        .expect_code(4);
    let (kind, message) = finding(&output);
    assert_eq!(kind, "differ");
    let words = "; their first 1048576 bytes are equal, and the rest was not kept";
    assert!(message.ends_with(words), "{message}");
}
