//! Causes in a pod's claims.

use k8s_openapi::api::core::v1::Pod;

use super::{Cause, Diagnosis, Finality, kubectl, newest_event, pod_reference};
use crate::object::ObjectRef;
use crate::status::Snapshot;

pub(super) fn diagnose(snapshot: &Snapshot, pod: &Pod) -> Option<Diagnosis> {
    let spec = pod.spec.as_ref()?;
    if spec.node_name.is_some() {
        return None;
    }
    let claims = snapshot.claims.as_ref()?;
    let namespace = pod.metadata.namespace.as_deref();
    spec.volumes.iter().flatten().find_map(|volume| {
        let name = &volume.persistent_volume_claim.as_ref()?.claim_name;
        let object = ObjectRef::new("", "PersistentVolumeClaim", namespace, name);
        let claim = claims
            .iter()
            .find(|claim| claim.metadata.name.as_deref() == Some(name.as_str()));
        let waits = pod_reference(pod);
        let Some(claim) = claim else {
            return Some(Diagnosis {
                cause: Cause::Claim,
                message: format!("`{waits}` waits for `{object}`, which does not exist"),
                evidence: Vec::new(),
                next: vec![format!(
                    "kubectl get persistentvolumeclaims{}",
                    namespace
                        .map(|name| format!(" -n {name}"))
                        .unwrap_or_default()
                )],
                // It may be created soon.
                finality: Finality::Lasting,
                container: None,
                object,
            });
        };
        let phase = claim
            .status
            .as_ref()
            .and_then(|status| status.phase.as_deref());
        if phase == Some("Bound") {
            return None;
        }
        let class = claim
            .spec
            .as_ref()
            .and_then(|spec| spec.storage_class_name.as_deref());
        let words = newest_event(
            snapshot,
            claim.metadata.uid.as_deref(),
            &[
                "ProvisioningFailed",
                "FailedBinding",
                "WaitForFirstConsumer",
                "ExternalProvisioning",
            ],
        );
        let is_classless = words
            .as_ref()
            .is_some_and(|words| words.contains("storageclass") && words.contains("not found"));
        Some(Diagnosis {
            cause: Cause::Claim,
            message: format!(
                "`{waits}` waits for `{object}`, which has no volume (storage class {})",
                class.map_or_else(|| "not set".to_owned(), |class| format!("`{class}`")),
            ),
            evidence: words.into_iter().collect(),
            next: vec![
                kubectl("describe", &object),
                "kubectl get storageclass".to_owned(),
            ],
            finality: if is_classless {
                Finality::Lasting
            } else {
                Finality::Open
            },
            container: None,
            object,
        })
    })
}
