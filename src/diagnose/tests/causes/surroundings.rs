//! What surrounds a pod.

use serde_json::{Value, json};

use super::super::super::*;
use super::super::{pod, snapshot};
use super::{Case, creating, event, node, of_pod, pending};

const NODES: &str = "kubectl get nodes";
const DESCRIBE: &str = "kubectl describe pod/web-0 -n n";
const YAML: &str = "kubectl get pod/web-0 -n n -o yaml";
const CLAIM: &str = "kubectl describe persistentvolumeclaim/data -n n";
const CLAIMS: &str = "kubectl get persistentvolumeclaims -n n";
const UNBOUND: &str = "0/1 nodes are available: pod has unbound immediate PersistentVolumeClaims.";

pub(super) fn cases() -> Vec<Case> {
    let mut cases = of_the_workload();
    cases.extend(of_leaving_pods());
    cases.extend(of_claims());
    cases.extend(of_nodes());
    cases.extend(of_volumes());
    cases
}

fn of_the_workload() -> Vec<Case> {
    let next = "kubectl describe statefulset/web -n n";
    let mut unseen = snapshot(pod("web-b", &json!({})), Vec::new(), Vec::new());
    unseen.stateful_set.metadata.generation = Some(2);
    let mut cases = vec![Case {
        cause: Cause::ControllerNotRunning,
        finality: Finality::Open,
        snapshot: unseen,
        says: "has not seen",
        next,
    }];
    let table = [
        (
            Cause::Quota,
            Finality::Final,
            "failed quota: q: must specify limits.cpu for: api",
            "requires",
        ),
        (
            Cause::PodSecurity,
            Finality::Final,
            "violates PodSecurity \"restricted:latest\": x",
            "Standard",
        ),
        (
            Cause::LimitRange,
            Finality::Final,
            "maximum cpu usage per Container is 100m, but limit is 1",
            "LimitRange",
        ),
        (
            Cause::WebhookDenied,
            Finality::Lasting,
            "admission webhook \"w.example.com\" denied the request: no",
            "webhook",
        ),
        (
            Cause::WebhookUnavailable,
            Finality::Open,
            "Internal error occurred: failed calling webhook \"w.example.com\": EOF",
            "does not answer",
        ),
        (
            Cause::MissingServiceAccount,
            Finality::Lasting,
            "error looking up service account n/robot: serviceaccount \"robot\" not found",
            "service account",
        ),
        (
            Cause::MissingReference,
            Finality::Lasting,
            "no PriorityClass with name high was found",
            "priority class",
        ),
        (
            Cause::InvalidPod,
            Finality::Final,
            "Pod \"web-0\" is invalid: spec.x: Required value",
            "invalid",
        ),
        (
            Cause::PodRefused,
            Finality::Open,
            "object is being deleted: pods \"web-0\" already exists",
            "refused",
        ),
    ];
    cases.extend(table.map(|(cause, finality, words, says)| {
        let words = format!("create Pod web-0 in StatefulSet web failed error: {words}");
        let events = vec![event("s", "FailedCreate", &words)];
        let mut snapshot = snapshot(pod("web-b", &json!({})), Vec::new(), events);
        snapshot.pods.clear();
        Case {
            cause,
            finality,
            snapshot,
            says,
            next,
        }
    }));
    cases
}

fn of_leaving_pods() -> Vec<Case> {
    let leaving = |container: &Value| {
        let mut pod = pod("web-b", container);
        pod["metadata"]["deletionTimestamp"] = json!("2026-01-01T00:00:00Z");
        pod
    };
    let (cause, finality) = (Cause::StuckTerminating, Finality::AtDeadline);
    let mut held = leaving(&json!({"state": {"terminated": {"exitCode": 0}}}));
    held["metadata"]["finalizers"] = json!(["example.com/hold"]);
    let runs = leaving(&json!({"state": {"running": {}}}));
    let (says, next) = ("`node/node` is not Ready", "kubectl describe node/node");
    let mut on_dead_node = of_pod(cause, finality, &runs, &[], says, next);
    on_dead_node.snapshot.hosts = vec![node("node", "Unknown")];
    let stuck = [("FailedKillPod", "error killing pod: deadline exceeded")];
    vec![
        of_pod(cause, finality, &held, &[], "`example.com/hold`", YAML),
        of_pod(cause, finality, &runs, &stuck, "cannot be ended", DESCRIBE),
        on_dead_node,
    ]
}

/// A pod whose claim has no volume, in the words of the claim's events.
fn unbound(
    cause: Cause,
    finality: Finality,
    class: &str,
    events: &[(&str, &str)],
    says: &'static str,
) -> Case {
    let claim = json!({"metadata": {"name": "data", "uid": "c"},
        "spec": {"storageClassName": class}, "status": {"phase": "Pending"}});
    let events = events
        .iter()
        .map(|(reason, message)| event("c", reason, message))
        .collect();
    let mut snapshot = snapshot(pending("Unschedulable", UNBOUND), vec![claim], events);
    let classes = json!([
        {"metadata": {"name": "disks"}, "provisioner": "example.com/disks"},
        {"metadata": {"name": "by-hand"}, "provisioner": "kubernetes.io/no-provisioner"},
    ]);
    snapshot.classes = serde_json::from_value(classes).unwrap();
    Case {
        cause,
        finality,
        snapshot,
        says,
        next: CLAIM,
    }
}

fn of_claims() -> Vec<Case> {
    let says = "`persistentvolumeclaim/data`, which does not exist";
    let missing = pending("Unschedulable", "persistentvolumeclaim \"data\" not found");
    let (cause, lasting) = (Cause::ClaimMissing, Finality::Lasting);
    let missing = of_pod(cause, lasting, &missing, &[], says, CLAIMS);
    let early = pending("Unschedulable", UNBOUND);
    let (cause, open, says) = (Cause::ClaimUnbound, Finality::Open, "has no volume yet");
    let mut early = of_pod(cause, open, &early, &[], says, CLAIMS);
    early.snapshot.claims = None;
    let asked = [("ExternalProvisioning", "Waiting for a volume to be created")];
    let unbound_yet = unbound(cause, open, "disks", &asked, says);
    let (cause, at_deadline) = (Cause::NoProvisioner, Finality::AtDeadline);
    let says = "`example.com/disks` has not begun";
    let mut ignored = unbound(cause, at_deadline, "disks", &asked, says);
    ignored.snapshot.events[0].count = Some(3);
    let unset = [(
        "FailedBinding",
        "no persistent volumes available for this claim and no storage class is set",
    )];
    let classless = unbound(cause, at_deadline, "", &unset, "names no storage class");
    let by_hand = unbound(cause, at_deadline, "by-hand", &[], "makes no volumes");
    let (cause, says) = (Cause::StorageClassMissing, "`fast` does not exist");
    let absent = [(
        "ProvisioningFailed",
        "storageclass.storage.k8s.io \"fast\" not found",
    )];
    let mut unread = unbound(cause, lasting, "fast", &absent, says);
    unread.snapshot.classes = None;
    let failed = [
        ("Provisioning", "External provisioner is provisioning"),
        (
            "ProvisioningFailed",
            "rpc error: code = ResourceExhausted desc = full",
        ),
    ];
    vec![
        missing,
        early,
        unbound_yet,
        ignored,
        classless,
        by_hand,
        unread,
        unbound(cause, lasting, "fast", &[], says),
        unbound(
            Cause::ProvisioningFailed,
            at_deadline,
            "disks",
            &failed,
            "no volume could be made",
        ),
    ]
}

/// A pod that no node takes, in the scheduler's words; its claim has a volume.
fn refused(
    cause: Cause,
    finality: Finality,
    words: &str,
    says: &'static str,
    next: &'static str,
) -> Case {
    let pod = pending("Unschedulable", words);
    let mut found = of_pod(cause, finality, &pod, &[], says, next);
    let bound = json!([{"metadata": {"name": "data", "uid": "c"},
        "spec": {"volumeName": "disk"}, "status": {"phase": "Bound"}}]);
    found.snapshot.claims = serde_json::from_value(bound).unwrap();
    found
}

const TAINTED: &str = "0/1 nodes are available: 1 node(s) had untolerated taint(s).";
const RESTARTING: &str = "0/2 nodes are available: 1 Insufficient cpu, 1 node(s) had untolerated taint {node.kubernetes.io/not-ready: }.";
const FULL: &str = "0/2 nodes are available: 1 node(s) didn't match PersistentVolume's node affinity, 1 Insufficient cpu.";
const ELSEWHERE: &str = "0/2 nodes are available: 1 node(s) didn't match PersistentVolume's node affinity, 1 node(s) were unschedulable.";
const ONCE: &str = "0/1 nodes are available: 1 node has pod using PersistentVolumeClaim with the same name and ReadWriteOncePod access mode.";

fn of_nodes() -> Vec<Case> {
    let (cause, open) = (Cause::NodeNotReady, Finality::Open);
    let (says, next) = (
        "`node/node`, which is not Ready",
        "kubectl describe node/node",
    );
    let mut away = of_pod(cause, open, &creating(), &[], says, next);
    away.snapshot.hosts = vec![node("node", "Unknown")];
    let mut all_away = refused(cause, open, TAINTED, "none is Ready", NODES);
    all_away.snapshot.nodes = Some(vec![node("node", "False")]);
    let at_deadline = Finality::AtDeadline;
    let (says, next) = ("can have its volume", "kubectl get nodes --show-labels");
    let cause = Cause::VolumeNodeAffinity;
    let mut volume = refused(cause, at_deadline, ELSEWHERE, says, next);
    let disk = json!([{"metadata": {"name": "disk"}, "spec": {"nodeAffinity": {"required":
        {"nodeSelectorTerms": [{"matchExpressions":
            [{"key": "zone", "operator": "In", "values": ["a"]}]}]}}}}]);
    volume.snapshot.volumes = serde_json::from_value(disk).unwrap();
    let (says, next) = ("only one pod may mount", "kubectl get pods -n n -o wide");
    let cause = Cause::VolumeInUseByAnotherPod;
    let mut shared = refused(cause, at_deadline, ONCE, says, next);
    let mut other = pending("", "");
    other["metadata"]["name"] = json!("web-7");
    let other = serde_json::from_value(other).unwrap();
    shared.snapshot.pods.push(other);
    let mut gated = pending("SchedulingGated", "");
    gated["spec"]["schedulingGates"] = json!([{"name": "example.com/quota"}]);
    let (cause, says) = (Cause::SchedulingGate, "`example.com/quota`");
    let mut cases = vec![
        away,
        all_away,
        volume,
        shared,
        of_pod(cause, open, &gated, &[], says, YAML),
    ];
    let table = [
        (at_deadline, FULL, "too little is free"),
        (at_deadline, TAINTED, "a taint that it does not tolerate"),
        (
            at_deadline,
            "0/1 nodes are available: 1 node(s) didn't have free ports for the requested pod ports.",
            "a port of the node",
        ),
        (
            at_deadline,
            "0/1 nodes are available: 1 node(s) didn't match Pod's node affinity/selector.",
            "node selector or affinity",
        ),
        (
            at_deadline,
            "0/1 nodes are available: 1 node(s) didn't match pod anti-affinity rules.",
            "a pod that it must not be with",
        ),
        (open, RESTARTING, "too little is free"),
    ];
    cases.extend(table.map(|(finality, words, says)| {
        refused(Cause::Unschedulable, finality, words, says, DESCRIBE)
    }));
    cases
}

fn of_volumes() -> Vec<Case> {
    let at_deadline = Finality::AtDeadline;
    let multi = [(
        "FailedAttachVolume",
        "Multi-Attach error for volume \"disk\" Volume is already exclusively attached to one node and can't be attached to another",
    )];
    let (cause, says) = (Cause::VolumeAttachedElsewhere, "attached to another node");
    let elsewhere = of_pod(cause, at_deadline, &creating(), &multi, says, DESCRIBE);
    let mount = |cause, finality, words: &str, says, next| {
        let words = format!("MountVolume.SetUp failed for volume \"v\" : {words}");
        let events = [("FailedMount", words.as_str())];
        of_pod(cause, finality, &creating(), &events, says, next)
    };
    let (cause, says) = (Cause::MountFailed, "cannot be attached or mounted");
    let lasting = Finality::Lasting;
    let (maps, secrets) = ("kubectl get configmaps -n n", "kubectl get secrets -n n");
    vec![
        elsewhere,
        mount(
            cause,
            at_deadline,
            "mount failed: exit status 32",
            says,
            DESCRIBE,
        ),
        mount(
            cause,
            Finality::Open,
            "object \"n\"/\"kube-root-ca.crt\" not registered",
            says,
            DESCRIBE,
        ),
        mount(
            Cause::MissingConfigMap,
            lasting,
            "configmap \"late\" not found",
            "`configmap/late`",
            maps,
        ),
        mount(
            Cause::MissingSecret,
            lasting,
            "secret \"late\" not found",
            "`secret/late`",
            secrets,
        ),
        mount(
            Cause::MissingKey,
            lasting,
            "configmap references non-existent config key: app.yaml",
            "the key `app.yaml` of a ConfigMap",
            maps,
        ),
        mount(
            Cause::MissingKey,
            lasting,
            "references non-existent secret key: token",
            "the key `token` of a Secret",
            secrets,
        ),
    ]
}

#[test]
fn the_node_that_has_a_volume_is_named() {
    let multi = "Volume is already used by pod(s) web-1";
    let events = vec![event("p", "FailedAttachVolume", multi)];
    let mut pod = creating();
    pod["spec"]["volumes"] = json!([{"name": "v", "persistentVolumeClaim": {"claimName": "data"}}]);
    let claim = json!({"metadata": {"name": "data", "uid": "c"},
        "spec": {"volumeName": "disk"}, "status": {"phase": "Bound"}});
    let mut found = snapshot(pod, vec![claim], events);
    let on = |node: &str| {
        json!({"metadata": {"name": node}, "spec": {"attacher": "x", "nodeName": node,
            "source": {"persistentVolumeName": "disk"}}})
    };
    let attachments = json!([on("node"), on("other")]);
    found.attachments = serde_json::from_value(attachments).unwrap();
    let found = workload(&found).unwrap();
    let words = "`persistentvolume/disk` is attached to `node/other`";
    assert_eq!(super::super::words(&found), [multi, words]);
}
