//! Volumes that cannot be attached or mounted.

use k8s_openapi::api::core::v1::Pod;

use super::{Cause, Diagnosis, Evidence, Finality, kubectl, newest_event, pod_reference, storage};
use crate::object::ObjectRef;
use crate::status::Snapshot;

/// What the attach-detach controller says of a volume that another node has
/// (`pkg/controller/volume/attachdetach/reconciler/reconciler.go`).
const ELSEWHERE: [&str; 4] = [
    "Multi-Attach error",
    "already exclusively attached",
    "already used by pod",
    "Waiting for detach",
];
/// What may only be slow: the kubelet's own patience, its caches (`pkg/kubelet/util/manager`), the ConfigMap that
/// the controller manager puts into every namespace.
const MAY_BE_SLOW: [&str; 4] = [
    "timed out",
    "context deadline exceeded",
    "not registered",
    "\"kube-root-ca.crt\"",
];

/// The newest failure, until the pod has its sandbox: that is made after the volumes are mounted.
pub(super) fn diagnose(snapshot: &Snapshot, pod: &Pod) -> Option<Diagnosis> {
    if has_started(pod) {
        return None;
    }
    let reasons = ["FailedAttachVolume", "FailedMount", "FailedMapVolume"];
    let event = newest_event(snapshot, pod.metadata.uid.as_deref(), &reasons)?;
    let says = |texts: &[&str]| texts.iter().any(|text| event.words.contains(text));
    let object = pod_reference(pod);
    if says(&ELSEWHERE) {
        let message = format!(
            "a volume of `{object}` is attached to another node, and it can be attached to one only"
        );
        let next = [
            kubectl("describe", &object),
            "kubectl get volumeattachments".to_owned(),
        ];
        return Some(
            Diagnosis::new(Cause::VolumeAttachedElsewhere, object, message)
                .because([event])
                .because(attachments(snapshot, pod))
                .then(next)
                .is(Finality::AtDeadline),
        );
    }
    let message = format!("a volume of `{object}` cannot be attached or mounted");
    let finality = if says(&MAY_BE_SLOW) {
        Finality::Open
    } else if says(&["not found", "references non-existent"]) {
        // It may be created soon.
        Finality::Lasting
    } else {
        Finality::AtDeadline
    };
    let next = kubectl("describe", &object);
    Some(
        Diagnosis::new(Cause::MountFailed, object, message)
            .because([event])
            .then([next])
            .is(finality),
    )
}

/// Whether the volumes of a pod were mounted.
pub(super) fn has_started(pod: &Pod) -> bool {
    let addresses = pod
        .status
        .as_ref()
        .and_then(|status| status.pod_ips.as_ref());
    addresses.is_some_and(|addresses| !addresses.is_empty())
}

/// The nodes that have a volume of the pod.
fn attachments(snapshot: &Snapshot, pod: &Pod) -> Vec<Evidence> {
    let own = pod.spec.as_ref().and_then(|spec| spec.node_name.as_ref());
    let volumes: Vec<&String> = storage::claims(snapshot, pod)
        .filter_map(|claim| claim.spec.as_ref()?.volume_name.as_ref())
        .collect();
    snapshot
        .attachments
        .iter()
        .filter(|attachment| Some(&attachment.spec.node_name) != own)
        .filter_map(|attachment| {
            let volume = attachment.spec.source.persistent_volume_name.as_ref()?;
            let name = attachment.metadata.name.as_deref()?;
            let object = ObjectRef::new("storage.k8s.io", "VolumeAttachment", None, name);
            let words = format!(
                "`persistentvolume/{volume}` is attached to `node/{}`",
                attachment.spec.node_name
            );
            let made = attachment.metadata.creation_timestamp.as_ref();
            volumes.contains(&volume).then(|| {
                Evidence::field(&object, ".spec.nodeName", words).at(made.map(|time| time.0))
            })
        })
        .collect()
}
