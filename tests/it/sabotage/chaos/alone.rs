//! Two experiments at once: a fault is proven for the one that caused it, and the other is refused.

use std::time::Duration;

use apiserver_model::{ApiServer, Disturbance, Fault, PodScript, Rule};
use http::Method;
use serde_json::{Value, json};

use super::super::{INTERRUPTED, NAMESPACE, SUCCESS, Scene, UNDECIDED, everyone, replica};
use super::{CHAOS, Told, chaos, slow};

const LEASE: &str = "cryptoctl-chaos-cryptoserver";

fn lease(server: &ApiServer) -> Option<Value> {
    server.object("coordination.k8s.io", "leases", NAMESPACE, LEASE)
}

/// A pod that is away for long enough to be looked at.
fn very_slow() -> PodScript {
    PodScript::default().start_after(Duration::from_secs(12))
}

#[tokio::test]
async fn the_second_experiment_is_refused_and_told_who_runs_the_first() {
    let scene = Scene::new().await.live(everyone(), very_slow());
    let first = scene.start(&CHAOS).await;
    scene.until(|server| !server.writes().is_empty()).await;
    let holder = lease(&scene.server).unwrap()["spec"]["holderIdentity"].clone();
    for flags in [
        &["--dry-run"][..],
        &["--control"],
        &["--pod", "cryptoserver-1"],
    ] {
        let second = scene.call(&["chaos", "--yes"]).args(flags).run().await;
        let second = second.expect_code(UNDECIDED);
        let words = format!("`{}` started an experiment at ", holder.as_str().unwrap());
        assert!(second.stderr.contains(&words), "{}", second.stderr);
    }
    Told(first.finish().await).is(SUCCESS, "survived");
    assert_eq!(scene.server.writes().len(), 1, "of the first one");
    assert_eq!(lease(&scene.server), None, "it is released");
}

#[tokio::test]
async fn an_experiment_that_was_killed_blocks_nobody_for_ever() {
    let scene = Scene::new().await.live(replica(0), slow());
    let first = scene.start(&CHAOS).await;
    scene.until(|server| !server.writes().is_empty()).await;
    first.kill().await;
    assert!(lease(&scene.server).is_some());
    scene
        .until(|server| {
            let pod = server.object("", "pods", NAMESPACE, "cryptoserver-0");
            pod.is_some_and(|pod| pod["status"]["containerStatuses"][0]["ready"] == true)
        })
        .await;
    // Whatever its clock says: it stands still.
    let place = ("coordination.k8s.io", "leases", NAMESPACE, LEASE);
    scene.server.change("kubectl", place, |lease| {
        lease["spec"]["renewTime"] = json!("2099-01-01T00:00:00.000000Z");
        lease["spec"]["leaseDurationSeconds"] = json!(3);
    });
    chaos(&scene, &["--pod", "cryptoserver-1"])
        .await
        .is(SUCCESS, "survived");
    assert_eq!(lease(&scene.server), None);
}

#[tokio::test]
async fn ctrl_c_releases_the_workload() {
    let scene = Scene::new().await.live(everyone(), very_slow());
    let first = scene.start(&CHAOS).await;
    scene.until(|server| !server.writes().is_empty()).await;
    first.interrupt().await;
    Told(first.finish().await).is(INTERRUPTED, "inconclusive");
    assert_eq!(lease(&scene.server), None);
}

#[tokio::test]
async fn an_experiment_that_loses_its_lease_is_not_sure_to_have_been_alone() {
    let scene = Scene::new().await.live(everyone(), very_slow());
    let process = scene.start(&CHAOS).await;
    scene.until(|server| !server.writes().is_empty()).await;
    let place = ("coordination.k8s.io", "leases", NAMESPACE, LEASE);
    scene.server.change("somebody", place, |lease| {
        lease["spec"]["holderIdentity"] = json!("somebody@elsewhere");
    });
    Told(process.finish().await)
        .is(UNDECIDED, "inconclusive")
        .saying("`somebody@elsewhere` started an experiment");
    let lease = lease(&scene.server).unwrap();
    assert_eq!(
        lease["spec"]["holderIdentity"], "somebody@elsewhere",
        "it is not ours to release"
    );
}

#[tokio::test]
async fn whoever_may_not_use_leases_is_told_what_follows() {
    let scene = Scene::new().await;
    scene.server.deny("*", "leases.coordination.k8s.io");
    let told = chaos(&scene, &[]).await.is(SUCCESS, "survived");
    let words = "would go unnoticed";
    assert!(told.0.stderr.contains(words), "{}", told.0.stderr);
}

/// Without leases the API server itself tells who was first.
#[tokio::test]
async fn a_deletion_at_the_same_moment_is_somebody_else_s() {
    for fault in ["delete", "force-delete", "evict"] {
        let scene = Scene::new().await.live(
            everyone(),
            PodScript::default().stop_after(Duration::from_secs(2)),
        );
        let disturbance = Disturbance::Delete {
            namespace: NAMESPACE.to_owned(),
            pod: "cryptoserver-0".to_owned(),
            at_once: false,
        };
        let method = if fault == "evict" {
            Method::POST
        } else {
            Method::DELETE
        };
        let rule = Rule::new(Fault::Meanwhile(disturbance))
            .method(method)
            .path("/cryptoserver-0")
            .times(1);
        scene.server.fault(rule);
        let told = chaos(&scene, &["--fault", fault]).await;
        assert_eq!(told.0.code(), 1, "{}", told.0.stderr);
        let words = "was deleted or replaced by another client at the same time";
        assert!(told.0.stderr.contains(words), "{fault}: {}", told.0.stderr);
    }
}

#[tokio::test]
async fn a_pod_whose_status_changes_at_the_same_moment_is_broken_all_the_same() {
    let scene = Scene::new().await;
    let rule = Rule::new(Fault::Meanwhile(Disturbance::Label(
        NAMESPACE.to_owned(),
        "cryptoserver-0".to_owned(),
    )))
    .method(Method::DELETE)
    .path("/cryptoserver-0")
    .times(1);
    scene.server.fault(rule);
    chaos(&scene, &[]).await.is(SUCCESS, "survived");
}

#[tokio::test]
async fn a_workload_that_somebody_else_has_scaled_to_zero_is_not_ours() {
    let scene = Scene::new().await;
    scene.server.deny("*", "leases.coordination.k8s.io");
    let notes = [("chaos-replicas", "2"), ("chaos-by", "somebody@elsewhere")];
    let mark = Disturbance::Mark {
        namespace: NAMESPACE.to_owned(),
        set: "cryptoserver".to_owned(),
        annotations: notes
            .map(|(name, value)| (format!("cryptoctl/{name}"), value.to_owned()))
            .into(),
    };
    let rule = Rule::new(Fault::Meanwhile(mark))
        .method(Method::PATCH)
        .path("/statefulsets/")
        .times(1);
    scene.server.fault(rule);
    let flags = ["--fault", "scale", "--allow-disruption"];
    let told = chaos(&scene, &flags).await;
    assert_eq!(told.0.code(), UNDECIDED, "{}", told.0.stderr);
    assert!(
        told.0.stderr.contains("scaled it to zero"),
        "{}",
        told.0.stderr
    );
    let set = scene.set();
    assert_eq!(set["spec"]["replicas"], 0, "it is not ours to scale back");
    assert_eq!(
        set["metadata"]["annotations"]["cryptoctl/chaos-by"],
        "somebody@elsewhere"
    );
}
