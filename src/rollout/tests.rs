use serde_json::{Value, json};

use super::*;
use crate::status::KeptBecause;

fn snapshot(stateful_set: Value, pods: Vec<Value>) -> Snapshot {
    Snapshot {
        stateful_set: serde_json::from_value(stateful_set).unwrap(),
        pods: pods
            .into_iter()
            .map(|pod| serde_json::from_value(pod).unwrap())
            .collect(),
        ..Snapshot::default()
    }
}

fn stateful_set(replicas: i32, available: i32) -> Value {
    json!({
        "metadata": {"name": "web", "uid": "s", "generation": 1},
        "spec": {"replicas": replicas, "selector": {}, "serviceName": "web", "template": {}},
        "status": {"observedGeneration": 1, "replicas": replicas, "availableReplicas": available,
                   "updateRevision": "web-b", "currentRevision": "web-b"},
    })
}

fn pod(ordinal: i32, revision: &str, ready: &str) -> Value {
    json!({
        "metadata": {"name": format!("web-{ordinal}"), "uid": format!("u{ordinal}"),
            "labels": {"controller-revision-hash": revision},
            "ownerReferences": [{"apiVersion": "apps/v1", "kind": "StatefulSet", "name": "web",
                "uid": "s", "controller": true}]},
        "status": {"phase": "Running", "conditions": [{"type": "Ready", "status": ready}]},
    })
}

fn is_complete(snapshot: &Snapshot) -> bool {
    rollout_progress(snapshot).state == RolloutState::Complete
}

#[test]
fn complete_means_every_pod_ready_at_the_new_revision() {
    let set = || stateful_set(2, 2);
    assert!(is_complete(&snapshot(
        set(),
        vec![pod(0, "web-b", "True"), pod(1, "web-b", "True")]
    )));
    let not_complete = [
        vec![pod(0, "web-b", "True")],
        vec![pod(0, "web-b", "True"), pod(1, "web-b", "False")],
        vec![pod(0, "web-b", "True"), pod(1, "web-a", "True")],
    ];
    for pods in not_complete {
        assert!(!is_complete(&snapshot(set(), pods)));
    }
}

#[test]
fn a_foreign_pod_of_the_right_name_does_not_count() {
    let mut foreign = pod(1, "web-b", "True");
    foreign["metadata"]["ownerReferences"][0]["uid"] = json!("other");
    assert!(!is_complete(&snapshot(
        stateful_set(2, 2),
        vec![pod(0, "web-b", "True"), foreign]
    )));
}

#[test]
fn replicas_below_the_partition_keep_their_revision() {
    let mut set = stateful_set(2, 2);
    set["spec"]["updateStrategy"] =
        json!({"type": "RollingUpdate", "rollingUpdate": {"partition": 1}});
    assert!(is_complete(&snapshot(
        set,
        vec![pod(0, "web-a", "True"), pod(1, "web-b", "True")]
    )));
}

#[test]
fn the_partition_counts_from_the_first_ordinal() {
    let mut set = stateful_set(2, 2);
    set["spec"]["ordinals"] = json!({"start": 5});
    set["spec"]["updateStrategy"] =
        json!({"type": "RollingUpdate", "rollingUpdate": {"partition": 1}});
    let pods = || vec![pod(5, "web-a", "True"), pod(6, "web-b", "True")];
    assert!(is_complete(&snapshot(set.clone(), pods())));
    set["spec"]["updateStrategy"]["rollingUpdate"]["partition"] = json!(0);
    assert!(!is_complete(&snapshot(set, pods())));
}

#[test]
fn nothing_moves_by_itself_on_delete() {
    let mut set = stateful_set(1, 1);
    set["spec"]["updateStrategy"] = json!({"type": "OnDelete"});
    assert!(is_complete(&snapshot(set, vec![pod(0, "web-a", "True")])));
}

#[test]
fn replicas_that_keep_an_older_revision_are_counted_with_the_reason() {
    let kept = |strategy: Value, revisions: [&str; 2]| {
        let mut set = stateful_set(2, 2);
        set["spec"]["updateStrategy"] = strategy;
        let pods = vec![pod(0, revisions[0], "True"), pod(1, revisions[1], "True")];
        let progress = rollout_progress(&snapshot(set, pods));
        assert_eq!(progress.state, RolloutState::Complete);
        progress.kept
    };
    let of = |replicas, because| Some(Kept { replicas, because });
    let on_delete = json!({"type": "OnDelete"});
    let partition = |partition: i32| json!({"type": "RollingUpdate", "rollingUpdate": {"partition": partition}});
    let table = [
        (
            on_delete.clone(),
            ["web-a", "web-a"],
            of(2, KeptBecause::OnDelete),
        ),
        (
            on_delete.clone(),
            ["web-b", "web-a"],
            of(1, KeptBecause::OnDelete),
        ),
        (on_delete, ["web-b", "web-b"], None),
        (
            partition(1),
            ["web-a", "web-b"],
            of(1, KeptBecause::Partition { partition: 1 }),
        ),
        (
            partition(9),
            ["web-a", "web-a"],
            of(2, KeptBecause::Partition { partition: 9 }),
        ),
        (partition(1), ["web-b", "web-b"], None),
        (partition(0), ["web-b", "web-b"], None),
    ];
    for (strategy, revisions, expected) in table {
        assert_eq!(
            kept(strategy.clone(), revisions),
            expected,
            "{strategy} {revisions:?}"
        );
    }
}

#[test]
fn ordinals_start_where_the_spec_says() {
    let mut set = stateful_set(2, 2);
    set["spec"]["ordinals"] = json!({"start": 5});
    let progress = rollout_progress(&snapshot(set, Vec::new()));
    let ordinals: Vec<i32> = progress
        .replicas
        .iter()
        .map(|replica| replica.ordinal)
        .collect();
    assert_eq!(ordinals, [5, 6]);
}

#[test]
fn an_unseen_generation_is_never_complete() {
    let mut set = stateful_set(1, 1);
    set["metadata"]["generation"] = json!(2);
    assert!(!is_complete(&snapshot(set, vec![pod(0, "web-b", "True")])));
}

#[test]
fn surplus_replicas_are_waited_for() {
    let mut set = stateful_set(1, 1);
    set["status"]["replicas"] = json!(2);
    assert!(!is_complete(&snapshot(set, vec![pod(0, "web-b", "True")])));
}
