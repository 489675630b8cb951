//! Pods that are not replicas, and replicas that answer although they are not Ready.

use apiserver_model::{ApiServer, Fault, PodScript, Pods, Reply, Rule};
use http::Method;
use serde_json::{Value, json};

use super::{KEYS, cluster, finding, report, verify};
use crate::harness::Cryptoctl;

const POD: (&str, &str, &str, &str) = ("", "pods", "logaiter", "cryptoserver-1");

/// A pod with the labels of replica 0, without an owner.
fn stranger(server: &ApiServer) -> Value {
    let mut pod = server
        .object("", "pods", "logaiter", "cryptoserver-0")
        .unwrap();
    pod["metadata"] = json!({
        "name": "stranger", "namespace": "logaiter", "labels": pod["metadata"]["labels"],
    });
    pod["status"] = json!({});
    pod
}

#[tokio::test]
async fn an_extra_pod_is_unhealthy_and_named() {
    let server = cluster().await;
    server.create("kubectl", "", "pods", stranger(&server));
    let output = verify(&server).await.expect_code(4);
    let expected = "`stranger` matches the selector but should not exist";
    assert_eq!(
        finding(&output),
        ("extra_pod".to_owned(), expected.to_owned())
    );
    let summary = report(&output)["summary"].as_str().unwrap().to_owned();
    assert!(summary.ends_with(&format!("but {expected}")), "{summary}");
}

#[tokio::test]
async fn an_extra_pod_that_is_on_its_way_out_is_undecided() {
    let server = cluster().await;
    server.script(Pods::of("stranger"), PodScript::default().ignores_sigterm());
    server.create("kubectl", "", "pods", stranger(&server));
    server
        .until(|server| {
            let pod = server.object("", "pods", "logaiter", "stranger").unwrap();
            !pod["status"]["containerStatuses"][0]["state"]["running"].is_null()
        })
        .await;
    let client = server.client();
    let pods: kube::Api<k8s_openapi::api::core::v1::Pod> =
        kube::Api::namespaced(client, "logaiter");
    pods.delete("stranger", &kube::api::DeleteParams::default())
        .await
        .unwrap();
    let output = verify(&server).await.expect_code(5);
    assert_eq!(
        finding(&output),
        (
            "terminating_pod".to_owned(),
            "`stranger` matches the selector but should not exist; it is still terminating"
                .to_owned()
        )
    );
}

#[tokio::test]
async fn a_pod_that_has_ended_is_named_and_does_not_count() {
    let server = cluster().await;
    let mut pod = stranger(&server);
    pod["spec"]["nodeName"] = Value::Null;
    server.script(
        Pods::of("stranger"),
        PodScript::default().unschedulable("stays so"),
    );
    server.create("kubectl", "", "pods", pod);
    server.set_status(
        ("", "pods", "logaiter", "stranger"),
        json!({ "phase": "Succeeded" }),
    );
    let output = verify(&server).await;
    let report = report(&output);
    assert_eq!(
        report["notes"],
        json!(["`stranger` matches the selector but has ended: it was not counted"]),
        "{report}"
    );
    assert_eq!(output.code(), 0, "{report}");
}

#[tokio::test]
async fn a_right_answer_of_a_pod_that_is_not_ready_is_wrong() {
    let server = ApiServer::listen().await;
    server.serve(Pods::of("cryptoserver"), "/keys", Reply::ok(KEYS));
    server.script(
        Pods::of("cryptoserver").ordinal(1),
        PodScript::default().never_ready("not yet"),
    );
    Cryptoctl::new(&server)
        .args(["up", "--no-wait"])
        .run()
        .await
        .expect_code(0);
    server
        .until(|server| {
            let pod = server.object(POD.0, POD.1, POD.2, POD.3);
            pod.is_some_and(|pod| {
                !pod["status"]["containerStatuses"][0]["state"]["running"].is_null()
            })
        })
        .await;
    let output = verify(&server).await.expect_code(4);
    let report = report(&output);
    assert_eq!(report["replicas"][1]["error"]["problem"], "not_ready");
    assert_eq!(
        finding(&output).1,
        "`cryptoserver-1` gave a right answer, but is not Ready: no Service routes to it"
    );
    let answered = output
        .json_lines()
        .into_iter()
        .filter(|line| line["event"] == "answered" && line["answer"]["ordinal"] == 1);
    let errors: Vec<Value> = answered
        .map(|line| line["answer"]["error"]["problem"].clone())
        .collect();
    assert_eq!(
        errors,
        [Value::Null, json!("not_ready")],
        "the last one counts"
    );
}

#[tokio::test]
async fn only_transport_failures_are_repeated_and_counted() {
    let server = cluster().await;
    // Before the answer begins: an answer that began and broke off counts, and its request is not repeated.
    let cut = Rule::new(Fault::CutDown(0))
        .path("cryptoserver-1/portforward")
        .times(1);
    server.fault(cut);
    let output = verify(&server).await.expect_code(0);
    let report = report(&output);
    assert_eq!(report["replicas"][1]["repeats"], 1, "{report}");
    assert_eq!(
        report["notes"],
        json!(["1 request was repeated because its transport failed"])
    );

    let server = cluster().await;
    let replies = vec![Reply::new(500, "no"), Reply::ok(KEYS)];
    let pod = Pods::of("cryptoserver").ordinal(1);
    server.serve_in_turn(pod, "/keys", replies);
    let output = verify(&server).await.expect_code(4);
    let report = self::report(&output);
    assert_eq!(report["replicas"][1]["repeats"], 0);
    assert_eq!(report["replicas"][1]["error"]["problem"], "wrong_status");
}

/// The requests so far, each as its method and path.
fn lines(server: &ApiServer) -> Vec<String> {
    server
        .requests()
        .iter()
        .map(apiserver_model::Request::line)
        .collect()
}

fn lists(lines: &[String]) -> usize {
    let is_list = |line: &&String| line.contains("/pods?") && !line.contains("watch=");
    lines.iter().filter(is_list).count()
}

#[tokio::test]
async fn the_pods_are_listed_while_the_stateful_set_is_read() {
    let server = cluster().await;
    let unread = Rule::new(Fault::Hang).method(Method::GET);
    server.fault(unread.path("/statefulsets/cryptoserver").times(1));
    server.forget_requests();
    let flags = ["--request-timeout", "2s"];
    super::verify_with(&server, &flags).await.expect_code(0);
    let lines = lines(&server);
    let list = lines.iter().position(|line| line.contains("/pods?"));
    let mut reads = lines.iter().enumerate();
    let mut reads = reads
        .by_ref()
        .filter(|(_, line)| line.contains("/statefulsets/"));
    let second_read = reads.nth(1).map(|(index, _)| index);
    assert!(list < second_read, "{lines:#?}");
    assert_eq!(lists(&lines), 2, "before and after: {lines:#?}");
}

#[tokio::test]
async fn the_live_selector_decides_which_pods_are_replicas() {
    let server = cluster().await;
    let set = ("apps", "statefulsets", "logaiter", "cryptoserver");
    server.change("kubectl", set, |object| {
        let labels = object["spec"]["selector"]["matchLabels"].take();
        let key = labels.as_object().unwrap().keys().next().unwrap().clone();
        object["spec"]["selector"] =
            json!({"matchExpressions": [{"key": key, "operator": "Exists"}]});
    });
    server.forget_requests();
    let output = verify(&server).await.expect_code(0);
    assert_eq!(report(&output)["groups"][0]["ordinals"], json!([0, 1]));
    let lines = lines(&server);
    assert_eq!(lists(&lines), 3, "{lines:#?}");
}
