//! What users of kubectl type out of habit.

use apiserver_model::{ApiServer, Pods, Reply};

use crate::harness::{Cryptoctl, KEYS, built_in};

/// Reads logs of the built-in set; returns the path and the query of every log request.
async fn logs(server: &ApiServer, arguments: &[&str]) -> Vec<(String, String)> {
    Cryptoctl::new(server)
        .args(["logs", "-n", "logaiter"])
        .args(arguments)
        .run()
        .await
        .expect_code(0);
    server
        .requests()
        .into_iter()
        .filter(|request| request.path.ends_with("/log"))
        .map(|request| (request.path, request.query))
        .collect()
}

#[tokio::test]
async fn the_name_of_a_pod_gives_its_log_alone() {
    let server = built_in().await;
    let asked = logs(&server, &["cryptoserver-1"]).await;
    assert_eq!(asked.len(), 1, "{asked:?}");
    assert!(asked[0].0.contains("/pods/cryptoserver-1/"), "{asked:?}");
    for absent in ["cryptoserver-7", "other-0", "other"] {
        let output = Cryptoctl::new(&server)
            .args(["logs", absent, "-n", "logaiter"])
            .run()
            .await;
        assert_ne!(output.code(), 0, "{absent}");
        assert!(output.stderr.contains("error: "), "{}", output.stderr);
    }
}

#[tokio::test]
async fn logs_start_when_they_are_asked_to_and_carry_times() {
    let server = built_in().await;
    let since = ["sts/cryptoserver", "--since", "1500ms", "--timestamps"];
    let asked = logs(&server, &since).await;
    assert_eq!(asked.len(), 2, "{asked:?}");
    for (_, query) in asked {
        assert!(query.contains("sinceSeconds=2"), "{query}");
        assert!(query.contains("timestamps=true"), "{query}");
    }
}

#[tokio::test]
async fn following_with_f_gets_a_hint() {
    let server = ApiServer::listen().await;
    let output = Cryptoctl::new(&server)
        .args(["logs", "-f", "sts/web"])
        .run()
        .await
        .expect_code(2);
    let hint = "cryptoctl logs --follow sts/web";
    assert!(output.stderr.contains(hint), "{}", output.stderr);
    assert_eq!(server.requests().len(), 0);
}

#[tokio::test]
async fn a_readiness_probe_names_the_path_to_request() {
    let server = built_in().await;
    server.serve(Pods::of("cryptoserver"), "/up", Reply::ok(KEYS));
    let call = Cryptoctl::new(&server);
    let path = call.home().join("set.yaml");
    let text = "apiVersion: apps/v1\nkind: StatefulSet\nmetadata: {name: cryptoserver, namespace: logaiter}\nspec: {template: {spec: {containers: [{name: a, readinessProbe: {httpGet: {path: /up, port: 80}}}]}}}\n";
    std::fs::write(&path, text).unwrap();
    let output = call
        .args(["verify", "-f"])
        .arg(&path)
        .run()
        .await
        .expect_code(0);
    assert!(
        output
            .stderr
            .contains("requesting `/up` on port 80, the endpoint of the readiness probe"),
        "{}",
        output.stderr
    );
}

#[tokio::test]
async fn a_pod_is_named_as_kubectl_names_it() {
    let server = built_in().await;
    let asked = logs(&server, &["pod/cryptoserver-1", "--tail", "-1"]).await;
    assert_eq!(asked.len(), 1, "{asked:?}");
    assert!(asked[0].0.contains("/pods/cryptoserver-1/"), "{asked:?}");
    assert!(!asked[0].1.contains("tailLines"), "{asked:?}");
    let output = Cryptoctl::new(&server)
        .args(["logs", "pod/other", "-n", "logaiter"])
        .run()
        .await
        .expect_code(2);
    let hint = "kubectl logs other -n logaiter";
    assert!(output.stderr.contains(hint), "{}", output.stderr);
}
