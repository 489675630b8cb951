//! Why a workload does not become ready: from a snapshot of its surroundings to one cause, its
//! evidence and the next command.
//!
//! Pure. `docs/diagnoses.md` lists every cause; a test compares the two.

mod claim;
mod container;
mod crash;
pub(crate) mod exit;
mod image;
mod placement;
mod probe;
mod refusal;

pub(crate) use self::crash::liveness_failed_at;

use jiff::Timestamp;
use k8s_openapi::api::core::v1::{Container, Event, Pod};
use serde::{Deserialize, Serialize};

use crate::object::ObjectRef;
use crate::status::{Snapshot, expected_ordinals};

/// The kind of problem.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// An image cannot be pulled.
    ImagePull,
    /// A container cannot be created from its configuration.
    ContainerConfiguration,
    /// A container keeps ending.
    CrashLoop,
    /// A container keeps ending with exit code 0.
    Completed,
    /// The kubelet keeps killing a container because its liveness or startup probe fails.
    LivenessProbe,
    /// A broken pod of an old revision blocks the update.
    StuckRevision,
    /// No node takes the pod.
    Unschedulable,
    /// A scheduling gate holds the pod back.
    SchedulingGate,
    /// A volume cannot be attached or mounted.
    Volume,
    /// A claim is missing or has no volume.
    Claim,
    /// A container runs, but its readiness or startup probe fails.
    Probe,
    /// The containers are ready, but a readiness gate is not.
    ReadinessGate,
    /// The pod would exceed a quota.
    Quota,
    /// The namespace's Pod Security Standard forbids the pod.
    PodSecurity,
    /// A `LimitRange` forbids the pod's resources.
    LimitRange,
    /// The pod refers to something that does not exist, so it cannot be created.
    MissingReference,
    /// The pod would be invalid, for example because its name is too long for its labels.
    InvalidPod,
    /// The controller cannot create the pod for another reason.
    PodRefused,
}

impl Cause {
    /// Every cause, in the order of the documented table.
    pub const ALL: [Self; 18] = [
        Self::ImagePull,
        Self::ContainerConfiguration,
        Self::CrashLoop,
        Self::Completed,
        Self::LivenessProbe,
        Self::StuckRevision,
        Self::Unschedulable,
        Self::SchedulingGate,
        Self::Volume,
        Self::Claim,
        Self::Probe,
        Self::ReadinessGate,
        Self::Quota,
        Self::PodSecurity,
        Self::LimitRange,
        Self::MissingReference,
        Self::InvalidPod,
        Self::PodRefused,
    ];

    /// The name used in documents and in JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::ImagePull => "image_pull",
            Self::ContainerConfiguration => "container_configuration",
            Self::CrashLoop => "crash_loop",
            Self::Completed => "completed",
            Self::LivenessProbe => "liveness_probe",
            Self::StuckRevision => "stuck_revision",
            Self::Unschedulable => "unschedulable",
            Self::SchedulingGate => "scheduling_gate",
            Self::Volume => "volume",
            Self::Claim => "claim",
            Self::Probe => "probe",
            Self::ReadinessGate => "readiness_gate",
            Self::Quota => "quota",
            Self::PodSecurity => "pod_security",
            Self::LimitRange => "limit_range",
            Self::MissingReference => "missing_reference",
            Self::InvalidPod => "invalid_pod",
            Self::PodRefused => "pod_refused",
        }
    }
}

/// One cause, its evidence and the next command.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Diagnosis {
    /// The kind of problem.
    pub cause: Cause,
    /// The affected object.
    pub object: ObjectRef,
    /// The affected container.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub container: Option<String>,
    /// The problem, as a sentence.
    pub message: String,
    /// The evidence: the cluster's own words, log lines.
    pub evidence: Vec<String>,
    /// The next command.
    pub next: Vec<String>,
    /// Whether waiting longer is pointless.
    pub finality: Finality,
}

/// Whether waiting longer cannot help.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Finality {
    /// Waiting cannot help.
    Final,
    /// Waiting cannot help once the cause has lasted for [`LASTING`]: it often resolves itself.
    Lasting,
    /// Unknown.
    Open,
}

/// How long a cause that often resolves itself may last: long enough for a controller to create the
/// missing Secret, or for a registry to recover.
pub const LASTING: std::time::Duration = std::time::Duration::from_secs(15);

/// Why a workload is not ready, if the snapshot shows one cause.
///
/// Final causes come first, then the lowest ordinal: with ordered pods it blocks all others.
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
        .filter_map(|pod| of_pod(snapshot, pod))
        .collect();
    found.sort_by_key(|diagnosis| diagnosis.finality);
    found
        .into_iter()
        .next()
        .or_else(|| refusal::diagnose(snapshot))
}

/// Why a pod is not Ready, if the snapshot shows one cause.
#[must_use]
pub fn of_pod(snapshot: &Snapshot, pod: &Pod) -> Option<Diagnosis> {
    container::diagnose(snapshot, pod)
        .or_else(|| claim::diagnose(snapshot, pod))
        .or_else(|| placement::diagnose(snapshot, pod))
        .or_else(|| probe::diagnose(snapshot, pod))
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

/// The containers of a pod, init containers first.
fn all_containers(pod: &Pod) -> impl Iterator<Item = &Container> {
    let spec = pod.spec.as_ref();
    let init = spec.and_then(|spec| spec.init_containers.as_deref());
    let main = spec.map(|spec| spec.containers.as_slice());
    init.unwrap_or_default()
        .iter()
        .chain(main.unwrap_or_default())
}

/// The events of an object with one of these reasons, the newest last.
fn events<'snapshot>(
    snapshot: &'snapshot Snapshot,
    uid: Option<&str>,
    reasons: &[&str],
) -> std::vec::IntoIter<&'snapshot Event> {
    let mut events: Vec<&Event> = snapshot
        .events
        .iter()
        .filter(|event| event.involved_object.uid.as_deref() == uid && uid.is_some())
        .filter(|event| {
            let reason = event.reason.as_deref();
            reason.is_some_and(|reason| reasons.contains(&reason))
        })
        .collect();
    events.sort_by_key(|event| last_seen(event));
    events.into_iter()
}

/// The newest event of an object with one of these reasons, in the cluster's words.
fn newest_event(snapshot: &Snapshot, uid: Option<&str>, reasons: &[&str]) -> Option<String> {
    let newest = events(snapshot, uid, reasons).next_back()?;
    newest.message.clone()
}

/// When an event last happened: components with the older event API write one field, those with the
/// newer one other fields (`events.k8s.io`).
fn last_seen(event: &Event) -> Option<Timestamp> {
    let series = event.series.as_ref();
    let newer = series
        .and_then(|series| series.last_observed_time.as_ref())
        .or(event.event_time.as_ref())
        .map(|time| time.0);
    let older = event.last_timestamp.as_ref().map(|time| time.0);
    older.max(newer)
}

#[cfg(test)]
mod tests;
