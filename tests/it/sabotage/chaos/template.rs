//! A pod that comes back from another template: what it answers then says nothing about the data.

use apiserver_model::{ApiServer, Disturbance, Reply, When};
use serde_json::json;

use super::super::{
    NAMESPACE, OTHER, SUCCESS, Scene, UNDECIDED, UNHEALTHY, USAGE, everyone, replica,
};
use super::{chaos, slow};

const PLACE: (&str, &str, &str, &str) = ("apps", "statefulsets", NAMESPACE, "cryptoserver");

fn set(server: &ApiServer) -> serde_json::Value {
    let (group, resource, namespace, name) = PLACE;
    server.object(group, resource, namespace, name).unwrap()
}

/// The replicas keep the template that they have, and somebody has changed it.
async fn kept(strategy: serde_json::Value, start: i64, moved: u64) -> Scene {
    let scene = Scene::new().await.live(everyone(), slow());
    scene.server.change("kubectl", PLACE, |set| {
        set["spec"]["updateStrategy"] = strategy;
        if start > 0 {
            set["spec"]["ordinals"] = json!({"start": start});
        }
        let generation = set["metadata"]["generation"].as_i64().unwrap();
        set["metadata"]["generation"] = json!(generation + 1);
    });
    let is_seen = |server: &ApiServer| {
        let set = set(server);
        set["metadata"]["generation"] == set["status"]["observedGeneration"]
            && set["status"]["availableReplicas"] == 2
            && set["status"]["replicas"] == 2
    };
    scene.until(is_seen).await;
    let edit = Disturbance::EditTemplate(NAMESPACE.to_owned(), "cryptoserver".to_owned());
    scene.server.happen(&edit);
    scene
        .until(|server| {
            let status = set(server)["status"].clone();
            is_seen(server)
                && status["currentRevision"] != status["updateRevision"]
                && status["updatedReplicas"].as_u64().unwrap_or(0) == moved
        })
        .await;
    scene.server.forget_requests();
    scene
}

async fn on_delete() -> Scene {
    kept(json!({"type": "OnDelete"}), 0, 0).await
}

#[tokio::test]
async fn replicas_that_keep_the_old_template_are_counted_in_words_and_json() {
    let scene = on_delete().await;
    for command in [&["rollout", "status"][..]] {
        let words = scene.words(command).await;
        let expected = "2 of 2 replicas keep the old template until they are deleted (update strategy `OnDelete`)";
        assert!(words.contains(expected), "{words}");
        scene.told(command).await.with(
            "/progress/kept",
            &json!({"replicas": 2, "because": "on_delete"}),
        );
    }
}

#[tokio::test]
async fn that_a_pod_comes_back_from_another_template_is_said_before() {
    let scene = on_delete().await;
    let words = scene.words(&["chaos", "--dry-run"]).await;
    assert!(
        words.contains("`cryptoserver-0` comes back at a different template revision"),
        "{words}"
    );
    assert!(
        words.contains("because `OnDelete` has kept the old revision"),
        "{words}"
    );
    let words = scene
        .words(&["chaos", "--dry-run", "--fault", "kill"])
        .await;
    assert!(!words.contains("another revision"), "{words}");
}

#[tokio::test]
async fn other_data_of_another_template_is_not_called_lost() {
    let scene = on_delete().await;
    let other = vec![Reply::ok(OTHER)];
    scene
        .server
        .serve_when(replica(0), "/keys", When::FromRun(1), other);
    chaos(&scene, &[])
        .await
        .is(UNDECIDED, "inconclusive")
        .saying("`cryptoserver-0` came back at a different template revision")
        .saying("nothing shows whether the data survived")
        .not_saying("every replica serves different data")
        .with("/data/preserved", &json!(null))
        .with("/faults/0/wrong_answers", &json!(0))
        .with("/remade/0/pod", &json!("cryptoserver-0"))
        .probed_all_along();
}

#[tokio::test]
async fn the_same_data_of_another_template_has_survived() {
    let scene = on_delete().await;
    chaos(&scene, &[])
        .await
        .is(SUCCESS, "survived")
        .with("/data/preserved", &json!(true))
        .with("/remade", &json!(null));
}

#[tokio::test]
async fn other_data_of_a_replica_that_kept_its_template_is_lost_all_the_same() {
    let scene = on_delete().await;
    let (from_run, other) = (When::FromRun(1), || vec![Reply::ok(OTHER)]);
    scene
        .server
        .serve_when(replica(0), "/keys", from_run, other());
    let away = When::Away(replica(0));
    scene.server.serve_when(replica(1), "/keys", away, other());
    chaos(&scene, &[])
        .await
        .is(UNHEALTHY, "failed")
        .saying("`cryptoserver-1` answered with different content")
        .not_saying("`cryptoserver-0` answered with different content");
}

#[tokio::test]
async fn a_restart_makes_a_new_revision_and_is_no_excuse() {
    let scene = Scene::new().await.live(everyone(), slow());
    let other = vec![Reply::ok(OTHER)];
    scene
        .server
        .serve_when(everyone(), "/keys", When::FromRun(1), other);
    chaos(&scene, &["--fault", "restart"])
        .await
        .is(UNHEALTHY, "failed")
        .saying("answered with different content");
}

#[tokio::test]
async fn a_restart_takes_what_the_partition_leaves_counted_from_the_first_ordinal() {
    let partition = json!({"partition": 1, "maxUnavailable": 1});
    let strategy = json!({"type": "RollingUpdate", "rollingUpdate": partition});
    let scene = kept(strategy, 5, 1).await;
    let pods = json!(["cryptoserver-6"]);
    chaos(&scene, &["--fault", "restart"])
        .await
        .is(SUCCESS, "survived")
        .with("/experiment/pods", &pods);
    let words = scene.words(&["rollout", "status"]).await;
    assert!(
        words.contains("1 of 2 replicas keeps the old template because of `partition: 1`"),
        "{words}"
    );
}

#[tokio::test]
async fn a_restart_that_replaces_nothing_is_refused() {
    let partition = json!({"type": "RollingUpdate", "rollingUpdate": {"partition": 7}});
    let all_kept = kept(partition, 5, 0).await;
    let none_moves = on_delete().await;
    for scene in [all_kept, none_moves] {
        chaos(&scene, &["--fault", "restart"])
            .await
            .0
            .expect_code(USAGE);
        assert_eq!(scene.server.writes().len(), 0);
    }
}
