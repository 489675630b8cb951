//! Asks for one very pod to go, as far as disruption budgets allow it.

use serde_json::json;

use super::connect::Cluster;
use super::decode;
use super::discovery::ResourceKind;
use super::error::ClusterError;
use super::objects::{invalid, requests};
use super::sender::Effect;

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
    /// Evicts the pod with this UID. A budget's refusal is an answer, and is not asked again.
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
    ) -> Result<Eviction, ClusterError> {
        let eviction = json!({
            "apiVersion": "policy/v1",
            "kind": "Eviction",
            "metadata": {"name": pod, "namespace": namespace},
            "deleteOptions": {"preconditions": {"uid": uid}},
        });
        let kind = ResourceKind::pod();
        let path = requests(&kind, Some(namespace)).url_path;
        let request = http::Request::post(format!("{path}/{pod}/eviction"))
            .header(http::header::CONTENT_TYPE, "application/json")
            .body(eviction.to_string().into_bytes())
            .map_err(|error| invalid(kube::core::request::Error::BuildRequest(error)))?;
        let answer = self.sender.bytes(request, Effect::Once).await;
        let answer = answer.and_then(|bytes| decode::accepted(&bytes, uid));
        let error = match answer {
            Ok(()) => return Ok(Eviction::Accepted),
            Err(ClusterError::BudgetForbids { message }) => {
                return Ok(Eviction::Forbidden(message));
            }
            Err(ClusterError::NotFound { .. } | ClusterError::Conflict { .. }) => {
                return Ok(Eviction::AlreadyGone);
            }
            Err(error) => error,
        };
        if !error.outcome_is_unknown() {
            return Err(error);
        }
        if self.is_going(&kind, Some(namespace), pod, uid).await {
            Ok(Eviction::Accepted)
        } else {
            Err(error)
        }
    }
}
