//! Pods of several containers: which one serves, which one restarts, and whose process is ended.

use std::time::Duration;

use apiserver_model::{ApiServer, Fault, PodScript, Reply, Rule};
use serde_json::{Value, json};

use super::{KEYS, NAMESPACE, SET, SUCCESS, Scene, Told, UNDECIDED, USAGE, everyone, replica};
use crate::harness::Cryptoctl;

/// What names the set wherever it comes from.
const OF_SET: [&str; 5] = [
    "statefulset/cryptoserver",
    "-n",
    NAMESPACE,
    "--path",
    "/keys",
];

/// Two replicas of pods like this, up and Ready, that serve the same keys.
async fn scene_of(pod: &Value) -> Scene {
    let server = ApiServer::listen().await;
    server.serve(everyone(), "/keys", Reply::ok(KEYS));
    let labels = json!({"app": SET});
    let set = json!({
        "apiVersion": "apps/v1", "kind": "StatefulSet",
        "metadata": {"name": SET, "namespace": NAMESPACE},
        "spec": {"serviceName": SET, "replicas": 2, "selector": {"matchLabels": labels},
                 "template": {"metadata": {"labels": labels}, "spec": pod}},
    });
    let namespace =
        json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}});
    Cryptoctl::new(&server)
        .args(["up", "-f", "-"])
        .stdin(&format!("{namespace}\n---\n{set}\n"))
        .run()
        .await
        .expect_code(SUCCESS);
    server.forget_requests();
    Scene { server }
}

fn container(name: &str) -> Value {
    json!({"name": name, "image": "example.org/any:1"})
}

fn serving(mut container: Value) -> Value {
    container["ports"] = json!([{"containerPort": 80}]);
    container
}

fn staying(mut init_container: Value) -> Value {
    init_container["restartPolicy"] = json!("Always");
    init_container
}

/// A sidecar that serves, beside a container that does something else.
async fn with_a_serving_sidecar() -> Scene {
    let server = staying(serving(container("server")));
    scene_of(&json!({"containers": [container("main")], "initContainers": [server]})).await
}

async fn verify(scene: &Scene) -> Told {
    scene.told(&[&["verify"][..], &OF_SET].concat()).await
}

async fn kill(scene: &Scene, more: &[&str]) -> Told {
    let flags = [
        "chaos",
        "--yes",
        "--probe-interval",
        "50ms",
        "--fault",
        "kill",
    ];
    scene.told(&[&flags[..], &OF_SET, more].concat()).await
}

#[tokio::test]
async fn a_sidecars_port_is_found_and_its_restart_noticed() {
    let scene = with_a_serving_sidecar().await;
    verify(&scene).await.is(SUCCESS, "success");
    let late = Reply::ok(KEYS).after(Duration::from_secs(1));
    let scene = scene.answer(everyone(), late);
    let process = scene.start(&[&["verify"][..], &OF_SET].concat()).await;
    let is_asked = |server: &ApiServer| {
        let requests = server.requests();
        let of_0 = |path: &str| path.contains("cryptoserver-0/portforward");
        requests
            .iter()
            .filter(|request| of_0(&request.path))
            .count()
            > 1
    };
    scene.until(is_asked).await;
    scene.server.kill_container(NAMESPACE, "cryptoserver-0", 1);
    Told(process.finish().await)
        .is(UNDECIDED, "undecided")
        .saying("`cryptoserver-0` changed during the check: container `server` ");
}

#[tokio::test]
async fn the_rows_count_sidecars_as_kubectl_does() {
    let scene = with_a_serving_sidecar().await;
    let words = scene
        .words(&[
            "rollout",
            "status",
            "statefulset/cryptoserver",
            "-n",
            NAMESPACE,
        ])
        .await;
    assert!(words.contains("2 of 2"), "{words}");
    let told = scene
        .told(&[
            "rollout",
            "status",
            "statefulset/cryptoserver",
            "-n",
            NAMESPACE,
        ])
        .await;
    let replica = &told.report()["progress"]["replicas"][0];
    assert_eq!(replica["pod"]["ready"], json!([2, 2]), "{replica}");
}

#[tokio::test]
async fn the_container_that_serves_is_the_one_that_is_ended() {
    let scene = with_a_serving_sidecar().await;
    // Long enough that nobody who asks can miss it.
    let away = PodScript::default().crash_shows_for(Duration::from_secs(2));
    let scene = scene.live(replica(0), away);
    let told = kill(&scene, &[])
        .await
        .is(SUCCESS, "survived")
        .with("/experiment/container", &json!("server"))
        .with("/experiment/beside", &json!(["main"]))
        .saying("container `server` of `cryptoserver-0` is proven to have restarted");
    let record = &told.report()["faults"][0];
    assert_eq!(
        (&record["restarts_before"], &record["restarts_after"]),
        (&json!(0), &json!(1))
    );
    let announced = told.0.json_lines().into_iter();
    let whats = announced.filter(|line| line["event"] == "experiment");
    let what = whats.map(|line| line["what"].clone()).next().unwrap();
    let expected = "send SIGTERM to process 1 of container `server` of `pod/cryptoserver-0`";
    assert!(what.as_str().unwrap().starts_with(expected), "{what}");
}

#[tokio::test]
async fn a_container_that_does_not_serve_proves_nothing_by_its_restart() {
    // Nobody declares the port that is asked, and the sidecar is the one that serves it.
    let mut server = staying(container("server"));
    server["ports"] = json!([{"containerPort": 9090}]);
    let pod = json!({"containers": [container("main")], "initContainers": [server]});
    let scene = scene_of(&pod).await;
    kill(&scene, &["--port", "80"])
        .await
        .is(UNDECIDED, "inconclusive")
        .with("/experiment/container", &json!("main"))
        .saying(
            "`cryptoserver-0` answered without an outage while its container `main` restarted: `server` \
             may serve the endpoint",
        );
}

#[tokio::test]
async fn a_process_1_that_is_not_the_servers_is_not_ended() {
    for field in ["shareProcessNamespace", "hostPID"] {
        let pod = json!({"containers": [serving(container("api"))], field: true});
        let scene = scene_of(&pod).await;
        let told = kill(&scene, &[]).await;
        assert_eq!(told.0.code(), USAGE, "{}", told.0.stderr);
        assert!(told.0.stderr.contains(field), "{}", told.0.stderr);
        assert!(
            !scene
                .server
                .requests()
                .iter()
                .any(|request| request.path.ends_with("/exec")),
            "nothing is executed"
        );
        let deleting = ["chaos", "--yes", "--fault", "delete"];
        scene
            .told(&[&deleting[..], &OF_SET].concat())
            .await
            .is(SUCCESS, "survived");
    }
}

#[tokio::test]
async fn every_container_that_stays_is_heard() {
    let scene = with_a_serving_sidecar().await;
    let logs = ["logs", "statefulset/cryptoserver", "-n", NAMESPACE];
    let output = scene.call(&logs).run().await.expect_code(SUCCESS);
    for source in [
        "cryptoserver-0",
        "cryptoserver-0/",
        "cryptoserver-1",
        "cryptoserver-1/",
    ] {
        assert!(
            output.stdout.lines().any(|line| line.starts_with(source)),
            "{source} in none of\n{}",
            output.stdout
        );
    }
    let one = [&logs[..], &["-c", "server"]].concat();
    let output = scene.call(&one).run().await.expect_code(SUCCESS);
    assert_eq!(output.stdout.lines().count(), 2, "{}", output.stdout);
}

/// One round lists the pods twice, so the third time is the beginning of the second round: it takes
/// longer than the sidecar to run anew.
#[tokio::test]
async fn a_sidecars_restart_between_two_rounds_is_a_change_and_no_fault() {
    let scene = with_a_serving_sidecar().await;
    let late = Rule::new(Fault::Delayed(Duration::from_secs(5))).query("labelSelector");
    scene.server.fault(late.path("/pods").after(2).times(1));
    let watch = ["verify", "--watch", "--every", "100ms", "--for", "1s"];
    let process = scene.start(&[&watch[..], &OF_SET].concat()).await;
    let begins_again = |server: &ApiServer| {
        let requests = server.requests();
        let lists = requests
            .iter()
            .filter(|request| request.path.ends_with("/pods"));
        lists.count() > 2
    };
    scene.until(begins_again).await;
    scene.server.kill_container(NAMESPACE, "cryptoserver-0", 1);
    scene
        .until(|server| {
            let pod = server.object("", "pods", NAMESPACE, "cryptoserver-0");
            let status = &pod.unwrap()["status"]["initContainerStatuses"][0];
            status["restartCount"] == 1 && !status["state"]["running"].is_null()
        })
        .await;
    let output = process.finish().await;
    let lines = output.json_lines();
    let mut rounds = lines.iter().filter(|line| line["event"] == "round");
    let words = "`cryptoserver-0` has changed since round 1: container `server` restarted";
    let said = rounds.any(|line| line["summary"].as_str().unwrap().contains(words));
    assert!(said, "{}", output.stdout);
    let told = Told(output);
    let notes = told.report()["notes"].to_string();
    let words = "`cryptoserver-0` changed between rounds 1 and 2: container `server` restarted";
    assert!(notes.contains(words), "{notes}");
    told.is(SUCCESS, "success")
        .with("/rounds/changes", &json!(1))
        .with("/rounds/unhealthy", &json!(0));
}
