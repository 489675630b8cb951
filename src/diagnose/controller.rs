//! Whether the StatefulSet controller does its work.

use super::{Cause, Diagnosis, Evidence, kubectl, set_reference};
use crate::status::Snapshot;

/// The controller writes the generation that it has seen into the status first
/// (`pkg/controller/statefulset/stateful_set_control.go`).
pub(super) fn diagnose(snapshot: &Snapshot) -> Option<Diagnosis> {
    let set = &snapshot.stateful_set;
    let status = set.status.as_ref();
    let wanted = set.metadata.generation.unwrap_or(0);
    let seen = status
        .and_then(|status| status.observed_generation)
        .unwrap_or(0);
    if seen >= wanted {
        return None;
    }
    let object = set_reference(snapshot);
    let words = format!("generation {wanted}; the controller has seen {seen}");
    let evidence = Evidence::field(&object, ".status.observedGeneration", words);
    let message = format!(
        "the StatefulSet controller has not seen `{object}` as it is now; it may not be running"
    );
    let next = [
        kubectl("describe", &object),
        "kubectl get leases -n kube-system".to_owned(),
    ];
    Some(
        Diagnosis::new(Cause::ControllerNotRunning, object, message)
            .because([evidence])
            .then(next),
    )
}
