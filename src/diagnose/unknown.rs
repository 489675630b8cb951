//! What is seen of a replica that no rule explains.

use k8s_openapi::api::core::v1::{Event, Pod};

use super::{
    Cause, Diagnosis, Evidence, all_containers, condition, events, kubectl, last_seen, pod_name,
    pod_named, pod_reference, probe, set_reference,
};
use crate::status::{Snapshot, expected_ordinals, is_ready};

/// At most this many events are shown.
const EVENTS: usize = 3;

/// The first replica that is not Ready. Nothing is said before its surroundings have been read.
pub(super) fn diagnose(snapshot: &Snapshot) -> Option<Diagnosis> {
    snapshot.claims.as_ref()?;
    expected_ordinals(&snapshot.stateful_set).find_map(|ordinal| {
        let name = pod_name(snapshot, ordinal);
        match pod_named(snapshot, &name) {
            Some(pod) if is_ready(pod) || pod.metadata.deletion_timestamp.is_some() => None,
            Some(pod) => Some(of_pod(snapshot, pod)),
            None => Some(missing(snapshot, &name)),
        }
    })
}

fn of_pod(snapshot: &Snapshot, pod: &Pod) -> Diagnosis {
    let object = pod_reference(pod);
    let message = format!("`{object}` is not Ready, and nothing that can be seen says why");
    let conditions = [
        "PodScheduled",
        "PodReadyToStartContainers",
        "Initialized",
        "Ready",
    ]
    .into_iter()
    .filter_map(|kind| condition(pod, kind))
    .filter(|condition| condition.status != "True")
    .filter_map(|condition| Evidence::condition(pod, condition));
    let mut next = vec![kubectl("describe", &object)];
    if let [only] = all_containers(pod).collect::<Vec<_>>().as_slice() {
        next.push(format!("{} -c {}", kubectl("logs", &object), only.name));
    }
    Diagnosis::new(Cause::Unknown, object, message)
        .because(conditions.take(1))
        .because(newest(snapshot, pod.metadata.uid.as_deref()))
        .because(probe::no_service(snapshot))
        .then(next)
}

fn missing(snapshot: &Snapshot, name: &str) -> Diagnosis {
    let object = set_reference(snapshot);
    let uid = snapshot.stateful_set.metadata.uid.as_deref();
    let message = format!("`{object}` has no pod `{name}`, and nothing that can be seen says why");
    let next = kubectl("describe", &object);
    Diagnosis::new(Cause::Unknown, object, message)
        .because(newest(snapshot, uid))
        .then([next])
}

/// The newest events of an object, the newest last.
fn newest(snapshot: &Snapshot, uid: Option<&str>) -> Vec<Evidence> {
    let mut reasons: Vec<&str> = snapshot
        .events
        .iter()
        .filter_map(|event| event.reason.as_deref())
        .collect();
    reasons.sort_unstable();
    reasons.dedup();
    let mut found: Vec<&Event> = events(snapshot, uid, &reasons).collect();
    found.sort_by_key(|event| last_seen(event));
    let skipped = found.len().saturating_sub(EVENTS);
    found
        .into_iter()
        .skip(skipped)
        .filter_map(Evidence::event)
        .collect()
}
