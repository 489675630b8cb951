//! The claims of a pod that has no node yet, and the volumes that they wait for.

use k8s_openapi::api::core::v1::{PersistentVolumeClaim, Pod};
use k8s_openapi::api::storage::v1::StorageClass;

use super::{
    Cause, Diagnosis, Evidence, Finality, condition, events, kubectl, newest_event, on,
    pod_reference,
};
use crate::object::ObjectRef;
use crate::status::Snapshot;

/// Written by the scheduler when it has chosen the node of the first pod
/// (`k8s.io/component-helpers` `storage/volume/pv_helpers.go`).
const SELECTED_NODE: &str = "volume.kubernetes.io/selected-node";
/// The provisioner of classes whose volumes are made by hand (`pkg/apis/storage/v1`).
const BY_HAND: &str = "kubernetes.io/no-provisioner";
/// An external provisioner that has not begun after this many reminders of the controller, one every 15 seconds
/// (`pkg/controller/volume/persistentvolume/pv_controller.go`), is not there.
const REMINDERS: i32 = 2;

/// The first claim that is missing or has no volume. That a claim waits for its first pod is no cause: then the
/// scheduler decides.
pub(super) fn diagnose(snapshot: &Snapshot, pod: &Pod) -> Option<Diagnosis> {
    if pod.spec.as_ref()?.node_name.is_some() {
        return None;
    }
    let Some(known) = &snapshot.claims else {
        return said_by_scheduler(pod);
    };
    names(pod).find_map(|name| {
        let claim = known
            .iter()
            .find(|claim| claim.metadata.name.as_deref() == Some(name));
        match claim {
            None => Some(missing(pod, name)),
            Some(claim) => unbound(snapshot, pod, name, claim),
        }
    })
}

/// The names of the claims that a pod mounts.
pub(super) fn names(pod: &Pod) -> impl Iterator<Item = &str> {
    let volumes = pod
        .spec
        .iter()
        .flat_map(|spec| spec.volumes.iter().flatten());
    volumes.filter_map(|volume| {
        let source = volume.persistent_volume_claim.as_ref()?;
        Some(source.claim_name.as_str())
    })
}

/// The claims that a pod mounts, as far as they are known.
pub(super) fn claims<'snapshot>(
    snapshot: &'snapshot Snapshot,
    pod: &Pod,
) -> impl Iterator<Item = &'snapshot PersistentVolumeClaim> {
    names(pod).filter_map(|name| {
        let mut known = snapshot.claims.iter().flatten();
        known.find(|claim| claim.metadata.name.as_deref() == Some(name))
    })
}

/// Before the claims are read, the scheduler's words tell
/// (`pkg/scheduler/framework/plugins/volumebinding/volume_binding.go`).
fn said_by_scheduler(pod: &Pod) -> Option<Diagnosis> {
    let scheduled = condition(pod, "PodScheduled")?;
    let words = scheduled.message.as_deref()?;
    if !words.contains("unbound immediate PersistentVolumeClaims") {
        return None;
    }
    let object = pod_reference(pod);
    let message = format!("a claim of `{object}` has no volume yet");
    let next = format!(
        "kubectl get persistentvolumeclaims{}",
        on(object.namespace.as_deref())
    );
    Some(
        Diagnosis::new(Cause::ClaimUnbound, object, message)
            .because(Evidence::condition(pod, scheduled))
            .then([next]),
    )
}

fn reference(pod: &Pod, name: &str) -> ObjectRef {
    let namespace = pod.metadata.namespace.as_deref();
    ObjectRef::new("", "PersistentVolumeClaim", namespace, name)
}

/// It may be created soon.
fn missing(pod: &Pod, name: &str) -> Diagnosis {
    let object = reference(pod, name);
    let pod = pod_reference(pod);
    let message = format!("`{pod}` mounts `{object}`, which does not exist");
    let path = ".spec.volumes[*].persistentVolumeClaim.claimName";
    let next = format!(
        "kubectl get persistentvolumeclaims{}",
        on(object.namespace.as_deref())
    );
    Diagnosis::new(Cause::ClaimMissing, object, message)
        .because([Evidence::field(&pod, path, name)])
        .then([next])
        .is(Finality::Lasting)
}

fn unbound(
    snapshot: &Snapshot,
    pod: &Pod,
    name: &str,
    claim: &PersistentVolumeClaim,
) -> Option<Diagnosis> {
    let object = reference(pod, name);
    let waits = pod_reference(pod);
    let status = claim.status.as_ref();
    let phase = status.and_then(|status| status.phase.as_deref());
    if phase == Some("Bound") {
        return None;
    }
    let next = [
        kubectl("describe", &object),
        "kubectl get storageclass".to_owned(),
    ];
    let path = ".status.phase";
    let found = |cause, what: String, evidence: Option<Evidence>, finality| {
        let evidence =
            evidence.unwrap_or_else(|| Evidence::field(&object, path, phase.unwrap_or("not set")));
        let message = format!("`{waits}` mounts `{object}`, {what}");
        Some(
            Diagnosis::new(cause, object.clone(), message)
                .because([evidence])
                .then(next.clone())
                .is(finality),
        )
    };
    if phase == Some("Lost") {
        let what = "whose volume does not exist any more".to_owned();
        return found(Cause::ClaimUnbound, what, None, Finality::AtDeadline);
    }
    let uid = claim.metadata.uid.as_deref();
    let said = |reasons: &[&str]| newest_event(snapshot, uid, reasons);
    let spec = claim.spec.as_ref();
    let named = spec.and_then(|spec| spec.storage_class_name.as_deref());
    let Some(named) = named.filter(|name| !name.is_empty()) else {
        let what = "which names no storage class, and no volume fits it".to_owned();
        let evidence = said(&["FailedBinding"]);
        return found(Cause::NoProvisioner, what, evidence, Finality::AtDeadline);
    };
    let failed = said(&["ProvisioningFailed"]);
    let class = class(snapshot, named);
    let lacks_class = failed.as_ref().is_some_and(|failed| {
        failed.words.contains("storageclass") && failed.words.contains("not found")
    });
    if lacks_class || snapshot.classes.is_some() && class.is_none() {
        let what = format!("whose storage class `{named}` does not exist");
        return found(Cause::StorageClassMissing, what, failed, Finality::Lasting);
    }
    if class.is_some_and(|class| class.provisioner == BY_HAND) {
        let scheduled = condition(pod, "PodScheduled").filter(|scheduled| {
            let words = scheduled.message.as_deref().unwrap_or_default();
            words.contains("available persistent volumes to bind")
        });
        if waits_for_pod(class) && scheduled.is_none() {
            return None;
        }
        let what = format!("whose storage class `{named}` makes no volumes, and no volume fits it");
        let evidence = scheduled.and_then(|scheduled| Evidence::condition(pod, scheduled));
        return found(Cause::NoProvisioner, what, evidence, Finality::AtDeadline);
    }
    if failed.is_some() {
        let what = format!("for which no volume could be made (storage class `{named}`)");
        let cause = Cause::ProvisioningFailed;
        return found(cause, what, failed, Finality::AtDeadline);
    }
    let annotations = claim.metadata.annotations.as_ref();
    let has_node = annotations.is_some_and(|annotations| annotations.contains_key(SELECTED_NODE));
    let newest = said(&[
        "ExternalProvisioning",
        "FailedBinding",
        "Provisioning",
        "WaitForFirstConsumer",
        "WaitForPodScheduled",
    ]);
    let is_first_use = newest
        .as_ref()
        .is_some_and(|newest| newest.words.contains("to be created before binding"));
    if (waits_for_pod(class) || is_first_use) && !has_node {
        return None;
    }
    if is_ignored(snapshot, uid) {
        let provisioner = class.map_or("its provisioner", |class| class.provisioner.as_str());
        let what =
            format!("but `{provisioner}` has not begun to make a volume: it may not be there");
        return found(Cause::NoProvisioner, what, newest, Finality::AtDeadline);
    }
    let what = format!("which has no volume yet (storage class `{named}`)");
    found(Cause::ClaimUnbound, what, newest, Finality::Open)
}

fn class<'snapshot>(snapshot: &'snapshot Snapshot, name: &str) -> Option<&'snapshot StorageClass> {
    let mut classes = snapshot.classes.iter().flatten();
    classes.find(|class| class.metadata.name.as_deref() == Some(name))
}

fn waits_for_pod(class: Option<&StorageClass>) -> bool {
    let mode = class.and_then(|class| class.volume_binding_mode.as_deref());
    mode == Some("WaitForFirstConsumer")
}

/// Whether an external provisioner was asked several times, and has said nothing.
fn is_ignored(snapshot: &Snapshot, uid: Option<&str>) -> bool {
    let asked: i32 = events(snapshot, uid, &["ExternalProvisioning"])
        .map(|event| event.count.unwrap_or(1))
        .sum();
    let has_begun = events(snapshot, uid, &["Provisioning"]).next().is_some();
    asked >= REMINDERS && !has_begun
}
