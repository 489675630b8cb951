use jiff::SignedDuration;
use serde_json::{Value, json};

use super::super::rollout_progress;
use super::*;

/// One replica, Ready since `ready`, whose container has restarted `restarts` times. The previous
/// run lasted `ran` seconds and ended just before this one.
fn snapshot(restarts: i32, ran: i64, ready: &str, container: &Value) -> Snapshot {
    let since: Timestamp = ready.parse().unwrap();
    let began = since - SignedDuration::from_secs(ran);
    let last = if restarts > 0 {
        json!({"terminated": {"exitCode": 137, "reason": "Error", "startedAt": began, "finishedAt": since}})
    } else {
        json!({})
    };
    let mut spec = json!({"name": "api"});
    spec.as_object_mut()
        .unwrap()
        .extend(container.as_object().unwrap().clone());
    let pod = json!({
        "metadata": {"name": "web-0", "uid": "p", "labels": {"controller-revision-hash": "web-b"},
            "ownerReferences": [{"apiVersion": "apps/v1", "kind": "StatefulSet", "name": "web",
                "uid": "s", "controller": true}]},
        "spec": {"containers": [spec]},
        "status": {"phase": "Running",
            "conditions": [{"type": "Ready", "status": "True", "lastTransitionTime": ready}],
            "containerStatuses": [{"name": "api", "image": "", "imageID": "", "ready": true,
                "restartCount": restarts, "state": {"running": {"startedAt": ready}},
                "lastState": last}]},
    });
    let set = json!({
        "metadata": {"name": "web", "uid": "s", "generation": 1},
        "spec": {"replicas": 1, "selector": {}, "serviceName": "web", "template": {}},
        "status": {"observedGeneration": 1, "replicas": 1, "availableReplicas": 1,
            "updateRevision": "web-b", "currentRevision": "web-b"},
    });
    Snapshot {
        stateful_set: serde_json::from_value(set).unwrap(),
        pods: vec![serde_json::from_value(pod).unwrap()],
        ..Snapshot::default()
    }
}

fn state(restarts: i32, ran: i64, ready: &str, container: &Value, now: &str) -> RolloutState {
    let snapshot = snapshot(restarts, ran, ready, container);
    settled(rollout_progress(&snapshot), &snapshot, now.parse().unwrap()).state
}

const READY: &str = "2026-01-01T00:00:00Z";

fn probed() -> Value {
    json!({"readinessProbe": {}})
}

#[test]
fn a_restart_costs_the_verdict_until_the_last_run_is_outlasted() {
    let at = |now| state(2, 40, READY, &probed(), now);
    let RolloutState::Progressing { message, .. } = at("2026-01-01T00:00:40Z") else {
        panic!("it may end again");
    };
    assert!(message.contains("restarted 2 times"), "{message}");
    assert!(message.contains("exit code 137"), "{message}");
    assert!(message.contains("45 s"), "{message}");
    assert_eq!(at("2026-01-01T00:00:45Z"), RolloutState::Complete);
}

#[test]
fn a_liveness_probe_is_given_the_time_to_fail_again() {
    let container = json!({"readinessProbe": {}, "livenessProbe": {
        "initialDelaySeconds": 5, "periodSeconds": 4, "failureThreshold": 2,
        "timeoutSeconds": 1, "terminationGracePeriodSeconds": 1}});
    let at = |now| state(1, 1, READY, &container, now);
    assert_ne!(at("2026-01-01T00:00:19Z"), RolloutState::Complete);
    assert_eq!(at("2026-01-01T00:00:20Z"), RolloutState::Complete);
}

#[test]
fn a_ready_pod_is_looked_after_while_it_is_young_or_has_restarted() {
    let watched = json!({"readinessProbe": {}, "livenessProbe": {}});
    let of = |container: &Value, restarts, now: &str| {
        let pods = snapshot(restarts, 40, READY, container).pods;
        may_be_ended(&pods[0], now.parse().unwrap())
    };
    let at = |restarts, now| of(&watched, restarts, now);
    assert!(at(0, "2026-01-01T00:00:29Z"));
    assert!(!at(0, "2026-01-01T00:00:30Z"));
    assert!(at(1, "2026-01-08T00:00:00Z"));
    assert!(of(&probed(), 1, "2026-01-08T00:00:00Z"));
    assert!(
        !of(&probed(), 0, "2026-01-01T00:00:01Z"),
        "nobody may end it"
    );
}

#[test]
fn a_restart_of_last_week_is_no_alarm() {
    let at = |restarts, ran| state(restarts, ran, READY, &probed(), "2026-01-08T00:00:00Z");
    assert_eq!(at(1, 86_400), RolloutState::Complete);
    assert_eq!(at(68, 40), RolloutState::Complete);
}

#[test]
fn a_long_run_before_a_restart_is_no_loop() {
    let at = |now| state(1, 86_400, READY, &probed(), now);
    assert_eq!(at("2026-01-01T00:00:06Z"), RolloutState::Complete);
    let first = |now| state(1, 500, READY, &probed(), now);
    assert_eq!(first("2026-01-01T00:01:06Z"), RolloutState::Complete);
}

#[test]
fn ready_for_a_blink_is_not_ready_where_no_probe_says_so() {
    let at = |container, now| state(0, 0, READY, &container, now);
    let blink = "2026-01-01T00:00:01Z";
    assert_ne!(at(json!({}), blink), RolloutState::Complete);
    assert_eq!(
        at(json!({}), "2026-01-01T00:00:03Z"),
        RolloutState::Complete
    );
    assert_eq!(at(probed(), READY), RolloutState::Complete);
}

#[test]
fn the_first_answer_of_a_liveness_probe_is_waited_for_where_no_other_probe_says_anything() {
    let at = |container, now| state(0, 0, READY, &container, now);
    let alone = json!({"livenessProbe": {"periodSeconds": 5}});
    let RolloutState::Progressing { message, .. } = at(alone.clone(), "2026-01-01T00:00:07Z")
    else {
        panic!("it has not answered");
    };
    assert!(message.contains("first result"), "{message}");
    assert_eq!(at(alone, "2026-01-01T00:00:08Z"), RolloutState::Complete);
    let late = json!({"livenessProbe": {"initialDelaySeconds": 3600}});
    assert_eq!(at(late, "2026-01-01T00:00:30Z"), RolloutState::Complete);
    let both = json!({"livenessProbe": {}, "readinessProbe": {}});
    assert_eq!(at(both, READY), RolloutState::Complete);
}

#[test]
fn a_liveness_probe_that_fails_costs_the_verdict_until_the_kubelet_would_have_acted() {
    let container = json!({"readinessProbe": {}, "livenessProbe": {
        "periodSeconds": 4, "failureThreshold": 2, "timeoutSeconds": 1,
        "terminationGracePeriodSeconds": 1}});
    let failed = |probe: &str, at: &str| {
        let event = json!({"metadata": {}, "reason": "Unhealthy", "lastTimestamp": at,
            "involvedObject": {"uid": "p", "fieldPath": "spec.containers{api}"},
            "message": format!("{probe} probe failed: HTTP probe failed with statuscode: 404")});
        vec![serde_json::from_value(event).unwrap()]
    };
    let with = |events, now: &str| {
        let mut snapshot = snapshot(0, 0, READY, &container);
        snapshot.events = events;
        settled(rollout_progress(&snapshot), &snapshot, now.parse().unwrap()).state
    };
    let during = || failed("Liveness", "2026-01-01T00:00:04Z");
    let RolloutState::Progressing { message, .. } = with(during(), "2026-01-01T00:00:18Z") else {
        panic!("it is about to be ended");
    };
    assert!(
        message.contains("the liveness probe of container `api`"),
        "{message}"
    );
    assert_eq!(
        with(during(), "2026-01-01T00:00:19Z"),
        RolloutState::Complete
    );
    let before = failed("Liveness", "2025-12-31T23:59:59Z");
    assert_eq!(with(before, "2026-01-01T00:00:05Z"), RolloutState::Complete);
    let others = failed("Startup", "2026-01-01T00:00:04Z");
    assert_eq!(with(others, "2026-01-01T00:00:05Z"), RolloutState::Complete);
}
