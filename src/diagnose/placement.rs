//! Causes between a pod and its node: nobody creates it, no node takes it, its volume does not come.

use k8s_openapi::api::core::v1::Pod;

use super::{Cause, Diagnosis, Finality, kubectl, newest_event, pod_reference};
use crate::object::ObjectRef;
use crate::status::Snapshot;

pub(super) fn diagnose(snapshot: &Snapshot, pod: &Pod) -> Option<Diagnosis> {
    unschedulable(pod).or_else(|| volume(snapshot, pod))
}

fn unschedulable(pod: &Pod) -> Option<Diagnosis> {
    let conditions = pod.status.as_ref()?.conditions.as_ref()?;
    let condition = conditions.iter().find(|condition| {
        condition.type_ == "PodScheduled"
            && condition.status == "False"
            && condition.reason.as_deref() == Some("Unschedulable")
    })?;
    let object = pod_reference(pod);
    Some(Diagnosis {
        cause: Cause::Unschedulable,
        message: format!("no node takes `{object}`"),
        evidence: condition.message.clone().into_iter().collect(),
        next: vec![kubectl("describe", &object), "kubectl get nodes".to_owned()],
        finality: Finality::Open,
        container: None,
        object,
    })
}

fn volume(snapshot: &Snapshot, pod: &Pod) -> Option<Diagnosis> {
    let has_started = pod
        .status
        .as_ref()
        .and_then(|status| status.pod_ips.as_ref())
        .is_some_and(|addresses| !addresses.is_empty());
    if has_started {
        return None;
    }
    let reasons = ["FailedAttachVolume", "FailedMount", "FailedMapVolume"];
    let words = newest_event(snapshot, pod.metadata.uid.as_deref(), &reasons)?;
    let object = pod_reference(pod);
    Some(Diagnosis {
        cause: Cause::Volume,
        message: format!("a volume of `{object}` cannot be attached or mounted"),
        evidence: vec![words],
        next: vec![kubectl("describe", &object)],
        finality: Finality::Open,
        container: None,
        object,
    })
}

/// The controller tried to create a pod and was refused: quota, admission, a name in use.
pub(super) fn refused_pod(snapshot: &Snapshot) -> Option<Diagnosis> {
    let metadata = &snapshot.stateful_set.metadata;
    let words = newest_event(snapshot, metadata.uid.as_deref(), &["FailedCreate"])?;
    let name = metadata.name.as_deref().unwrap_or_default();
    let object = ObjectRef::new("apps", "StatefulSet", metadata.namespace.as_deref(), name);
    Some(Diagnosis {
        cause: Cause::PodRefused,
        message: format!("the controller of `{object}` cannot create a pod"),
        evidence: vec![words],
        next: vec![kubectl("describe", &object)],
        finality: Finality::Open,
        container: None,
        object,
    })
}
