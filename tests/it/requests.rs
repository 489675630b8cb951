//! The number of requests of a run; saving some never makes its result wrong.

use std::fmt::Write;
use std::path::PathBuf;

use apiserver_model::{ApiServer, Fault, PodScript, Pods, Rule};
use http::Method;
use serde_json::json;

use crate::harness::{Cryptoctl, DEADLINE};

/// Enough to be listed.
const MANY: usize = 70;

/// A file with this many ConfigMaps.
fn config_maps(folder: &tempfile::TempDir, count: usize) -> PathBuf {
    let text = (0..count).fold(String::new(), |mut text, number| {
        write!(
            text,
            "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {{name: c-{number:03}, namespace: default}}\ndata: {{number: \"{number}\"}}\n"
        )
        .unwrap();
        text
    });
    let path = folder.path().join("many.yaml");
    std::fs::write(&path, text).unwrap();
    path
}

fn up(server: &ApiServer, path: &std::path::Path) -> Cryptoctl {
    Cryptoctl::new(server).args(["up", "-f"]).arg(path)
}

/// The requests for ConfigMaps, by method and the last part of the path.
fn asked_for_config_maps(server: &ApiServer) -> Vec<(Method, String)> {
    server
        .requests()
        .into_iter()
        .filter(|request| request.path.contains("/configmaps"))
        .map(|request| {
            let last = request.path.rsplit('/').next().unwrap().to_owned();
            (request.method, last)
        })
        .collect()
}

#[tokio::test]
async fn one_read_is_enough_when_everything_is_ready() {
    let server = ApiServer::listen().await;
    for _ in 0..2 {
        server.forget_requests();
        Cryptoctl::new(&server)
            .args(["up"])
            .run()
            .await
            .expect_code(0);
    }
    let requests: Vec<String> = server.requests().into_iter().map(|it| it.line()).collect();
    let watches = requests.iter().filter(|line| line.contains("watch="));
    assert_eq!(watches.count(), 0, "{requests:#?}");
    let pods = requests.iter().filter(|line| line.contains("/pods"));
    assert_eq!(pods.count(), 1, "the pods were looked at: {requests:#?}");
    // Three group versions, a namespace, four objects read and dry-run, the StatefulSet and its pods.
    assert_eq!(requests.len(), 14, "{requests:#?}");
}

#[tokio::test]
async fn an_unwritten_workload_that_is_not_ready_is_followed() {
    let server = ApiServer::listen().await;
    Cryptoctl::new(&server)
        .args(["up"])
        .run()
        .await
        .expect_code(0);
    server.script(Pods::all(), PodScript::default().never_ready("no keys"));
    server.kill_container("logaiter", "cryptoserver-1", 1);
    server
        .until(|server| {
            let pod = server.object("", "pods", "logaiter", "cryptoserver-1");
            let conditions = pod.unwrap()["status"]["conditions"].clone();
            conditions
                .as_array()
                .into_iter()
                .flatten()
                .any(|it| it["type"] == "Ready" && it["status"] == "False")
        })
        .await;
    let output = Cryptoctl::new(&server)
        .args(["up", "--timeout", DEADLINE])
        .run()
        .await;
    assert_ne!(output.code(), 0, "{}", output.stderr);
    assert!(
        server
            .requests()
            .iter()
            .any(|it| it.query.contains("watch="))
    );
}

#[tokio::test]
async fn many_objects_of_one_kind_are_read_with_one_list() {
    let server = ApiServer::listen().await;
    let folder = tempfile::tempdir().unwrap();
    let path = config_maps(&folder, MANY);
    up(&server, &path).run().await.expect_code(0);
    let ours = server.objects("", "configmaps").into_iter();
    let ours = ours.filter(|it| it["data"]["number"].is_string());
    assert_eq!(ours.count(), MANY);
    server.forget_requests();
    up(&server, &path).run().await.expect_code(0);
    let asked = asked_for_config_maps(&server);
    let reads: Vec<_> = asked.iter().filter(|(it, _)| it == Method::GET).collect();
    assert_eq!(reads, [&(Method::GET, "configmaps".to_owned())]);
    assert_eq!(asked.len(), MANY + 1, "each gets a dry run: {asked:?}");
    assert_eq!(server.writes().len(), 0);
    Cryptoctl::new(&server)
        .args(["diff", "-f"])
        .arg(&path)
        .run()
        .await
        .expect_code(0);
}

#[tokio::test]
async fn an_object_that_changes_between_list_and_dry_run_is_read_again() {
    let server = ApiServer::listen().await;
    let folder = tempfile::tempdir().unwrap();
    let path = config_maps(&folder, MANY);
    up(&server, &path).run().await.expect_code(0);
    server.forget_requests();
    // Dry runs are delayed until an object that the list showed has changed.
    server.fault(Rule::new(busy()).method(Method::PATCH));
    let running = up(&server, &path).start().await;
    server
        .until(|server| {
            asked_for_config_maps(server)
                .iter()
                .any(|(it, _)| it == Method::PATCH)
        })
        .await;
    let changed = ("", "configmaps", "default", "c-007");
    server.change("somebody", changed, |object| {
        object["data"]["theirs"] = json!("new");
    });
    server.heal();
    running.finish().await.expect_code(0);
    assert_eq!(
        server.writes().len(),
        0,
        "a foreign change is not ours to write"
    );
    let reads = asked_for_config_maps(&server)
        .into_iter()
        .filter(|(method, name)| method == Method::GET && name.starts_with("c-"))
        .map(|(_, name)| name);
    assert_eq!(reads.collect::<Vec<_>>(), ["c-007"]);
}

#[tokio::test]
async fn without_permission_to_list_objects_are_read_one_by_one() {
    let server = ApiServer::listen().await;
    let folder = tempfile::tempdir().unwrap();
    let path = config_maps(&folder, MANY);
    up(&server, &path).run().await.expect_code(0);
    server.deny("list", "configmaps");
    server.forget_requests();
    up(&server, &path).run().await.expect_code(0);
    let singles = asked_for_config_maps(&server)
        .into_iter()
        .filter(|(method, name)| method == Method::GET && name != "configmaps");
    assert_eq!(singles.count(), MANY);
    assert_eq!(server.writes().len(), 0);
}

fn busy() -> Fault {
    Fault::Error {
        status: 429,
        reason: "TooManyRequests",
        message: "busy",
        retry_after: None,
    }
}
