//! The API server's pod proxy, used if port-forwards are forbidden or do not work: what the proxy
//! changes or says itself is never attributed to the pod.

use apiserver_model::{ApiServer, Fault, Framing, Page, Pods, Reply, Rule};
use http::Method;
use serde_json::{Value, json};

use super::{KEYS, cluster, report, verify, verify_with};

async fn without_forwards() -> ApiServer {
    let server = cluster().await;
    server.deny("create", "pods/portforward");
    server.deny("get", "pods/portforward");
    server
}

#[tokio::test]
async fn where_port_forwards_are_forbidden_the_proxy_is_used_and_named() {
    let server = without_forwards().await;
    let output = verify(&server).await.expect_code(0);
    let report = report(&output);
    assert_eq!(report["replicas"][0]["transport"], "pod_proxy");
    assert_eq!(report["replicas"][1]["transport"], "pod_proxy");
    let note = "replicas 0, 1 were reached through the API server's pod proxy because port-forwards are forbidden";
    assert!(
        report["notes"][0].as_str().unwrap().starts_with(note),
        "{report}"
    );
}

#[tokio::test]
async fn where_both_transports_are_forbidden_the_better_permission_is_named() {
    let server = without_forwards().await;
    server.deny("get", "pods/proxy");
    let output = verify(&server).await.expect_code(5);
    let report = report(&output);
    let reason = report["replicas"][0]["error"]["reason"].as_str().unwrap();
    assert!(
        reason.contains("`get` and `create` on `pods/portforward`"),
        "{reason}"
    );
    assert!(!reason.contains("pods/proxy"), "{reason}");
}

#[tokio::test]
async fn where_port_forwards_do_not_work_the_proxy_is_used() {
    for (status, reason) in [(405, "MethodNotAllowed"), (500, "InternalError"), (503, "")] {
        let server = cluster().await;
        let fault = Fault::Error {
            status,
            reason,
            message: "no port-forwards here",
            retry_after: None,
        };
        server.fault(Rule::new(fault).path("/portforward"));
        let output = verify(&server).await.expect_code(0);
        let report = report(&output);
        assert_eq!(report["replicas"][0]["transport"], "pod_proxy", "{report}");
    }
}

#[tokio::test]
async fn a_network_failure_is_no_reason_for_the_proxy() {
    let server = cluster().await;
    server.fault(Rule::new(Fault::CutBefore).path("/portforward"));
    let output = verify(&server).await.expect_code(5);
    let report = report(&output);
    assert_eq!(
        report["replicas"][0]["transport"], "port_forward",
        "{report}"
    );
    assert!(
        !server
            .requests()
            .iter()
            .any(|request| request.path.contains("/proxy/"))
    );
}

#[tokio::test]
async fn through_the_proxy_too_only_proof_is_success() {
    let page = |body: &str| Reply::ok(body.to_owned()).header("Content-Type", "text/html");
    let table = [
        (Reply::ok(KEYS), 0, Value::Null),
        (Reply::ok("1\n22\n333\n4444\n6\n"), 4, Value::Null),
        (
            Reply::ok(KEYS).framed(Framing::Chunked),
            5,
            json!("incomplete"),
        ),
        (
            Reply::ok(KEYS).framed(Framing::Close),
            5,
            json!("incomplete"),
        ),
        (Reply::ok(KEYS).closing_after(5), 5, json!("incomplete")),
        (page(KEYS), 5, json!("not_proven")),
        (Reply::new(500, "no"), 4, json!("wrong_status")),
        (
            Reply::new(503, "no").framed(Framing::Chunked),
            4,
            json!("wrong_status"),
        ),
        (
            Reply::new(301, "").header("Location", "/x"),
            4,
            json!("wrong_status"),
        ),
        (Reply::ok(""), 4, json!("empty")),
        // A server that listens only on the loopback address answers port-forwards, but not the proxy.
        (Reply::refused(), 5, json!("not_asked")),
    ];
    let server = without_forwards().await;
    for (reply, code, problem) in table {
        let shown = format!("{reply:?}");
        server.serve(Pods::of("cryptoserver").ordinal(1), "/keys", reply);
        let output = verify(&server).await;
        let report = report(&output);
        assert_eq!(
            report["replicas"][1]["error"]["problem"], problem,
            "{shown}: {report}"
        );
        assert_eq!(output.code(), code, "{shown}: {report}");
        assert_eq!(report["replicas"][0]["error"], Value::Null, "{shown}");
    }
}

#[tokio::test]
async fn an_answer_of_the_api_server_itself_is_not_the_pods() {
    let server = without_forwards().await;
    for (status, reason) in [
        (403, "Forbidden"),
        (404, "NotFound"),
        (503, "ServiceUnavailable"),
    ] {
        let fault = Fault::Error {
            status,
            reason,
            message: "not today",
            retry_after: None,
        };
        server.heal();
        server.fault(Rule::new(fault).path("cryptoserver-1:80/proxy"));
        let output = verify(&server).await.expect_code(5);
        let error = &report(&output)["replicas"][1]["error"];
        assert_eq!(error["problem"], "not_asked", "{error}");
        let reason = error["reason"].as_str().unwrap();
        assert!(reason.contains("port-forwards are forbidden"), "{reason}");
    }
}

#[tokio::test]
async fn a_page_of_something_in_between_is_not_the_pods() {
    for (status, page) in [(200, Page::Object), (200, Page::Html), (502, Page::Html)] {
        let server = without_forwards().await;
        let fault = Fault::Replaced {
            status,
            page,
            is_executed: false,
        };
        let rule = Rule::new(fault).method(Method::GET);
        server.fault(rule.path("cryptoserver-1:80/proxy"));
        let output = verify_with(&server, &["--path", "/keys"]).await;
        let report = report(&output);
        assert_eq!(
            report["replicas"][1]["error"]["problem"], "not_asked",
            "{status} {page:?}: {report}"
        );
        assert_eq!(output.code(), 5);
    }
}
