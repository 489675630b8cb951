//! The in-process model of the API server against the real one: the same raw requests, the same
//! answers.

mod moving;
mod versions;

use std::net::SocketAddr;
use std::time::Duration;

use apiserver_model::{ApiServer, PodScript, Pods};
use http::{Method, Request};
use http_body_util::BodyExt;
use k8s_openapi::api::core::v1::Pod;
use kube::api::AttachParams;
use kube::client::Body;
use kube::config::{Config, KubeConfigOptions, Kubeconfig};
use kube::{Api, Client};
use serde_json::{Value, json};

use crate::harness::{Namespace, variable};

/// Where a pod's image comes from: the one that the sandbox holds.
const IMAGE: &str = "quay.io/k8sexercices/fileserver:v1.0";
const LONGEST: Duration = Duration::from_secs(120);
/// How often a condition is checked.
const PAUSE: Duration = Duration::from_millis(100);

/// One API server, real or not, and a namespace in it.
struct Server {
    client: Client,
    namespace: String,
}

/// The answer to a request.
#[derive(Debug, PartialEq)]
struct Answer {
    step: &'static str,
    status: u16,
    body: Value,
}

impl Server {
    async fn send(&self, method: Method, path: &str, kind: &str, body: &Value) -> (u16, Value) {
        let path = path.replace("NAMESPACE", &self.namespace);
        let bytes = if body.is_null() {
            Vec::new()
        } else {
            body.to_string().into_bytes()
        };
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("content-type", kind)
            .header("user-agent", "comparison/1")
            .body(Body::from(bytes))
            .unwrap();
        let response = self.client.send(request).await.unwrap();
        let status = response.status().as_u16();
        let bytes = response.into_body().collect().await.unwrap().to_bytes();
        let text = String::from_utf8_lossy(&bytes);
        let lines: Result<Vec<Value>, _> = text
            .lines()
            .filter(|line| !line.is_empty())
            .map(serde_json::from_str)
            .collect();
        match lines {
            Ok(mut values) if values.len() == 1 => (status, values.remove(0)),
            Ok(values) => (status, Value::Array(values)),
            Err(_) => (status, Value::from(text.into_owned())),
        }
    }

    async fn get(&self, path: &str) -> (u16, Value) {
        self.send(Method::GET, path, "application/json", &Value::Null)
            .await
    }

    async fn post(&self, path: &str, body: &Value) -> (u16, Value) {
        self.send(Method::POST, path, "application/json", body)
            .await
    }

    async fn apply(&self, path: &str, body: &Value) -> (u16, Value) {
        self.send(Method::PATCH, path, "application/apply-patch+yaml", body)
            .await
    }

    /// How a command in the pod's container ended.
    async fn executed(&self, command: &[&str], container: &str) -> (u16, Value) {
        let pods: Api<Pod> = Api::namespaced(self.client.clone(), &self.namespace);
        let parameters = AttachParams::default().stderr(false).container(container);
        let started = pods.exec("p", command.to_vec(), &parameters).await;
        let mut process = match started {
            Ok(process) => process,
            Err(kube::Error::Api(status)) => return (status.code, json!(status.message)),
            Err(error) => panic!("{error}"),
        };
        let status = process.take_status().unwrap().await.unwrap();
        (101, json!(status))
    }

    async fn delete(&self, path: &str, body: &Value) -> (u16, Value) {
        self.send(Method::DELETE, path, "application/json", body)
            .await
    }
}

/// Removes what differs between clusters: the name of the namespace, versions, times, identities.
fn normalised(server: &Server, mut value: Value) -> Value {
    fn walk(value: &mut Value, namespace: &str) {
        match value {
            Value::Object(map) => {
                for name in [
                    "uid",
                    "resourceVersion",
                    "creationTimestamp",
                    "time",
                    "selfLink",
                ] {
                    if let Some(found) = map.get_mut(name) {
                        *found = Value::from("…");
                    }
                }
                map.values_mut().for_each(|value| walk(value, namespace));
                map.sort_keys();
            }
            Value::Array(list) => list.iter_mut().for_each(|value| walk(value, namespace)),
            Value::String(text) => {
                let words = text.replace(namespace, "NAMESPACE");
                let is_identity = |word: &str| {
                    word.len() == 36 && word.bytes().filter(|byte| *byte == b'-').count() == 4
                        || word.len() == 64 && word.bytes().all(|byte| byte.is_ascii_hexdigit())
                        || word.parse::<SocketAddr>().is_ok()
                };
                let words: Vec<&str> = words
                    .split_inclusive([' ', '(', ')'])
                    .map(|word| {
                        let bare = word.trim_matches(['(', ')', ' ', ':', ',', '"']);
                        let is_number =
                            !bare.is_empty() && bare.bytes().all(|byte| byte.is_ascii_digit());
                        if is_number || is_identity(bare) {
                            "… "
                        } else {
                            word
                        }
                    })
                    .collect();
                *text = words.concat();
            }
            _ => {}
        }
    }
    walk(&mut value, &server.namespace);
    value
}

const MAP: &str = "/api/v1/namespaces/NAMESPACE/configmaps/m";
const MAPS: &str = "/api/v1/namespaces/NAMESPACE/configmaps";

fn map(value: &str) -> Value {
    json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": "m" }, "data": { "a": value } })
}

/// The sequence of requests; the answers are compared.
async fn interactions(server: &Server) -> Vec<Answer> {
    let mut answers = Vec::new();
    let mut note = |step, (status, body): (u16, Value)| {
        let body = normalised(server, body);
        answers.push(Answer { step, status, body });
    };
    note("get what is not there", server.get(MAP).await);
    note(
        "delete what is not there",
        server.delete(MAP, &Value::Null).await,
    );
    note(
        "a group that is not there",
        server.get("/apis/nothing.example.org/v1").await,
    );
    note(
        "a resource that is not there",
        server.get("/api/v1/namespaces/NAMESPACE/nothings").await,
    );
    let other = json!({ "metadata": { "name": "other" }, "data": { "x": "1" } });
    note("create", server.post(MAPS, &other).await);
    note("create again", server.post(MAPS, &other).await);
    let dry = format!("{MAP}?fieldManager=one&dryRun=All&fieldValidation=Strict");
    note("dry run", server.apply(&dry, &map("1")).await);
    note("a dry run stores nothing", server.get(MAP).await);
    note(
        "apply",
        server
            .apply(&format!("{MAP}?fieldManager=one"), &map("1"))
            .await,
    );
    note(
        "apply the same",
        server
            .apply(&format!("{MAP}?fieldManager=one"), &map("1"))
            .await,
    );
    note(
        "the same by another",
        server
            .apply(&format!("{MAP}?fieldManager=two"), &map("1"))
            .await,
    );
    note(
        "a conflict",
        server
            .apply(&format!("{MAP}?fieldManager=two"), &map("2"))
            .await,
    );
    let unknown = json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": "m" }, "datum": {} });
    let strict = format!("{MAP}?fieldManager=one&fieldValidation=Strict");
    note("an unknown field", server.apply(&strict, &unknown).await);
    note("no manager", server.apply(MAP, &map("1")).await);
    let options = json!({ "kind": "DeleteOptions", "apiVersion": "v1",
        "preconditions": { "uid": "00000000-0000-4000-8000-000000000000" } });
    note(
        "delete with another UID",
        server.delete(MAP, &options).await,
    );
    let (_, before) = server.get(MAPS).await;
    note(
        "list",
        server
            .get(&format!("{MAPS}?fieldSelector=metadata.name%3Dm"))
            .await,
    );
    let version = before["metadata"]["resourceVersion"].as_str().unwrap();
    server
        .apply(&format!("{MAP}?fieldManager=one&force=true"), &map("3"))
        .await;
    let (_, last) = server.delete(MAP, &Value::Null).await;
    assert!(!last.is_null());
    let events = format!(
        "{MAPS}?watch=true&timeoutSeconds=2&fieldSelector=metadata.name%3Dm&resourceVersion={version}"
    );
    note("watch from a list", server.get(&events).await);
    for (step, path, body) in absent_namespace() {
        note(step, server.apply(path, &body).await);
    }
    note("evict", evicted(server).await);
    let pod = "/api/v1/namespaces/NAMESPACE/pods/p";
    for (step, path) in [
        ("proxy to a closed port", ":81/proxy/keys"),
        ("proxy to the bare path", ":81/proxy"),
        ("proxy to an odd name", ":81:a:b/proxy/"),
        ("proxy to a pod that is not there", "9:81/proxy/"),
    ] {
        note(step, server.get(&format!("{pod}{path}")).await);
    }
    for (step, command) in COMMANDS {
        note(step, server.executed(command, "c").await);
    }
    note("execute elsewhere", server.executed(&["true"], "x").await);
    note("a stale merge", stale(server).await);
    note("a slice without endpoints", sliced(server).await);
    let moved = moving::moving(server).await;
    for (step, answer) in moved.into_iter().chain(versions::versions(server).await) {
        note(step, answer);
    }
    answers
}

/// Applies into a missing namespace: refusals of the merge come first.
fn absent_namespace() -> [(&'static str, &'static str, Value); 4] {
    const MAP: &str = "/api/v1/namespaces/not-there/configmaps/m?fieldManager=one&dryRun=All&fieldValidation=Strict";
    const SET: &str =
        "/apis/apps/v1/namespaces/not-there/statefulsets/s?fieldManager=one&dryRun=All";
    let identified = json!({ "apiVersion": "v1", "kind": "ConfigMap",
        "metadata": { "name": "m", "uid": "00000000-0000-4000-8000-000000000000" } });
    let managed = json!({ "apiVersion": "v1", "kind": "ConfigMap",
        "metadata": { "name": "m", "managedFields": [{ "manager": "a" }] } });
    let variables = json!([{ "name": "a", "value": "1" }, { "name": "a", "value": "2" }]);
    let twice = json!({ "apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": { "name": "s" }, "spec": {
        "template": { "spec": { "containers": [{ "name": "c", "image": "i", "env": variables }] } } } });
    [
        ("apply where no namespace is", MAP, map("1")),
        ("apply with a UID where nothing is", MAP, identified),
        ("apply with managers where no namespace is", MAP, managed),
        ("apply a key twice where no namespace is", SET, twice),
    ]
}

/// The command in the pod's container.
const COMMANDS: [(&str, &[&str]); 5] = [
    ("execute", &["true"]),
    ("a failing command", &["sh", "-c", "exit 3"]),
    ("a program that is not there", &["no-such-program"]),
    (
        "a program that the shell does not find",
        &["sh", "-c", "no-such-program"],
    ),
    // Nothing handles SIGTERM there, so nothing happens.
    ("SIGTERM", &["sh", "-c", "kill -TERM 1"]),
];

/// A merge patch that was made from an older version.
async fn stale(server: &Server) -> (u16, Value) {
    let path = "/api/v1/namespaces/NAMESPACE/configmaps/other";
    let patch = json!({ "metadata": { "resourceVersion": "1", "annotations": { "a": "b" } } });
    server
        .send(Method::PATCH, path, "application/merge-patch+json", &patch)
        .await
}

/// The slice of a service that selects nothing, without the parts that differ between clusters.
async fn sliced(server: &Server) -> (u16, Value) {
    let service = json!({ "metadata": { "name": "s", "labels": { "team": "a" } },
        "spec": { "selector": { "app": "nobody" }, "ports": [{ "port": 80 }] } });
    let services = "/api/v1/namespaces/NAMESPACE/services";
    let (status, created) = server.post(services, &service).await;
    assert_eq!(status, 201, "{created}");
    let slices = "/apis/discovery.k8s.io/v1/namespaces/NAMESPACE/endpointslices";
    let found = async {
        loop {
            let (status, list) = server.get(slices).await;
            if let Some(slice) = list["items"].get(0) {
                return (status, slice.clone());
            }
            tokio::time::sleep(PAUSE).await;
        }
    };
    let (status, mut slice) = tokio::time::timeout(LONGEST, found).await.unwrap();
    let metadata = slice["metadata"].as_object_mut().unwrap();
    metadata.retain(|name, _| !["name", "annotations", "managedFields"].contains(&name.as_str()));
    (status, slice)
}

/// A Ready pod whose budget forbids its eviction.
async fn evicted(server: &Server) -> (u16, Value) {
    let pods = "/api/v1/namespaces/NAMESPACE/pods";
    let pod = json!({ "metadata": { "name": "p", "labels": { "app": "p" } }, "spec": {
        "terminationGracePeriodSeconds": 0,
        "containers": [{ "name": "c", "image": IMAGE, "command": ["sleep", "1000"] }] } });
    let (status, created) = server.post(pods, &pod).await;
    assert_eq!(status, 201, "{created}");
    let budget = json!({ "apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": { "name": "b" },
        "spec": { "minAvailable": 1, "selector": { "matchLabels": { "app": "p" } } } });
    let budgets = "/apis/policy/v1/namespaces/NAMESPACE/poddisruptionbudgets";
    let (status, created) = server.post(budgets, &budget).await;
    assert_eq!(status, 201, "{created}");
    let ready = async {
        loop {
            let (_, budget) = server.get(&format!("{budgets}/b")).await;
            if budget["status"]["currentHealthy"] == 1 {
                return;
            }
            tokio::time::sleep(PAUSE).await;
        }
    };
    tokio::time::timeout(LONGEST, ready).await.unwrap();
    let eviction =
        json!({ "apiVersion": "policy/v1", "kind": "Eviction", "metadata": { "name": "p" } });
    server.post(&format!("{pods}/p/eviction"), &eviction).await
}

#[tokio::test]
async fn the_model_answers_as_the_real_server_does() {
    let space = Namespace::new("model");
    space.kubectl(&["create", "namespace", &space.name]);
    let file = Kubeconfig::read_from(variable("CRYPTOCTL_SANDBOX_KUBECONFIG")).unwrap();
    let mut config = Config::from_custom_kubeconfig(file, &KubeConfigOptions::default())
        .await
        .unwrap();
    // A refusal has to be returned, not retried.
    config.default_retry = false;
    let real = Server {
        client: Client::try_from(config).unwrap(),
        namespace: space.name.clone(),
    };
    let model = ApiServer::seeded(1);
    let script = PodScript::default()
        .ignores_sigterm()
        .lacks(&["no-such-program"]);
    model.script(Pods::all(), script);
    let namespace = json!({ "metadata": { "name": "model" } });
    model.create("test", "", "namespaces", namespace);
    let imagined = Server {
        client: model.client(),
        namespace: "model".to_owned(),
    };
    let expected = interactions(&real).await;
    let found = interactions(&imagined).await;
    let different: Vec<String> = expected
        .iter()
        .zip(&found)
        .filter(|(expected, found)| expected != found)
        .map(|(expected, found)| format!("real:  {expected:?}\nmodel: {found:?}"))
        .collect();
    assert!(different.is_empty(), "{}", different.join("\n\n"));
    assert_eq!(expected.len(), found.len());
}
