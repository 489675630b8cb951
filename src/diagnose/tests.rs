mod causes;
mod endings;
mod refusals;

use serde_json::{Value, json};

use super::*;

pub(super) fn snapshot(pod: Value, claims: Vec<Value>, events: Vec<Value>) -> Snapshot {
    let stateful_set = json!({
        "metadata": {"name": "web", "namespace": "n", "uid": "s", "generation": 1},
        "spec": {"replicas": 1, "selector": {}, "serviceName": "web", "template": {}},
        "status": {"observedGeneration": 1, "replicas": 1, "updateRevision": "web-b"},
    });
    let parse = |values: Vec<Value>| Value::Array(values);
    Snapshot {
        stateful_set: serde_json::from_value(stateful_set).unwrap(),
        pods: vec![serde_json::from_value(pod).unwrap()],
        claims: Some(serde_json::from_value(parse(claims)).unwrap()),
        events: serde_json::from_value(parse(events)).unwrap(),
        ..Snapshot::default()
    }
}

pub(super) fn pod(revision: &str, container: &Value) -> Value {
    let mut status =
        json!({"name": "api", "image": "i:1", "imageID": "", "ready": false, "restartCount": 0});
    status
        .as_object_mut()
        .unwrap()
        .extend(container.as_object().unwrap().clone());
    json!({
        "metadata": {"name": "web-0", "namespace": "n", "uid": "p", "labels": {"controller-revision-hash": revision}},
        "spec": {"containers": [], "nodeName": "node"},
        "status": {"podIPs": [{"ip": "10.0.0.1"}], "containerStatuses": [status]},
    })
}

pub(super) fn waiting(reason: &str, message: &str) -> Value {
    json!({"state": {"waiting": {"reason": reason, "message": message}}})
}

/// The words of the evidence.
fn words(diagnosis: &Diagnosis) -> Vec<String> {
    diagnosis.evidence.iter().map(ToString::to_string).collect()
}

fn diagnose(pod: Value) -> Option<Diagnosis> {
    workload(&snapshot(pod, Vec::new(), Vec::new()))
}

const ABSENT: &str = "rpc error: code = NotFound desc = failed to pull and unpack image \"registry.example/i:1\": \
    failed to resolve reference \"registry.example/i:1\": registry.example/i:1: not found";

#[test]
fn a_missing_image_is_final_at_the_first_report() {
    let first = diagnose(pod("web-b", &waiting("ErrImagePull", ABSENT))).unwrap();
    assert_eq!(
        (first.cause, first.finality),
        (Cause::ImageNotFound, Finality::Final)
    );
    assert!(first.message.contains("`i:1`"), "{}", first.message);
    assert_eq!(words(&first), [format!("ErrImagePull: {ABSENT}")]);
    assert_eq!(first.next, ["kubectl describe pod/web-0 -n n"]);
}

#[test]
fn a_crash_loop_is_final_after_its_second_restart() {
    let crashed = |restarts: i32| {
        json!({"restartCount": restarts,
            "state": {"waiting": {"reason": "CrashLoopBackOff"}},
            "lastState": {"terminated": {"exitCode": 134, "reason": "Error"}}})
    };
    let once = diagnose(pod("web-b", &crashed(1))).unwrap();
    assert_eq!(
        (once.cause, once.finality),
        (Cause::CrashLoop, Finality::Open)
    );
    let twice = diagnose(pod("web-b", &crashed(2))).unwrap();
    assert_eq!(twice.finality, Finality::Final);
    assert!(twice.message.contains("exit code 134"), "{}", twice.message);
}

#[test]
fn a_container_that_ended_well_is_no_crash() {
    let done = json!({"state": {"terminated": {"exitCode": 0, "reason": "Completed"}}});
    let cause = |found: Option<Diagnosis>| found.map(|found| found.cause);
    assert_eq!(cause(diagnose(pod("web-b", &done))), Some(Cause::Unknown));
    let running = json!({"state": {"running": {}}, "lastState": {"terminated": {"exitCode": 1}}});
    let again = cause(diagnose(pod("web-b", &running)));
    assert_eq!(again, Some(Cause::Unknown), "it runs again");
}

#[test]
fn a_broken_pod_of_an_old_revision_is_named_as_what_blocks_the_rollout() {
    let stuck = diagnose(pod("web-a", &waiting("ErrImagePull", ABSENT))).unwrap();
    assert_eq!(stuck.cause, Cause::StuckRevision);
    let unstick = "cryptoctl rollout unstick statefulset/web -n n";
    assert_eq!(stuck.next, [unstick]);
    assert!(
        stuck.evidence[0].words.contains("cannot pull"),
        "{:?}",
        stuck.evidence
    );
}

#[test]
fn a_claim_without_a_volume_is_named_with_its_class() {
    let pending = json!({
        "metadata": {"name": "web-0", "namespace": "n", "uid": "p"},
        "spec": {"containers": [], "volumes": [{"name": "v", "persistentVolumeClaim": {"claimName": "data"}}]},
        "status": {"conditions": [{"type": "PodScheduled", "status": "False", "reason": "Unschedulable"}]},
    });
    let missing = diagnose(pending.clone()).unwrap();
    assert!(
        missing.message.contains("does not exist"),
        "{}",
        missing.message
    );
    let claim = json!({"metadata": {"name": "data", "uid": "c"}, "spec": {"storageClassName": "fast"}, "status": {"phase": "Pending"}});
    let event = json!({"metadata": {}, "involvedObject": {"uid": "c"}, "reason": "ProvisioningFailed", "message": "no such class"});
    let unbound = workload(&snapshot(pending, vec![claim], vec![event])).unwrap();
    assert_eq!(
        (unbound.cause, unbound.finality),
        (Cause::ProvisioningFailed, Finality::AtDeadline)
    );
    assert!(unbound.message.contains("`fast`"), "{}", unbound.message);
    assert_eq!(words(&unbound), ["no such class"]);
}

#[test]
fn a_pod_that_no_node_takes_quotes_the_scheduler() {
    let pending = json!({
        "metadata": {"name": "web-0", "uid": "p"}, "spec": {"containers": []},
        "status": {"conditions": [{"type": "PodScheduled", "status": "False",
            "reason": "Unschedulable", "message": "0/1 nodes are available"}]},
    });
    let diagnosis = diagnose(pending).unwrap();
    assert_eq!(diagnosis.cause, Cause::Unschedulable);
    assert_eq!(words(&diagnosis), ["0/1 nodes are available"]);
}

#[test]
fn a_volume_that_cannot_be_attached_is_read_from_the_pods_own_events() {
    let creating = json!({"metadata": {"name": "web-0", "uid": "p"},
        "spec": {"containers": [], "nodeName": "node"}, "status": {}});
    let event = |uid: &str| json!({"metadata": {}, "involvedObject": {"uid": uid}, "reason": "FailedAttachVolume", "message": "Multi-Attach error"});
    let own = workload(&snapshot(creating.clone(), Vec::new(), vec![event("p")])).unwrap();
    assert_eq!(own.cause, Cause::VolumeAttachedElsewhere);
    let earlier_pod = workload(&snapshot(creating, Vec::new(), vec![event("another")]));
    assert_eq!(
        earlier_pod.map(|found| found.cause),
        Some(Cause::Unknown),
        "an event of the pod before this one says nothing"
    );
}

#[test]
fn nothing_is_said_of_the_pods_before_the_controller_has_seen_the_change() {
    let mut unseen = snapshot(
        pod("web-b", &waiting("ImagePullBackOff", "")),
        Vec::new(),
        Vec::new(),
    );
    unseen.stateful_set.metadata.generation = Some(2);
    let found = workload(&unseen).unwrap();
    assert_eq!(
        (found.cause, found.finality),
        (Cause::ControllerNotRunning, Finality::Open)
    );
}

#[test]
fn every_cause_is_documented() {
    let document = include_str!("../../docs/diagnoses.md");
    let schema = include_str!("../../docs/schema/chaos-report.schema.json");
    let mut rest = document;
    for cause in Cause::ALL {
        let name = format!("\"{}\"", cause.name());
        assert!(schema.contains(&name), "the schema lacks {name}");
        let row = format!("| `{}` |", cause.name());
        let found = rest.split_once(&row);
        assert!(
            found.is_some(),
            "{} is missing, or not in order",
            cause.name()
        );
        rest = found.unwrap().1;
        assert_eq!(serde_json::to_value(cause).unwrap(), json!(cause.name()));
    }
}

#[test]
fn what_often_mends_itself_is_given_time() {
    let secret = waiting("CreateContainerConfigError", "secret \"late\" not found");
    let configuration = diagnose(pod("web-b", &secret)).unwrap();
    assert_eq!(
        configuration.finality,
        Finality::Lasting,
        "a Secret may be on its way"
    );
}

#[test]
fn a_pod_that_runs_but_is_not_ready_quotes_its_probe() {
    let running = pod("web-b", &json!({"state": {"running": {}}}));
    let event = json!({"metadata": {}, "involvedObject": {"uid": "p"}, "reason": "Unhealthy",
        "message": "Readiness probe failed: not five keys"});
    let diagnosis = workload(&snapshot(running, Vec::new(), vec![event])).unwrap();
    assert_eq!(
        (diagnosis.cause, diagnosis.finality),
        (Cause::ReadinessProbe, Finality::Open)
    );
    assert_eq!(words(&diagnosis), ["Readiness probe failed: not five keys"]);
}

#[test]
fn nothing_is_said_of_claims_that_nobody_has_looked_for() {
    let pending = json!({
        "metadata": {"name": "web-0", "uid": "p"},
        "spec": {"containers": [], "volumes": [{"name": "v", "persistentVolumeClaim": {"claimName": "data"}}]},
    });
    let mut unseen = snapshot(pending, Vec::new(), Vec::new());
    unseen.claims = None;
    assert_eq!(workload(&unseen), None);
}

#[test]
fn gates_are_named_and_nobody_is_blamed() {
    let mut held = pod("web-b", &json!({}));
    held["spec"] = json!({"containers": [], "schedulingGates": [{"name": "example.com/quota"}]});
    held["status"] = json!({"conditions": [
        {"type": "PodScheduled", "status": "False", "reason": "SchedulingGated"}]});
    let held = diagnose(held).unwrap();
    assert_eq!(
        (held.cause, held.finality),
        (Cause::SchedulingGate, Finality::Open)
    );
    assert!(
        held.message.contains("`example.com/quota`"),
        "{}",
        held.message
    );

    let mut unready = pod("web-b", &json!({"state": {"running": {}}}));
    unready["spec"]["readinessGates"] = json!([{"conditionType": "example.com/registered"}]);
    unready["status"]["conditions"] = json!([
        {"type": "ContainersReady", "status": "True"}, {"type": "Ready", "status": "False"}]);
    let unready = diagnose(unready).unwrap();
    assert_eq!(
        (unready.cause, unready.finality),
        (Cause::ReadinessGate, Finality::Open)
    );
    assert!(
        unready
            .message
            .contains("`example.com/registered` is not set"),
        "{}",
        unready.message
    );
}

#[test]
fn what_was_asked_stands_beside_the_most_that_a_node_offers() {
    let mut pending = pod("web-b", &json!({}));
    pending["spec"] = json!({"nodeSelector": {"disk": "ssd"}, "containers": [
        {"name": "api", "resources": {"requests": {"cpu": "64", "memory": "1Mi"}}}]});
    pending["status"] = json!({"conditions": [{"type": "PodScheduled", "status": "False",
        "reason": "Unschedulable", "message": "0/2 nodes are available"}]});
    let mut full = snapshot(pending, Vec::new(), Vec::new());
    let node = |cpu: &str, disk: &str| {
        json!({"metadata": {"labels": {"disk": disk}},
            "status": {"allocatable": {"cpu": cpu, "memory": "4Gi"}}})
    };
    let nodes = json!([node("2", "hdd"), node("1500m", "tape")]);
    full.nodes = serde_json::from_value(nodes).unwrap();
    assert_eq!(
        words(&workload(&full).unwrap()),
        [
            "0/2 nodes are available",
            "it requests cpu 64; no node offers more than 2",
            "it requires a node with `disk=ssd`; nodes have `hdd`, `tape`",
        ]
    );
}

#[test]
fn a_missing_object_in_a_volume_may_be_on_its_way() {
    let creating = json!({"metadata": {"name": "web-0", "uid": "p"},
        "spec": {"containers": [], "nodeName": "node"}, "status": {}});
    let event = |message: &str| json!({"metadata": {}, "involvedObject": {"uid": "p"}, "reason": "FailedMount", "message": message});
    let of = |message: &str| {
        workload(&snapshot(
            creating.clone(),
            Vec::new(),
            vec![event(message)],
        ))
        .unwrap()
        .finality
    };
    assert_eq!(of("configmap \"late\" not found"), Finality::Lasting);
    let made = "MountVolume.SetUp failed for volume \"kube-api-access-x\" : configmap \"kube-root-ca.crt\" not found";
    assert_eq!(of(made), Finality::Open, "the controller manager makes it");
    assert_eq!(of("timed out waiting for the condition"), Finality::Open);
}

#[test]
fn a_node_that_an_experiment_left_cordoned_is_named_with_what_takes_it_back() {
    let mut pending = pod("web-b", &json!({}));
    pending["status"] = json!({"conditions": [{"type": "PodScheduled", "status": "False",
        "reason": "Unschedulable", "message": "0/3 nodes are available"}]});
    let mut full = snapshot(pending, Vec::new(), Vec::new());
    let nodes = json!([
        {"metadata": {"name": "a", "annotations": {"cryptoctl/chaos-cordoned-for": "shop/web"}},
            "spec": {"unschedulable": true}},
        {"metadata": {"name": "b"}, "spec": {"unschedulable": true}},
        {"metadata": {"name": "c"}, "spec": {}},
    ]);
    full.nodes = serde_json::from_value(nodes).unwrap();
    let diagnosis = workload(&full).unwrap();
    assert_eq!(
        diagnosis.evidence[1].words,
        "cordoned: `node/a` (by an experiment on `shop/statefulset/web`), `node/b`"
    );
    assert_eq!(
        diagnosis.next[0],
        "cryptoctl chaos statefulset/web -n shop --restore"
    );
}
