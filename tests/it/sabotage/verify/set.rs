//! A StatefulSet that becomes another one while its replicas are asked.

use std::time::Duration;

use apiserver_model::Disturbance;
use serde_json::{Value, json};

use super::super::{NAMESPACE, SET, SUCCESS, Scene, UNDECIDED};
use super::Told;
use super::pods::meanwhile;

const PLACE: (&str, &str, &str, &str) = ("apps", "statefulsets", NAMESPACE, SET);

/// The controllers stand still, and somebody changes the spec.
fn change_unseen(scene: &Scene, change: impl FnOnce(&mut Value)) {
    scene.server.slow_controllers(Duration::from_hours(1));
    scene.server.change("kubectl-edit", PLACE, |set| {
        change(set);
        let generation = set["metadata"]["generation"].as_i64().unwrap_or(0);
        set["metadata"]["generation"] = json!(generation + 1);
    });
}

#[track_caller]
fn leaves_it_open(told: Told, words: &str) {
    told.is(UNDECIDED, "undecided")
        .sparing(0)
        .sparing(1)
        .of_kind("workload_changed")
        .saying(words);
}

#[tokio::test]
async fn a_set_that_is_scaled_while_it_is_asked_proves_nothing() {
    let told = meanwhile(|scene| {
        let disturbance = Disturbance::Scale(NAMESPACE.to_owned(), SET.to_owned(), 3);
        scene.server.happen(&disturbance);
    })
    .await;
    assert_ne!(told.0.code(), SUCCESS);
    let report: Value = told.report();
    assert_ne!(report["verdict"], "success", "{report:#}");
}

#[tokio::test]
async fn a_scaling_that_no_controller_carries_out_proves_nothing() {
    let told = meanwhile(|scene| change_unseen(scene, |set| set["spec"]["replicas"] = json!(3)));
    leaves_it_open(
        told.await,
        "the StatefulSet was scaled from 2 to 3 replicas during the verification",
    );
}

#[tokio::test]
async fn a_spec_that_was_changed_and_changed_back_proves_nothing() {
    leaves_it_open(
        meanwhile(|scene| change_unseen(scene, |_| {})).await,
        "the spec of the StatefulSet was changed during the verification",
    );
}

#[tokio::test]
async fn another_set_of_the_same_name_proves_nothing() {
    let told = meanwhile(|scene| change_unseen(scene, |set| set["metadata"]["uid"] = json!("new")));
    leaves_it_open(
        told.await,
        "the StatefulSet was replaced by another one of the same name during the verification",
    );
}

#[tokio::test]
async fn a_set_that_is_being_deleted_proves_nothing() {
    let told = meanwhile(|scene| {
        change_unseen(scene, |set| {
            set["metadata"]["deletionTimestamp"] = json!("2026-01-01T00:00:00Z");
            set["metadata"]["finalizers"] = json!(["orphan"]);
        });
    });
    leaves_it_open(told.await, "the StatefulSet is being deleted");
}
