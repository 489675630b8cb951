//! Why a workload does not become ready: from a snapshot of everything around it to the one cause,
//! its evidence and the next command.
//!
//! Pure. Every cause is listed in `docs/diagnoses.md`; a test holds the two together.

mod claim;
mod container;
mod placement;

use k8s_openapi::api::core::v1::Pod;
use serde::{Deserialize, Serialize};

use crate::object::ObjectRef;
use crate::status::{Snapshot, expected_ordinals};

/// What kind of thing is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// An image cannot be pulled.
    ImagePull,
    /// A container cannot be created from its configuration.
    ContainerConfiguration,
    /// A container keeps ending.
    CrashLoop,
    /// A broken pod of an old revision blocks the new one.
    StuckRevision,
    /// No node takes the pod.
    Unschedulable,
    /// A volume cannot be attached or mounted.
    Volume,
    /// A claim is missing or has no volume.
    Claim,
    /// A container runs, but its readiness or startup probe fails.
    Probe,
    /// The controller cannot create the pod.
    PodRefused,
}

impl Cause {
    /// Every cause, in the order of the documented table.
    pub const ALL: [Self; 9] = [
        Self::ImagePull,
        Self::ContainerConfiguration,
        Self::CrashLoop,
        Self::StuckRevision,
        Self::Unschedulable,
        Self::Volume,
        Self::Claim,
        Self::Probe,
        Self::PodRefused,
    ];

    /// The name used in documents and in JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::ImagePull => "image_pull",
            Self::ContainerConfiguration => "container_configuration",
            Self::CrashLoop => "crash_loop",
            Self::StuckRevision => "stuck_revision",
            Self::Unschedulable => "unschedulable",
            Self::Volume => "volume",
            Self::Claim => "claim",
            Self::Probe => "probe",
            Self::PodRefused => "pod_refused",
        }
    }
}

/// The one cause, its evidence and what to do next.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Diagnosis {
    /// What kind of thing is wrong.
    pub cause: Cause,
    /// The object that shows it.
    pub object: ObjectRef,
    /// The container that shows it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub container: Option<String>,
    /// What is wrong, as a sentence.
    pub message: String,
    /// What it was read from: the cluster's own words, log lines.
    pub evidence: Vec<String>,
    /// What to run next.
    pub next: Vec<String>,
    /// Whether waiting longer is pointless.
    pub finality: Finality,
}

/// Whether waiting longer is pointless.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Finality {
    /// It is.
    Final,
    /// It is once the cause has lasted for [`LASTING`]: it often mends itself.
    Lasting,
    /// Nobody can tell.
    Open,
}

/// How long a cause that often mends itself may last: long enough for a controller that makes the
/// missing Secret, or for a registry's hiccup.
pub const LASTING: std::time::Duration = std::time::Duration::from_secs(15);

/// The cause why a workload is not ready, if one can be told from the snapshot.
///
/// Final causes come first, then the lowest ordinal: with ordered pods it holds up all others.
#[must_use]
pub fn workload(snapshot: &Snapshot) -> Option<Diagnosis> {
    let metadata = &snapshot.stateful_set.metadata;
    let observed = snapshot
        .stateful_set
        .status
        .as_ref()
        .and_then(|status| status.observed_generation);
    if metadata.deletion_timestamp.is_some()
        || observed.unwrap_or(0) < metadata.generation.unwrap_or(0)
    {
        return None;
    }
    let mut found: Vec<Diagnosis> = expected_pods(snapshot)
        .into_iter()
        .filter_map(|pod| {
            container::diagnose(snapshot, pod)
                .or_else(|| claim::diagnose(snapshot, pod))
                .or_else(|| placement::diagnose(snapshot, pod))
                .or_else(|| container::probe(snapshot, pod))
        })
        .collect();
    found.sort_by_key(|diagnosis| diagnosis.finality);
    found
        .into_iter()
        .next()
        .or_else(|| placement::refused_pod(snapshot))
}

fn expected_pods(snapshot: &Snapshot) -> Vec<&Pod> {
    let name = snapshot
        .stateful_set
        .metadata
        .name
        .as_deref()
        .unwrap_or_default();
    expected_ordinals(&snapshot.stateful_set)
        .filter_map(|ordinal| {
            let wanted = format!("{name}-{ordinal}");
            snapshot
                .pods
                .iter()
                .find(|pod| pod.metadata.name.as_deref() == Some(&wanted))
        })
        .filter(|pod| pod.metadata.deletion_timestamp.is_none())
        .collect()
}

fn pod_reference(pod: &Pod) -> ObjectRef {
    let name = pod.metadata.name.as_deref().unwrap_or_default();
    ObjectRef::new("", "Pod", pod.metadata.namespace.as_deref(), name)
}

/// A kubectl command on an object, with its namespace.
fn kubectl(verb: &str, object: &ObjectRef) -> String {
    let namespace = object
        .namespace
        .as_ref()
        .map(|name| format!(" -n {name}"))
        .unwrap_or_default();
    format!("kubectl {verb} {object}{namespace}")
}

/// The newest event of an object with one of these reasons, in the cluster's words.
fn newest_event(snapshot: &Snapshot, uid: Option<&str>, reasons: &[&str]) -> Option<String> {
    snapshot
        .events
        .iter()
        .filter(|event| event.involved_object.uid.as_deref() == uid && uid.is_some())
        .filter(|event| {
            event
                .reason
                .as_deref()
                .is_some_and(|reason| reasons.contains(&reason))
        })
        .max_by_key(|event| event.last_timestamp.as_ref().map(|time| time.0))
        .and_then(|event| event.message.clone())
}

#[cfg(test)]
mod tests;
