//! Servers that are not an API server: no command succeeds against one.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::harness::Cryptoctl;

/// The answer to every request: a name for messages, a status line and a body.
const ANSWERS: [(&str, &str, &str); 11] = [
    ("no page", "404 Not Found", "404 page not found\n"),
    ("page", "404 Not Found", "<html><h1>Not Found</h1></html>"),
    (
        "nothing found",
        "404 Not Found",
        r#"{"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "message": "the server could not find the requested resource", "reason": "NotFound", "details": {}, "code": 404}"#,
    ),
    (
        "another's 404",
        "404 Not Found",
        r#"{"reason": "NotFound", "message": "no route"}"#,
    ),
    ("object", "200 OK", "{}"),
    (
        "version",
        "200 OK",
        r#"{"major": "1", "minor": "37", "gitVersion": "v1.37.2"}"#,
    ),
    ("login", "200 OK", "<html><form>Log in</form></html>"),
    ("empty", "200 OK", ""),
    (
        "success",
        "200 OK",
        r#"{"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success"}"#,
    ),
    (
        "groups",
        "200 OK",
        r#"{"kind": "APIGroupList", "apiVersion": "v1", "groups": []}"#,
    ),
    (
        "list",
        "200 OK",
        r#"{"kind": "List", "apiVersion": "v1", "metadata": {"resourceVersion": "1"}, "items": []}"#,
    ),
];

/// Every verb that talks to a cluster.
const VERBS: [&[&str]; 12] = [
    &["up", "--timeout", "20s"],
    &["up", "--dry-run"],
    &["diff"],
    &["rollout", "status", "--timeout", "20s"],
    &["verify", "--timeout", "20s"],
    &["chaos", "--yes", "--timeout", "20s"],
    &["chaos", "--control", "--for", "1s", "--timeout", "20s"],
    &["chaos", "--restore", "--timeout", "20s"],
    &["logs", "--timeout", "20s"],
    &["down", "--yes"],
    &["down", "--yes", "--delete-data"],
    &["down", "--yes", "-n", "shop"],
];

/// A server with a single answer; returns its URL.
async fn serve(status: &'static str, body: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(answer(stream, status, body));
        }
    });
    // A path as in a proxy for several clusters, with a mistake in it.
    format!("http://{address}/k8s/clusters/no-such-cluster")
}

async fn answer(mut stream: TcpStream, status: &str, body: &str) {
    let mut received = Vec::new();
    let mut piece = [0_u8; 4096];
    loop {
        let Ok(count @ 1..) = stream.read(&mut piece).await else {
            return;
        };
        received.extend_from_slice(&piece[..count]);
        let text = String::from_utf8_lossy(&received);
        let Some((head, sent)) = text.split_once("\r\n\r\n") else {
            continue;
        };
        let length = head.lines().find_map(|line| {
            line.to_ascii_lowercase()
                .strip_prefix("content-length: ")?
                .parse()
                .ok()
        });
        if sent.len() >= length.unwrap_or(0) {
            break;
        }
    }
    let response = format!(
        "HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    );
    // A client that has disconnected needs no answer.
    let _ = stream.write_all(response.as_bytes()).await;
}

#[tokio::test]
async fn no_verb_mistakes_another_server_for_an_api_server() {
    for (name, status, body) in ANSWERS {
        let server = serve(status, body).await;
        let runs = VERBS.map(|verb| {
            let call = Cryptoctl::without_cluster().args(verb);
            let path = call.home().join("kubeconfig");
            let kubeconfig = format!(
                "apiVersion: v1\nkind: Config\ncurrent-context: one\n\
                 contexts: [{{name: one, context: {{cluster: one, user: one}}}}]\n\
                 clusters: [{{name: one, cluster: {{server: '{server}'}}}}]\n\
                 users: [{{name: one, user: {{token: t}}}}]\n"
            );
            std::fs::write(&path, kubeconfig).unwrap();
            call.env("KUBECONFIG", path).run()
        });
        let outputs = futures::future::join_all(runs).await;
        for (verb, output) in VERBS.iter().zip(outputs) {
            assert_eq!(output.code(), 1, "{name}, {verb:?}: {output:?}");
            assert!(!output.stderr.contains('✓'), "{name}, {verb:?}: {output:?}");
            assert!(
                output.stderr.contains("kubectl config view --minify"),
                "no next step: {name}, {verb:?}: {output:?}"
            );
        }
    }
}
