//! A StatefulSet and its surroundings at one moment.

use jiff::Timestamp;
use k8s_openapi::api::apps::v1::StatefulSet;
use k8s_openapi::api::core::v1::{Event, Node, PersistentVolume, PersistentVolumeClaim, Pod};
use k8s_openapi::api::storage::v1::{StorageClass, VolumeAttachment};

use super::ownership::is_owned_by;

/// Everything from which the state of a StatefulSet is computed.
#[derive(Debug, Clone, Default)]
pub struct Snapshot {
    /// The StatefulSet.
    pub stateful_set: StatefulSet,
    /// The pods that match its selector, whether it owns them or not.
    pub pods: Vec<Pod>,
    /// The claims that its pods mount, if they exist; `None` before the first read.
    pub claims: Option<Vec<PersistentVolumeClaim>>,
    /// The events of the StatefulSet, its pods and its claims.
    pub events: Vec<Event>,
    /// All nodes; `None` while no pod lacks one, or without permission.
    pub nodes: Option<Vec<Node>>,
    /// The nodes of its pods that are not Ready, as far as they may be read.
    pub hosts: Vec<Node>,
    /// All storage classes; `None` while every claim has a volume, or without permission.
    pub classes: Option<Vec<StorageClass>>,
    /// The volumes of the claims, as far as they may be read.
    pub volumes: Vec<PersistentVolume>,
    /// Which nodes have which volumes, if a volume could not be attached.
    pub attachments: Vec<VolumeAttachment>,
    /// Whether the Service of its pods' DNS names exists; `None` if that was not read.
    pub has_service: Option<bool>,
    /// When the command started to look, by the cluster's time: earlier events may no longer hold.
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

/// The StatefulSet's own pod with this ordinal.
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
