//! Containers that keep ending.

use serde_json::{Value, json};

use super::super::*;
use super::{diagnose, pod, snapshot, words};

fn ended(code: i32, restarts: i32) -> Value {
    json!({"restartCount": restarts, "state": {"waiting": {"reason": "CrashLoopBackOff"}},
        "lastState": {"terminated": {"exitCode": code, "startedAt": "2026-01-01T00:00:00Z",
            "finishedAt": "2026-01-01T00:00:30Z"}}})
}

#[test]
fn a_container_that_finishes_by_itself_again_and_again_is_named_as_that() {
    let once = diagnose(pod("web-b", &ended(0, 1))).unwrap();
    assert_eq!(
        (once.cause, once.finality),
        (Cause::Completed, Finality::Open)
    );
    let twice = diagnose(pod("web-b", &ended(0, 2))).unwrap();
    assert_eq!(twice.finality, Finality::Final);
    for words in [
        "keeps ending, exit code 0",
        "finishes by itself",
        "check `command`",
    ] {
        assert!(twice.message.contains(words), "{}", twice.message);
    }
    assert_eq!(
        twice.next,
        ["kubectl logs pod/web-0 -n n -c api --previous"]
    );
}

#[test]
fn a_container_that_the_kubelet_ends_is_not_said_to_finish_by_itself() {
    let mut probed = pod("web-b", &ended(0, 2));
    probed["spec"]["containers"] = json!([{"name": "api",
        "livenessProbe": {"httpGet": {"path": "/nope", "port": 80}}}]);
    let unsure = diagnose(probed.clone()).unwrap();
    assert_eq!(
        unsure.cause,
        Cause::CrashLoop,
        "without events nobody can tell"
    );
    let event = |reason: &str, message: &str, at: &str| {
        json!({"metadata": {}, "reason": reason, "message": message, "lastTimestamp": at,
            "involvedObject": {"uid": "p", "fieldPath": "spec.containers{api}"}})
    };
    let killed = "Container api failed liveness probe, will be restarted";
    let failed = "Liveness probe failed: HTTP probe failed with statuscode: 404";
    let events = |at: &str| vec![event("Killing", killed, at), event("Unhealthy", failed, at)];
    let of = |at: &str| workload(&snapshot(probed.clone(), Vec::new(), events(at))).unwrap();
    let now = of("2026-01-01T00:00:29Z");
    assert_eq!(
        (now.cause, now.finality),
        (Cause::LivenessProbe, Finality::Final)
    );
    assert!(
        now.message.contains("GET /nope on port 80"),
        "{}",
        now.message
    );
    assert_eq!(words(&now), ["exit code 0", failed]);
    let earlier_run = of("2025-12-31T00:00:00Z");
    assert_eq!(earlier_run.cause, Cause::Completed);
    // It runs again: only another failure of the probe means that it will be killed again.
    let mut running = probed.clone();
    running["status"]["containerStatuses"][0]["state"] =
        json!({"running": {"startedAt": "2026-01-01T00:00:31Z"}});
    let again = |at: &str| {
        let mut all = events("2026-01-01T00:00:29Z");
        all.push(event("Unhealthy", failed, at));
        workload(&snapshot(running.clone(), Vec::new(), all))
    };
    let found = again("2026-01-01T00:00:40Z").unwrap();
    assert_eq!(
        (found.cause, found.finality),
        (Cause::LivenessProbe, Finality::Final)
    );
    let mended = again("2026-01-01T00:00:28Z");
    assert_ne!(mended.map(|found| found.cause), Some(Cause::LivenessProbe));
}

#[test]
fn a_hook_that_fails_is_named() {
    let of = |container: &str, at: &str| {
        let event = json!({"metadata": {}, "reason": "FailedPostStartHook",
            "message": "PostStartHook failed", "lastTimestamp": at, "involvedObject":
                {"uid": "p", "fieldPath": format!("spec.containers{{{container}}}")}});
        workload(&snapshot(
            pod("web-b", &ended(137, 2)),
            Vec::new(),
            vec![event],
        ))
        .unwrap()
    };
    let found = of("api", "2026-01-01T00:00:29Z");
    assert!(
        found.message.contains("`postStart` hook"),
        "{}",
        found.message
    );
    assert_eq!(found.evidence[1].words, "PostStartHook failed");
    let others = of("sidecar", "2026-01-01T00:00:29Z");
    assert_eq!(others.evidence.len(), 1, "{:?}", others.evidence);
    let earlier = of("api", "2025-12-31T00:00:00Z");
    assert_eq!(earlier.evidence.len(), 1, "{:?}", earlier.evidence);
}

#[test]
fn an_init_container_is_meant_to_end() {
    let mut waits = pod(
        "web-b",
        &json!({"state": {"waiting": {"reason": "PodInitializing"}}}),
    );
    waits["spec"]["initContainers"] = json!([{"name": "keys"}]);
    waits["status"]["initContainerStatuses"] = json!([{"name": "keys", "image": "", "imageID": "",
        "ready": true, "restartCount": 2, "state": {"terminated": {"exitCode": 0}}}]);
    let found = diagnose(waits.clone()).unwrap();
    assert_eq!(found.cause, Cause::Unknown);
    waits["status"]["initContainerStatuses"][0]["state"] =
        json!({"waiting": {"reason": "CrashLoopBackOff"}});
    waits["status"]["initContainerStatuses"][0]["lastState"] =
        json!({"terminated": {"exitCode": 1}});
    let fails = diagnose(waits).unwrap();
    assert_eq!(fails.cause, Cause::InitContainer);
    assert_eq!(
        fails.next,
        ["kubectl logs pod/web-0 -n n -c keys --previous"]
    );
}
