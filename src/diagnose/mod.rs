//! Why a workload does not become ready: from a snapshot of its surroundings to one cause, its
//! evidence and the next command.
//!
//! Pure. `docs/diagnoses.md` lists every cause; a test compares the two.

mod cause;
mod configuration;
mod controller;
mod crash;
mod evidence;
pub(crate) mod exit;
mod image;
mod kept;
mod node;
mod offers;
mod placement;
mod probe;
mod refusal;
mod rules;
mod starting;
mod storage;
mod terminating;
mod unknown;
mod volume;

pub use self::cause::Cause;
pub(crate) use self::crash::liveness_failed_at;
pub use self::evidence::{Evidence, Source};

use jiff::Timestamp;
use k8s_openapi::api::core::v1::{Container, Event, Pod, PodCondition};
use serde::{Deserialize, Serialize};

use crate::object::ObjectRef;
use crate::status::{Snapshot, expected_ordinals};

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
    /// What it was read from.
    pub evidence: Vec<Evidence>,
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
    /// Others may resolve it at any time; if nobody has by the deadline, the workload is unhealthy because of it.
    AtDeadline,
    /// Unknown: it may only be slow.
    Open,
}

/// How long a cause that often resolves itself may last: long enough for a controller to create the
/// missing Secret, or for a registry to recover.
pub const LASTING: std::time::Duration = std::time::Duration::from_secs(15);

impl Diagnosis {
    /// A diagnosis of an object that may only be slow, so far without evidence.
    fn new(cause: Cause, object: ObjectRef, message: String) -> Self {
        Self {
            cause,
            object,
            container: None,
            message,
            evidence: Vec::new(),
            next: Vec::new(),
            finality: Finality::Open,
        }
    }

    fn because(mut self, evidence: impl IntoIterator<Item = Evidence>) -> Self {
        self.evidence.extend(evidence);
        self
    }

    fn then(mut self, commands: impl IntoIterator<Item = String>) -> Self {
        self.next.extend(commands);
        self
    }

    fn is(mut self, finality: Finality) -> Self {
        self.finality = finality;
        self
    }

    fn within(mut self, container: &str) -> Self {
        self.container = Some(container.to_owned());
        self
    }

    /// Whether the cause proves that the workload is unhealthy, once it has stood for [`LASTING`] and the deadline
    /// has passed. The one rule for that: otherwise the answer is undecided.
    #[must_use]
    pub fn decides_at_deadline(&self, stood: std::time::Duration) -> bool {
        self.finality != Finality::Open && stood >= LASTING
    }
}

/// Why a workload is not ready, if the snapshot shows one cause.
///
/// Of several pods, one without hope comes first, then one that shows more than a slow start, then the lowest
/// ordinal: with ordered pods it blocks all others.
#[must_use]
pub fn workload(snapshot: &Snapshot) -> Option<Diagnosis> {
    if snapshot.stateful_set.metadata.deletion_timestamp.is_some() {
        return None;
    }
    let of_workload = rules::of_workload(snapshot);
    // What the pods show is about the StatefulSet as it was.
    if let Some(unseen) = &of_workload
        && unseen.cause == Cause::ControllerNotRunning
    {
        return of_workload;
    }
    let mut found: Vec<Diagnosis> = pods(snapshot)
        .into_iter()
        .filter_map(|pod| rules::of_pod(snapshot, pod))
        .chain(of_workload)
        .collect();
    found.sort_by_key(|diagnosis| (diagnosis.finality, diagnosis.cause.is_usual()));
    found.into_iter().next()
}

/// Why the containers of a pod do not become ready, whatever else keeps it from that.
#[must_use]
pub fn of_its_containers(snapshot: &Snapshot, pod: &Pod) -> Option<Diagnosis> {
    rules::of_its_containers(snapshot, pod)
}

/// The pods that should be there, by ordinal, then those that go.
fn pods(snapshot: &Snapshot) -> Vec<&Pod> {
    let expected = expected_ordinals(&snapshot.stateful_set)
        .filter_map(|ordinal| pod_named(snapshot, &pod_name(snapshot, ordinal)));
    let mut pods: Vec<&Pod> = expected.collect();
    let surplus = snapshot.pods.iter().filter(|pod| {
        let is_known = pods
            .iter()
            .any(|known| known.metadata.name == pod.metadata.name);
        !is_known && pod.metadata.deletion_timestamp.is_some()
    });
    let surplus: Vec<&Pod> = surplus.collect();
    pods.extend(surplus);
    pods
}

/// The name of the pod with an ordinal.
fn pod_name(snapshot: &Snapshot, ordinal: i32) -> String {
    let name = snapshot.stateful_set.metadata.name.as_deref();
    format!("{}-{ordinal}", name.unwrap_or_default())
}

fn pod_named<'snapshot>(snapshot: &'snapshot Snapshot, name: &str) -> Option<&'snapshot Pod> {
    let mut pods = snapshot.pods.iter();
    pods.find(|pod| pod.metadata.name.as_deref() == Some(name))
}

fn pod_reference(pod: &Pod) -> ObjectRef {
    let name = pod.metadata.name.as_deref().unwrap_or_default();
    ObjectRef::new("", "Pod", pod.metadata.namespace.as_deref(), name)
}

fn set_reference(snapshot: &Snapshot) -> ObjectRef {
    let metadata = &snapshot.stateful_set.metadata;
    let name = metadata.name.as_deref().unwrap_or_default();
    ObjectRef::new("apps", "StatefulSet", metadata.namespace.as_deref(), name)
}

/// A kubectl command on an object, with its namespace.
fn kubectl(verb: &str, object: &ObjectRef) -> String {
    format!("kubectl {verb} {object}{}", on(object.namespace.as_deref()))
}

/// The flag for a namespace, after a space.
fn on(namespace: Option<&str>) -> String {
    namespace
        .map(|name| format!(" -n {name}"))
        .unwrap_or_default()
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

/// A condition of a pod.
fn condition<'pod>(pod: &'pod Pod, kind: &str) -> Option<&'pod PodCondition> {
    let conditions = pod.status.as_ref()?.conditions.as_ref()?;
    conditions.iter().find(|condition| condition.type_ == kind)
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

/// The newest event of an object with one of these reasons.
fn newest_event(snapshot: &Snapshot, uid: Option<&str>, reasons: &[&str]) -> Option<Evidence> {
    Evidence::event(events(snapshot, uid, reasons).next_back()?)
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
