//! Deletes one very object: never its successor of the same name, and never twice blindly.

use kube::core::params::{DeleteParams, Preconditions, PropagationPolicy};
use serde_json::Value;

use super::connect::Cluster;
use super::discovery::ResourceKind;
use super::error::ClusterError;
use super::objects::{invalid, requests};
use super::sender::Effect;

/// What became of a deletion.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deletion {
    /// Accepted by the API server.
    Accepted,
    /// The object is not there any more, or is another one of the same name.
    AlreadyGone,
}

impl Cluster {
    /// Deletes the object with this UID, its dependents first (foreground).
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
            propagation_policy: Some(PropagationPolicy::Foreground),
            ..with_uid(uid)
        };
        self.delete_with(kind, namespace, name, uid, &parameters)
            .await
    }

    /// Deletes the pod with this UID, with its own grace period.
    ///
    /// # Errors
    /// As [`Self::delete`].
    pub async fn delete_pod(
        &self,
        namespace: &str,
        name: &str,
        uid: &str,
    ) -> Result<Deletion, ClusterError> {
        let kind = ResourceKind::pod();
        self.delete_with(&kind, Some(namespace), name, uid, &with_uid(uid))
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
        let error = match self.sender.bytes(request, Effect::Once).await {
            Ok(_) => return Ok(Deletion::Accepted),
            // With a UID precondition a conflict means: there is another object of this name.
            Err(ClusterError::NotFound { .. } | ClusterError::Conflict { .. }) => {
                return Ok(Deletion::AlreadyGone);
            }
            Err(error) => error,
        };
        if !error.is_transient() || error.was_not_sent() {
            return Err(error);
        }
        match self.get::<Value>(kind, namespace, name).await? {
            Some(object) if object["metadata"]["uid"] == uid => {
                if object["metadata"]["deletionTimestamp"].is_null() {
                    Err(error)
                } else {
                    Ok(Deletion::Accepted)
                }
            }
            _ => Ok(Deletion::Accepted),
        }
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
