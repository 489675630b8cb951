//! Causes in a pod's containers.

use k8s_openapi::api::core::v1::{ContainerStatus, Pod};

use super::image::{self, Pull};
use super::{Cause, Diagnosis, Finality, crash, kubectl, pod_reference};
use crate::status::{Snapshot, all_statuses, is_ready};

pub(super) fn diagnose(snapshot: &Snapshot, pod: &Pod) -> Option<Diagnosis> {
    let mut diagnosis = all_statuses(pod).find_map(|status| of_container(snapshot, pod, status))?;
    if diagnosis.finality != Finality::Open && blocks_another_revision(snapshot, pod) {
        let name = diagnosis.object.to_string();
        diagnosis.evidence.insert(0, diagnosis.message);
        diagnosis.cause = Cause::StuckRevision;
        diagnosis.message = format!(
            "`{name}` is broken at an old revision, but its controller waits until it is Ready before updating it"
        );
        diagnosis.next = vec![kubectl("delete", &diagnosis.object)];
    }
    Some(diagnosis)
}

fn of_container(snapshot: &Snapshot, pod: &Pod, status: &ContainerStatus) -> Option<Diagnosis> {
    let state = status.state.as_ref()?;
    let object = pod_reference(pod);
    let waiting = state.waiting.clone().unwrap_or_default();
    let reason = waiting.reason.as_deref().unwrap_or_default();
    let words = waiting.message.clone().unwrap_or_default();
    let words = match reason {
        "ImagePullBackOff" => image::words(snapshot, pod, status, &words),
        _ => words,
    };
    if let Some(pull) = Pull::of(reason, &words) {
        return Some(Diagnosis {
            cause: Cause::ImagePull,
            message: format!("`{object}` cannot pull the image `{}`", status.image),
            evidence: with_reason(reason, &words),
            next: vec![kubectl("describe", &object)],
            finality: pull.finality(image::tries(snapshot, pod, status)),
            container: Some(status.name.clone()),
            object,
        });
    }
    match reason {
        "CreateContainerConfigError" | "CreateContainerError" => Some(Diagnosis {
            cause: Cause::ContainerConfiguration,
            message: format!("`{object}` cannot create its container `{}`", status.name),
            evidence: with_reason(reason, &words),
            next: vec![kubectl("describe", &object)],
            finality: configuration_finality(&words),
            container: Some(status.name.clone()),
            object,
        }),
        _ => crash::diagnose(snapshot, pod, status),
    }
}

/// A missing Secret may be created soon; an image that runs as root will not change
/// (`pkg/kubelet/kuberuntime/security_context.go`).
fn configuration_finality(words: &str) -> Finality {
    if words.contains("runAsNonRoot") {
        Finality::Final
    } else {
        Finality::Lasting
    }
}

fn with_reason(reason: &str, words: &str) -> Vec<String> {
    vec![if words.is_empty() {
        reason.to_owned()
    } else {
        format!("{reason}: {words}")
    }]
}

/// Whether a broken pod keeps its controller from updating.
///
/// With ordered pods, the controller handles one unready pod and returns before it gets to updates
/// (`pkg/controller/statefulset/stateful_set_control.go`), so a pod that never becomes Ready at an
/// old revision is never updated.
fn blocks_another_revision(snapshot: &Snapshot, pod: &Pod) -> bool {
    let ordered = snapshot.stateful_set.spec.pod_management_policy.as_deref() != Some("Parallel");
    let update = snapshot
        .stateful_set
        .status
        .as_ref()
        .and_then(|status| status.update_revision.as_ref());
    let own = pod
        .metadata
        .labels
        .as_ref()
        .and_then(|labels| labels.get("controller-revision-hash"));
    ordered && !is_ready(pod) && update.is_some() && own.is_some() && own != update
}
