//! What is not safe to break is not broken, and that is said.

use std::fs;

use apiserver_model::{ApiServer, Pods, Reply};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::super::{
    NAMESPACE, SET, SUCCESS, Scene, UNDECIDED, UNHEALTHY, USAGE, everyone, replica,
};
use super::chaos;

const BUDGET: (&str, &str, &str, &str) = ("policy", "poddisruptionbudgets", NAMESPACE, SET);

/// The built-in budget allows nothing any more.
async fn forbidden() -> Scene {
    let scene = Scene::new().await;
    scene.server.change("kubectl", BUDGET, |budget| {
        budget["spec"] = json!({"minAvailable": 2, "selector": budget["spec"]["selector"]});
        let generation = budget["metadata"]["generation"].as_i64().unwrap_or(1);
        budget["metadata"]["generation"] = json!(generation + 1);
    });
    let allows_nothing = |server: &ApiServer| {
        let (group, resource, namespace, name) = BUDGET;
        let budget = server.object(group, resource, namespace, name);
        budget.is_some_and(|budget| budget["status"]["disruptionsAllowed"] == 0)
    };
    scene.until(allows_nothing).await;
    scene
}

/// A pod with the labels of the replicas, that belongs to nobody.
fn orphan(scene: &Scene) -> Value {
    let mut pod = scene.pod("cryptoserver-0");
    pod["metadata"] = json!({
        "name": "orphan", "namespace": NAMESPACE, "labels": pod["metadata"]["labels"],
    });
    pod["status"] = json!({});
    pod
}

#[tokio::test]
async fn a_budget_without_room_refuses_every_fault_that_would_not_ask_it() {
    for fault in ["delete", "force-delete", "kill", "restart", "scale"] {
        let scene = forbidden().await;
        chaos(&scene, &["--fault", fault])
            .await
            .is(UNDECIDED, "refused")
            .saying("the disruption budget `cryptoserver` allows 0 disruptions now");
        assert_eq!(scene.server.writes().len(), 0, "{fault}");
    }
}

#[tokio::test]
async fn a_budget_without_room_yields_only_when_told_to() {
    let scene = forbidden().await;
    let told = chaos(&scene, &["--allow-disruption"]).await;
    let told = told.is(SUCCESS, "survived");
    assert_eq!(told.report()["experiment"]["allow_disruption"], true);
}

#[tokio::test]
async fn a_budget_for_one_pod_refuses_to_scale_all_away() {
    let scene = Scene::new().await;
    chaos(&scene, &["--fault", "scale"])
        .await
        .is(UNDECIDED, "refused")
        .saying("allows 1 disruption now, but the fault needs 2");
    assert_eq!(scene.server.writes().len(), 0);
    assert_eq!(scene.set()["spec"]["replicas"], 2);
}

#[tokio::test]
async fn a_replica_that_is_not_ready_before_is_not_made_worse() {
    let scene = Scene::new().await.answer(replica(1), Reply::refused());
    chaos(&scene, &[])
        .await
        .is(UNHEALTHY, "refused")
        .saying("nothing was broken, because there was no steady state before the fault")
        .saying("`cryptoserver-1` is running, but nothing listens on the port");
    assert_eq!(scene.server.writes().len(), 0);
}

#[tokio::test]
async fn an_agreement_on_too_little_is_no_steady_state() {
    for reply in [
        Reply::ok(""),
        Reply::ok("1\n22\n333\n"),
        Reply::new(500, "down"),
    ] {
        let scene = Scene::new().await.answer(everyone(), reply);
        chaos(&scene, &[])
            .await
            .is(UNHEALTHY, "refused")
            .saying("nothing was broken, because there was no steady state before the fault");
        assert_eq!(scene.server.writes().len(), 0);
    }
}

#[tokio::test]
async fn what_cannot_be_asked_is_not_broken_either() {
    let scene = Scene::new().await.answer(replica(1), Reply::silence());
    chaos(&scene, &["--timeout", "20s"])
        .await
        .is(UNDECIDED, "refused");
    assert_eq!(scene.server.writes().len(), 0);
}

#[tokio::test]
async fn an_orphan_beside_the_replicas_is_no_steady_state() {
    let scene = Scene::new().await;
    scene
        .server
        .serve(Pods::all(), "/keys", Reply::ok(super::super::KEYS));
    scene.server.create("kubectl", "", "pods", orphan(&scene));
    chaos(&scene, &[])
        .await
        .is(UNHEALTHY, "refused")
        .saying("`orphan` matches the selector but should not exist");
    assert_eq!(scene.server.writes().len(), 0);
}

#[tokio::test]
async fn an_earlier_experiment_has_to_be_restored_first() {
    let scene = Scene::new().await;
    scene.server.change(
        "cryptoctl",
        ("apps", "statefulsets", NAMESPACE, SET),
        |set| {
            set["metadata"]["annotations"]["cryptoctl/chaos-replicas"] = json!("2");
        },
    );
    chaos(&scene, &[])
        .await
        .is(UNDECIDED, "refused")
        .saying("an earlier experiment was not undone: run `cryptoctl chaos statefulset/cryptoserver -n logaiter --restore`");
    assert_eq!(scene.server.writes().len(), 0);
}

#[tokio::test]
async fn a_dry_run_says_everything_and_writes_nothing() {
    for fault in [
        "delete",
        "force-delete",
        "evict",
        "kill",
        "restart",
        "cordon",
    ] {
        let scene = Scene::new().await;
        scene
            .told(&["chaos", "--dry-run", "--fault", fault])
            .await
            .is(SUCCESS, "dry_run")
            .with("/faults", &json!([]))
            .with("/experiment/fault", &json!(fault));
        assert_eq!(scene.server.writes().len(), 0, "{fault}");
        assert_eq!(scene.server.signalled().len(), 0, "{fault}");
    }
}

#[tokio::test]
async fn a_dry_run_of_what_is_forbidden_is_refused_like_the_real_one() {
    let scene = forbidden().await;
    scene
        .told(&["chaos", "--dry-run"])
        .await
        .is(UNDECIDED, "refused");
}

#[tokio::test]
async fn a_protected_context_is_never_broken_whatever_is_said() {
    let scene = Scene::new().await;
    let folder = TempDir::new().unwrap();
    let file = "protected_contexts: ['mod*']\n";
    fs::write(folder.path().join("cryptoctl.yaml"), file).unwrap();
    for flags in [
        &["chaos", "--yes"][..],
        &["chaos", "--yes", "--allow-disruption"],
    ] {
        let told = scene.told_in(folder.path(), flags).await;
        assert_eq!(told.0.code(), USAGE, "{}", told.0.stdout);
        let words = format!("{}{}", told.0.stdout, told.0.stderr);
        assert!(
            words.contains("the context `model` is protected"),
            "{words}"
        );
    }
    assert_eq!(scene.server.writes().len(), 0);
    scene
        .told_in(folder.path(), &["chaos", "--control", "--for", "300ms"])
        .await
        .is(SUCCESS, "undisturbed");
}

#[tokio::test]
async fn without_consent_nothing_is_broken() {
    let scene = Scene::new().await;
    let told = scene.told(&["chaos"]).await;
    assert_eq!(told.0.code(), USAGE, "{}{}", told.0.stdout, told.0.stderr);
    assert_eq!(scene.server.writes().len(), 0);
}

#[tokio::test]
async fn a_pod_of_another_workload_is_out_of_reach() {
    let scene = Scene::new().await;
    let told = scene.told(&["chaos", "--yes", "--pod", "other-0"]).await;
    let words = format!("{}{}", told.0.stdout, told.0.stderr);
    assert_ne!(told.0.code(), SUCCESS, "{words}");
    assert!(
        words.contains("`other-0` is not one of its replicas"),
        "{words}"
    );
    assert_eq!(scene.server.writes().len(), 0);
}

#[tokio::test]
async fn two_writers_that_may_overlap_are_warned_of_before() {
    let scene = Scene::new().await;
    let words = scene
        .words(&["chaos", "--yes", "--fault", "force-delete"])
        .await;
    assert!(words.contains("two writers may overlap"), "{words}");
    assert!(words.contains("context `model`"), "{words}");
}
