//! Asks for one very pod to go, as far as disruption budgets allow it.

use serde_json::json;

use super::super::connect::Cluster;
use super::super::error::ClusterError;
use super::deletion::Deletion;
use super::discovery::ResourceKind;
use super::objects::{invalid, requests};

/// What became of an eviction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Eviction {
    /// Accepted by the API server: the pod terminates.
    Accepted,
    /// A disruption budget forbids it for now; the API server's own sentence says which.
    Forbidden(String),
    /// The pod is not there any more, or is another one of the same name.
    AlreadyGone,
}

impl Cluster {
    /// Evicts one version of the pod with this UID; another one counts as gone. A budget's refusal is an answer, and is not asked again.
    ///
    /// When the answer is lost the pod is read, as for a deletion: only if it is still there,
    /// untouched and with the same UID, is the error returned.
    ///
    /// # Errors
    /// Any [`ClusterError`] of a request.
    pub async fn evict(
        &self,
        namespace: &str,
        pod: &str,
        uid: &str,
        version: &str,
    ) -> Result<Eviction, ClusterError> {
        let eviction = json!({
            "apiVersion": "policy/v1",
            "kind": "Eviction",
            "metadata": {"name": pod, "namespace": namespace},
            "deleteOptions": {"preconditions": {"uid": uid, "resourceVersion": version}},
        });
        let kind = ResourceKind::pod();
        let path = requests(&kind, Some(namespace)).url_path;
        let request = http::Request::post(format!("{path}/{pod}/eviction"))
            .header(http::header::CONTENT_TYPE, "application/json")
            .body(eviction.to_string().into_bytes())
            .map_err(|error| invalid(kube::core::request::Error::BuildRequest(error)))?;
        let evicted = self.send_deletion(&kind, Some(namespace), pod, uid, request);
        match evicted.await {
            Ok(Deletion::Accepted | Deletion::Gone) => Ok(Eviction::Accepted),
            Ok(Deletion::AlreadyGone) => Ok(Eviction::AlreadyGone),
            Err(ClusterError::BudgetForbids { message }) => Ok(Eviction::Forbidden(message)),
            Err(error) => Err(error),
        }
    }
}
