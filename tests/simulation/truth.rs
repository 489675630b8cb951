//! The truth about a run, from the model's store and its pods; never from what cryptoctl saw.

use std::collections::BTreeMap;
use std::sync::Arc;

use apiserver_model::ChangeKind;
use apiserver_model::object::{number, text};
use serde_json::Value;
use sha2::{Digest, Sha256};
use tokio::time::Instant;

use crate::run::Run;
use crate::set::NAME;

/// The workload at one moment.
#[derive(Debug, Default)]
pub(crate) struct Moment {
    pub(crate) set: Option<Arc<Value>>,
    /// All pods of the namespace.
    pub(crate) pods: BTreeMap<String, Arc<Value>>,
}

/// A time span.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Span {
    pub(crate) from: Instant,
    pub(crate) to: Instant,
}

/// Whether something held at some moment of a span.
pub(crate) fn ever(run: &Run, span: Span, mut holds: impl FnMut(&Moment) -> bool) -> bool {
    let mut moment = Moment::default();
    for change in &run.history {
        if change.at > span.to {
            break;
        }
        let key = &change.key;
        if key.namespace != run.scenario.shape.namespace {
            continue;
        }
        let is_set = key.resource == "statefulsets" && key.name == NAME;
        if !is_set && key.resource != "pods" {
            continue;
        }
        if change.at >= span.from && holds(&moment) {
            return true;
        }
        let object = (change.kind != ChangeKind::Deleted).then(|| Arc::clone(&change.object));
        if is_set {
            moment.set = object;
        } else if let Some(object) = object {
            moment.pods.insert(key.name.clone(), object);
        } else {
            moment.pods.remove(&key.name);
        }
    }
    holds(&moment)
}

impl Moment {
    /// The pod with this ordinal.
    pub(crate) fn pod(&self, ordinal: i64) -> Option<&Value> {
        self.pods
            .get(&format!("{NAME}-{ordinal}"))
            .map(AsRef::as_ref)
    }

    /// Whether a pod belongs to the set.
    pub(crate) fn owns(&self, pod: &Value) -> bool {
        let uid = self
            .set
            .as_ref()
            .map_or("", |set| text(set, "/metadata/uid"));
        let owners = pod["metadata"]["ownerReferences"].as_array();
        owners
            .into_iter()
            .flatten()
            .any(|owner| owner["controller"] == true && owner["uid"] == uid)
    }

    /// The ordinals that should exist.
    pub(crate) fn ordinals(&self) -> std::ops::Range<i64> {
        let replicas = self
            .set
            .as_ref()
            .and_then(|set| number(set, "/spec/replicas"));
        0..replicas.unwrap_or(0)
    }

    /// Whether the rollout is complete: the controller has seen the newest spec, every pod that should exist is there,
    /// belongs to the set, has its newest revision, is Ready and stays; and no other pod of the set exists.
    pub(crate) fn is_complete(&self) -> bool {
        let Some(set) = &self.set else { return false };
        let observed = number(set, "/status/observedGeneration");
        let owned = self.pods.values().filter(|pod| self.owns(pod)).count();
        let ordinals = self.ordinals();
        observed == number(set, "/metadata/generation")
            && !is_terminating(set)
            && i64::try_from(owned) == Ok(ordinals.end)
            && ordinals.into_iter().all(|ordinal| {
                self.pod(ordinal).is_some_and(|pod| {
                    self.owns(pod)
                        && is_ready(pod)
                        && text(pod, "/metadata/labels/controller-revision-hash")
                            == text(set, "/status/updateRevision")
                })
            })
    }
}

/// Whether an object is being deleted.
pub(crate) fn is_terminating(object: &Value) -> bool {
    !object["metadata"]["deletionTimestamp"].is_null()
}

/// Whether a pod is Ready and not terminating.
pub(crate) fn is_ready(pod: &Value) -> bool {
    !is_terminating(pod) && has_condition(pod, "Ready", "True")
}

/// Whether a pod has a condition with this status.
pub(crate) fn has_condition(pod: &Value, kind: &str, status: &str) -> bool {
    let conditions = pod["status"]["conditions"].as_array();
    conditions
        .into_iter()
        .flatten()
        .any(|condition| condition["type"] == kind && condition["status"] == status)
}

/// The state of a pod's container.
pub(crate) fn container_state(pod: &Value) -> &Value {
    &pod["status"]["containerStatuses"][0]["state"]
}

/// The hash that a verification shows for a body.
pub(crate) fn sha256(body: &[u8]) -> String {
    use std::fmt::Write;
    let digest = Sha256::digest(body);
    digest.iter().fold(String::new(), |mut text, byte| {
        _ = write!(text, "{byte:02x}");
        text
    })
}
