//! Pods that were deleted and do not go. The controller makes no other pod of that name before they have gone
//! (`pkg/controller/statefulset/stateful_set_control.go`).

use k8s_openapi::api::core::v1::Pod;

use super::{Cause, Diagnosis, Evidence, Finality, kubectl, newest_event, node, pod_reference};
use crate::object::ObjectRef;
use crate::status::{Snapshot, all_statuses};

/// The kubelet may be gone, somebody's finalizer may hold the pod, or its containers cannot be ended. A grace
/// period that is running is nothing of that.
pub(super) fn diagnose(snapshot: &Snapshot, pod: &Pod) -> Option<Diagnosis> {
    let object = pod_reference(pod);
    let deleted = pod.metadata.deletion_timestamp.as_ref().map(|time| time.0);
    if let Some((node, evidence)) = node::of_pod(snapshot, pod) {
        let message = format!(
            "`{object}` was deleted, but `{node}` is not Ready, so nobody can tell that its containers have ended"
        );
        return Some(held(object, message, evidence, kubectl("describe", &node)));
    }
    if let Some(finalizers) = finalizers(pod).filter(|_| has_ended(pod)) {
        let message =
            format!("`{object}` was deleted and has ended, but it is held by {finalizers}");
        let evidence = Evidence::field(&object, ".metadata.finalizers", finalizers).at(deleted);
        let next = format!("{} -o yaml", kubectl("get", &object));
        return Some(held(object, message, evidence, next));
    }
    let failed = newest_event(snapshot, pod.metadata.uid.as_deref(), &["FailedKillPod"])?;
    let message = format!("`{object}` was deleted, but its containers cannot be ended");
    let next = kubectl("describe", &object);
    Some(held(object, message, failed, next))
}

fn held(object: ObjectRef, message: String, evidence: Evidence, next: String) -> Diagnosis {
    Diagnosis::new(Cause::StuckTerminating, object, message)
        .because([evidence])
        .then([next])
        .is(Finality::AtDeadline)
}

/// The finalizers of a pod, in words.
fn finalizers(pod: &Pod) -> Option<String> {
    let names: Vec<String> = pod
        .metadata
        .finalizers
        .iter()
        .flatten()
        .map(|name| format!("`{name}`"))
        .collect();
    let noun = if names.len() == 1 {
        "its finalizer"
    } else {
        "its finalizers"
    };
    (!names.is_empty()).then(|| format!("{noun} {}", names.join(", ")))
}

fn has_ended(pod: &Pod) -> bool {
    all_statuses(pod).all(|status| {
        let state = status.state.as_ref();
        state.is_none_or(|state| state.running.is_none())
    })
}
