//! Broken pods of an old revision: a new revision does not reach them.

use k8s_openapi::api::core::v1::Pod;

use super::{
    Cause, Diagnosis, Evidence, Finality, kubectl, on, pod_reference, rules, set_reference,
};
use crate::status::{
    KeptBecause, Snapshot, is_ready, kept_because, ordinals_that_move, revision_of,
};

/// A pod that is broken at an old revision, and what keeps it there.
pub(super) fn diagnose(snapshot: &Snapshot, pod: &Pod) -> Option<Diagnosis> {
    let own = revision_of(pod)?;
    let status = snapshot.stateful_set.status.as_ref()?;
    let update = status.update_revision.as_deref()?;
    if own == update || is_ready(pod) {
        return None;
    }
    let broken = rules::of_its_containers(snapshot, pod)?;
    if broken.finality == Finality::Open {
        return None;
    }
    let object = pod_reference(pod);
    let (cause, why, next) = match kept_because(&snapshot.stateful_set) {
        Some(KeptBecause::OnDelete) => (
            Cause::OnDelete,
            "the update strategy `OnDelete` keeps it there until it is deleted".to_owned(),
            kubectl("delete", &object),
        ),
        Some(KeptBecause::Paused { .. }) if !moves(snapshot, pod) => (
            Cause::Paused,
            "the paused rollout keeps it there".to_owned(),
            rollout(snapshot, "resume"),
        ),
        Some(KeptBecause::Partition { partition }) if !moves(snapshot, pod) => (
            Cause::Partition,
            format!("the partition {partition} keeps it there"),
            lower_partition(snapshot),
        ),
        _ if is_ordered(snapshot) => (
            Cause::StuckRevision,
            "its controller waits until it is Ready before updating it".to_owned(),
            rollout(snapshot, "unstick"),
        ),
        _ => return None,
    };
    let label = ".metadata.labels.controller-revision-hash";
    let mut evidence = vec![Evidence::field(&object, ".status", broken.message)];
    evidence.extend(broken.evidence);
    let revisions = format!("revision `{own}`; the newest one is `{update}`");
    evidence.push(Evidence::field(&object, label, revisions));
    let message = format!("`{object}` is broken at an old revision, but {why}");
    Some(Diagnosis {
        container: broken.container,
        evidence,
        ..Diagnosis::new(cause, object, message)
            .then([next])
            .is(broken.finality)
    })
}

/// With ordered pods, the controller handles one unready pod and returns before it gets to updates
/// (`pkg/controller/statefulset/stateful_set_control.go`), so a pod that never becomes Ready at an
/// old revision is never updated.
fn is_ordered(snapshot: &Snapshot) -> bool {
    snapshot.stateful_set.spec.pod_management_policy.as_deref() != Some("Parallel")
}

fn moves(snapshot: &Snapshot, pod: &Pod) -> bool {
    let name = pod.metadata.name.as_deref().unwrap_or_default();
    let ordinal = name.rsplit('-').next().and_then(|text| text.parse().ok());
    ordinal
        .is_some_and(|ordinal: i32| ordinals_that_move(&snapshot.stateful_set).contains(&ordinal))
}

/// A subcommand of this program's `rollout` on the workload.
fn rollout(snapshot: &Snapshot, verb: &str) -> String {
    let object = set_reference(snapshot);
    format!(
        "cryptoctl rollout {verb} {object}{}",
        on(object.namespace.as_deref())
    )
}

fn lower_partition(snapshot: &Snapshot) -> String {
    let patch = r#"{"spec":{"updateStrategy":{"rollingUpdate":{"partition":0}}}}"#;
    let command = kubectl("patch", &set_reference(snapshot));
    format!("{command} --type=merge -p '{patch}'")
}
