//! A cluster that cannot be reached or refuses the credentials: one clear sentence, and a next
//! step.

use std::path::Path;

use apiserver_model::ApiServer;

use crate::harness::{Cryptoctl, Output};

fn kubeconfig(folder: &Path, server: &str) -> String {
    let path = folder.join("kubeconfig");
    let text = format!(
        "apiVersion: v1
kind: Config
current-context: one
contexts: [{{name: one, context: {{cluster: one, user: one}}}}, {{name: two, context: {{cluster: one, user: one}}}}]
clusters: [{{name: one, cluster: {{server: {server}}}}}]
users: [{{name: one, user: {{token: secret-token}}}}]
"
    );
    std::fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

fn says(output: &Output, words: &[&str]) {
    for word in words {
        assert!(
            output.stderr.contains(word),
            "`{word}` is not in:\n{}",
            output.stderr
        );
    }
    assert!(
        output.stderr.contains("hint:"),
        "no next step:\n{}",
        output.stderr
    );
    assert!(!output.stderr.contains("secret-token"), "{}", output.stderr);
}

#[tokio::test]
async fn no_kubeconfig() {
    let output = Cryptoctl::without_cluster()
        .args(["diff"])
        .run()
        .await
        .expect_code(2);
    says(&output, &["no kubeconfig", "--kubeconfig"]);
}

#[tokio::test]
async fn an_invalid_kubeconfig_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("broken");
    std::fs::write(&path, "users: [secret-token").unwrap();
    let output = Cryptoctl::without_cluster()
        .args(["diff", "--kubeconfig", path.to_str().unwrap()])
        .run()
        .await
        .expect_code(2);
    says(&output, &["broken", "not a valid kubeconfig"]);
}

#[tokio::test]
async fn a_context_that_does_not_exist_names_those_that_do() {
    let folder = tempfile::tempdir().unwrap();
    let path = kubeconfig(folder.path(), "http://127.0.0.1:9");
    let output = Cryptoctl::without_cluster()
        .args(["diff", "--kubeconfig", &path, "--context", "three"])
        .run()
        .await
        .expect_code(2);
    says(&output, &["`three`", "--context one", "--context two"]);
}

#[tokio::test]
async fn a_missing_file_in_the_list_is_skipped_as_kubectl_does() {
    let server = ApiServer::listen().await;
    let folder = tempfile::tempdir().unwrap();
    let real = server.kubeconfig_file(folder.path());
    let list = format!(
        "{}:{}",
        folder.path().join("absent").display(),
        real.display()
    );
    Cryptoctl::without_cluster()
        .env("KUBECONFIG", &list)
        .args(["diff"])
        .run()
        .await
        .expect_code(3);
}

#[tokio::test]
async fn a_refused_connection() {
    let folder = tempfile::tempdir().unwrap();
    // A port that was free a moment ago, and that nobody listens on.
    let port = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let server = format!("http://127.0.0.1:{port}");
    let path = kubeconfig(folder.path(), &server);
    let output = Cryptoctl::without_cluster()
        .args(["diff", "--kubeconfig", &path])
        .run()
        .await
        .expect_code(1);
    says(&output, &[&server, "cannot reach", "refused"]);
}

#[tokio::test]
async fn rejected_credentials_are_named() {
    let server = ApiServer::listen().await;
    let output = Cryptoctl::with_token(&server, "expired")
        .args(["diff"])
        .run()
        .await
        .expect_code(1);
    says(&output, &["does not accept these credentials", "log in"]);
}

#[tokio::test]
async fn an_api_server_that_never_answers_is_named() {
    let server = ApiServer::listen().await;
    server.freeze();
    let output = Cryptoctl::new(&server)
        .args(["diff", "--request-timeout", "1s"])
        .run()
        .await
        .expect_code(1);
    says(&output, &["did not answer within 1 s"]);
}

#[tokio::test]
async fn the_commands_that_are_shown_go_to_the_cluster_of_the_run() {
    let server = ApiServer::listen().await;
    let status = ["rollout", "status", "-n", "nowhere"];
    let alone = Cryptoctl::new(&server)
        .args(status)
        .run()
        .await
        .expect_code(1);
    says(&alone, &["`kubectl get namespaces`"]);
    let named = Cryptoctl::new(&server)
        .args(status)
        .args(["--context", "model"])
        .run()
        .await
        .expect_code(1);
    says(&named, &["`kubectl --context=model get namespaces`"]);
}
