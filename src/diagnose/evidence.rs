//! Evidence: what was seen, where, and when.

use std::fmt;

use jiff::Timestamp;
use k8s_openapi::api::core::v1::{Event, ObjectReference, Pod, PodCondition};
use serde::{Deserialize, Serialize};

use super::{last_seen, pod_reference};
use crate::object::ObjectRef;

/// One thing that was seen. Displays as its words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evidence {
    /// The object that says it.
    pub object: ObjectRef,
    /// Where in or of the object.
    pub source: Source,
    /// When it last happened, by the cluster's time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time: Option<Timestamp>,
    /// The cluster's own words, or a value in words.
    pub words: String,
}

/// Where evidence was read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// A field, by its path.
    Field(String),
    /// A condition of the status, by its type.
    Condition(String),
    /// An event, by its reason.
    Event(String),
    /// The log of a container, by its name.
    Log(String),
}

impl Evidence {
    /// A field of an object.
    pub(crate) fn field(object: &ObjectRef, path: &str, words: impl Into<String>) -> Self {
        Self {
            object: object.clone(),
            source: Source::Field(path.to_owned()),
            time: None,
            words: words.into(),
        }
    }

    /// A line of a container's log.
    pub(crate) fn log(object: &ObjectRef, container: &str, words: String) -> Self {
        Self {
            object: object.clone(),
            source: Source::Log(container.to_owned()),
            time: None,
            words,
        }
    }

    /// A condition of a pod, unless it says nothing.
    pub(super) fn condition(pod: &Pod, condition: &PodCondition) -> Option<Self> {
        let words = condition.message.clone().or(condition.reason.clone())?;
        Some(Self {
            object: pod_reference(pod),
            source: Source::Condition(condition.type_.clone()),
            time: condition.last_transition_time.as_ref().map(|time| time.0),
            words,
        })
    }

    /// An event, unless it says nothing.
    pub(super) fn event(event: &Event) -> Option<Self> {
        Some(Self {
            object: object(&event.involved_object),
            source: Source::Event(event.reason.clone().unwrap_or_default()),
            time: last_seen(event),
            words: event.message.clone()?,
        })
    }

    /// The same, when it last happened.
    pub(super) fn at(mut self, time: Option<Timestamp>) -> Self {
        self.time = time;
        self
    }
}

impl fmt::Display for Evidence {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.words)
    }
}

fn object(reference: &ObjectReference) -> ObjectRef {
    let version = reference.api_version.as_deref().unwrap_or_default();
    ObjectRef::new(
        version.split_once('/').map_or("", |(group, _)| group),
        reference.kind.as_deref().unwrap_or_default(),
        reference.namespace.as_deref(),
        reference.name.as_deref().unwrap_or_default(),
    )
}
