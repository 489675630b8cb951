//! What is known around a StatefulSet at one moment.

use jiff::Timestamp;
use k8s_openapi::api::apps::v1::StatefulSet;
use k8s_openapi::api::core::v1::{Event, Node, PersistentVolumeClaim, Pod};

use super::ownership::is_owned_by;

/// Everything around a StatefulSet that its state can be read from.
#[derive(Debug, Clone, Default)]
pub struct Snapshot {
    /// The StatefulSet.
    pub stateful_set: StatefulSet,
    /// The pods that match its selector, owned by it or not.
    pub pods: Vec<Pod>,
    /// The claims that its pods mount, as far as they exist; `None` before anybody has looked.
    pub claims: Option<Vec<PersistentVolumeClaim>>,
    /// The events of the set, its pods and its claims.
    pub events: Vec<Event>,
    /// The nodes; `None` before anybody has looked, or without permission.
    pub nodes: Option<Vec<Node>>,
    /// Since when the set is looked at, by the cluster's time: an event from before may be over.
    pub since: Option<Timestamp>,
}

/// The ordinals that a StatefulSet should have, from its spec alone.
#[must_use]
pub fn expected_ordinals(stateful_set: &StatefulSet) -> std::ops::Range<i32> {
    let spec = &stateful_set.spec;
    let count = spec.replicas.unwrap_or(1);
    let start = spec
        .ordinals
        .as_ref()
        .and_then(|ordinals| ordinals.start)
        .unwrap_or(0);
    start..start.saturating_add(count)
}

/// The set's own pod with this ordinal.
#[must_use]
pub fn pod_of(snapshot: &Snapshot, ordinal: i32) -> Option<&Pod> {
    let stateful_set = &snapshot.stateful_set;
    let name = stateful_set.metadata.name.as_deref().unwrap_or_default();
    let wanted = format!("{name}-{ordinal}");
    snapshot
        .pods
        .iter()
        .find(|pod| pod.metadata.name.as_deref() == Some(&wanted) && is_owned_by(pod, stateful_set))
}
