//! Deletes one very object: never its successor of the same name, and never twice blindly.

use std::time::Duration;

use http::Request;
use kube::core::params::{DeleteParams, Preconditions, PropagationPolicy};
use serde_json::Value;
use tokio::time::timeout;

use super::super::connect::Cluster;
use super::super::error::ClusterError;
use super::super::request::decode;
use super::super::request::sender::Effect;
use super::discovery::ResourceKind;
use super::objects::{invalid, requests};
use crate::object::is_built_in_group;

/// How long it may take to find out what became of a write.
const READ_BACK: Duration = Duration::from_secs(10);

/// What became of a deletion.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deletion {
    /// Accepted by the API server; the object goes by and by, and may be held.
    Accepted,
    /// Done: the API server says that this very object is gone.
    Gone,
    /// The object is not there any more, or is another one of the same name.
    AlreadyGone,
}

/// How long a pod that is deleted may take to stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Grace {
    /// As long as its specification says.
    OfThePod,
    /// Not at all: the object is gone at once, and its processes may outlive it.
    None,
}

impl Cluster {
    /// Deletes the object with this UID; its dependents first (foreground), where pods may be among
    /// them.
    ///
    /// When the answer is lost the object is read: only if it is still there, untouched and with
    /// the same UID, was the request not executed, and the error is returned.
    ///
    /// # Errors
    /// Any [`ClusterError`] of a request.
    pub async fn delete(
        &self,
        kind: &ResourceKind,
        namespace: Option<&str>,
        name: &str,
        uid: &str,
    ) -> Result<Deletion, ClusterError> {
        let parameters = DeleteParams {
            propagation_policy: Some(propagation(kind)),
            ..with_uid(uid)
        };
        self.delete_with(kind, namespace, name, uid, &parameters)
            .await
    }

    /// Deletes one version of the object with this UID; another version of it counts as gone.
    ///
    /// # Errors
    /// As [`Self::delete`].
    pub async fn delete_version(
        &self,
        kind: &ResourceKind,
        namespace: &str,
        name: &str,
        uid: &str,
        version: &str,
    ) -> Result<Deletion, ClusterError> {
        let parameters = with_version(uid, version);
        self.delete_with(kind, Some(namespace), name, uid, &parameters)
            .await
    }

    /// The same, for an object of which something else is deleted first, or is left without an owner
    /// (`orphans`): of pods, nothing but their owner is lost then.
    ///
    /// # Errors
    /// As [`Self::delete`].
    pub async fn delete_bound(
        &self,
        kind: &ResourceKind,
        namespace: Option<&str>,
        name: &str,
        uid: &str,
        version: &str,
        orphans: bool,
    ) -> Result<Deletion, ClusterError> {
        let parameters = DeleteParams {
            propagation_policy: Some(if orphans {
                PropagationPolicy::Orphan
            } else {
                propagation(kind)
            }),
            ..with_version(uid, version)
        };
        self.delete_with(kind, namespace, name, uid, &parameters)
            .await
    }

    /// Deletes one version of the pod with this UID; another version of it counts as gone. Whoever knows
    /// that this version was not on its way out knows that nobody else has deleted it.
    ///
    /// # Errors
    /// As [`Self::delete`].
    pub async fn delete_pod(
        &self,
        namespace: &str,
        name: &str,
        uid: &str,
        version: &str,
        grace: Grace,
    ) -> Result<Deletion, ClusterError> {
        let kind = ResourceKind::pod();
        let parameters = DeleteParams {
            grace_period_seconds: match grace {
                Grace::OfThePod => None,
                Grace::None => Some(0),
            },
            ..with_version(uid, version)
        };
        self.delete_with(&kind, Some(namespace), name, uid, &parameters)
            .await
    }

    async fn delete_with(
        &self,
        kind: &ResourceKind,
        namespace: Option<&str>,
        name: &str,
        uid: &str,
        parameters: &DeleteParams,
    ) -> Result<Deletion, ClusterError> {
        let request = requests(kind, namespace)
            .delete(name, parameters)
            .map_err(invalid)?;
        self.send_deletion(kind, namespace, name, uid, request)
            .await
    }

    /// Sends what lets the object with this UID go, and finds out what became of it.
    ///
    /// # Errors
    /// As [`Self::delete`].
    pub(crate) async fn send_deletion(
        &self,
        kind: &ResourceKind,
        namespace: Option<&str>,
        name: &str,
        uid: &str,
        request: Request<Vec<u8>>,
    ) -> Result<Deletion, ClusterError> {
        let answer = self.sender.bytes(request, Effect::Once).await;
        let answer = answer.and_then(|bytes| decode::accepted(&bytes, uid));
        let error = match answer {
            Ok(deletion) => return Ok(deletion),
            // With a precondition a conflict means: there is another object, or version, of this name.
            Err(ClusterError::Conflict { .. }) => return Ok(Deletion::AlreadyGone),
            Err(error) if error.says_absent(kind, name) => return Ok(Deletion::AlreadyGone),
            Err(error) => error,
        };
        if !error.outcome_is_unknown() {
            return Err(error);
        }
        if self.is_going(kind, namespace, name, uid).await {
            Ok(Deletion::Accepted)
        } else {
            Err(error)
        }
    }

    /// Whether the object with this UID is gone or about to go, after a write whose answer was lost.
    /// What cannot be found out soon is not so.
    async fn is_going(
        &self,
        kind: &ResourceKind,
        namespace: Option<&str>,
        name: &str,
        uid: &str,
    ) -> bool {
        let reading = self.get::<Value>(kind, namespace, name);
        match timeout(READ_BACK, reading).await {
            Ok(Ok(Some(object))) => {
                object["metadata"]["uid"] != uid
                    || !object["metadata"]["deletionTimestamp"].is_null()
            }
            Ok(Ok(None)) => true,
            Ok(Err(_)) | Err(_) => false,
        }
    }
}

fn with_version(uid: &str, version: &str) -> DeleteParams {
    DeleteParams {
        preconditions: Some(Preconditions {
            uid: Some(uid.to_owned()),
            resource_version: Some(version.to_owned()),
        }),
        ..DeleteParams::default()
    }
}

/// Whether an object waits for its dependents. What Kubernetes itself defines has no pods below it,
/// but for workloads: it would only wait for the garbage collector, whose requests are rationed.
fn propagation(kind: &ResourceKind) -> PropagationPolicy {
    let resource = &kind.resource;
    let may_have_pods = matches!(resource.group.as_str(), "apps" | "batch")
        || resource.kind == "ReplicationController"
        || !is_built_in_group(&resource.group);
    if may_have_pods {
        PropagationPolicy::Foreground
    } else {
        PropagationPolicy::Background
    }
}

fn with_uid(uid: &str) -> DeleteParams {
    DeleteParams {
        preconditions: Some(Preconditions {
            uid: Some(uid.to_owned()),
            resource_version: None,
        }),
        ..DeleteParams::default()
    }
}
