//! Port-forwards, and what can keep an answer from coming through one.

use std::time::Duration;

use k8s_openapi::api::core::v1::Pod;
use kube::Api;
use kube::api::Portforwarder;
use kube::core::Status;
use thiserror::Error;

use super::super::connect::Cluster;
use super::super::error::ClusterError;
use super::super::request::failure;
use crate::answer::Fragment;

/// What to ask, and how much of an answer to take.
#[derive(Debug, Clone)]
pub struct Question {
    /// The port of the pod.
    pub port: u16,
    /// The path, with a leading slash.
    pub path: String,
    /// The time for the whole answer.
    pub timeout: Duration,
    /// The largest body that is read, in bytes.
    pub largest_body: u64,
    /// How much of the body's beginning is kept, in bytes.
    pub kept: u64,
}

/// Why there is no complete answer.
#[derive(Debug, Error)]
pub enum AskError {
    /// The port-forward could not be opened.
    #[error("the port-forward could not be opened")]
    NotOpened(#[source] ClusterError),
    /// It took too long to open the port-forward.
    #[error("the port-forward was not opened in time")]
    NotOpenedInTime,
    /// The connection to the API server was not made one for a port-forward.
    #[error("the connection was not upgraded: {0}")]
    NotUpgraded(String),
    /// The API server did not pass the question on, or not what came back.
    #[error("the API server's pod proxy could not be used")]
    NotProxied(#[source] ClusterError),
    /// The API server did not reach the pod at its own address.
    #[error("the API server's pod proxy did not reach the pod: {0}")]
    NotReached(String),
    /// Nothing listens at the pod's own address, where the API server asks; a server may all the
    /// same listen on the loopback address.
    #[error("nothing listens at the pod's own address, where the API server's pod proxy asks")]
    NotListeningOutside,
    /// The pod is not there any more.
    #[error("there is no such pod")]
    NoSuchPod,
    /// The node says that nothing listens on the port.
    #[error("nothing listens on the port")]
    NotListening,
    /// The node could not connect to the port for another reason.
    #[error("the node could not forward the port: {0}")]
    NotForwarded(String),
    /// The pod's end of the connection was closed before any byte of an answer.
    #[error("the connection ended before an answer began: {0}")]
    Closed(String),
    /// The link to the pod broke before any byte of an answer.
    #[error("the link to the pod broke before an answer began")]
    LinkBroken,
    /// No byte of an answer in time.
    #[error("no answer within the time")]
    TimedOut,
    /// What came back is not HTTP.
    #[error("what came back is not HTTP{}", hint(*.speaks_tls))]
    NotHttp {
        /// Whether it is a record of TLS.
        speaks_tls: bool,
    },
    /// An answer began, and has no proven end.
    #[error("{}", .0.cut)]
    Unfinished(Box<Fragment>),
}

fn hint(speaks_tls: bool) -> &'static str {
    if speaks_tls {
        ": the port speaks TLS, and is asked in plain HTTP"
    } else {
        ""
    }
}

impl AskError {
    /// Whether the transport failed, so that asking again may help. What began is an answer: it is
    /// never asked for again.
    #[must_use]
    pub fn is_transport(&self) -> bool {
        match self {
            Self::NotOpened(error) | Self::NotProxied(error) => error.is_transient(),
            Self::NotForwarded(_) | Self::Closed(_) | Self::LinkBroken => true,
            // Go's words for a connection that was not made: the pod was not asked.
            Self::NotReached(why) => why.starts_with("dial "),
            _ => false,
        }
    }

    /// Whether an answer began.
    #[must_use]
    pub fn has_begun(&self) -> bool {
        matches!(self, Self::NotHttp { .. } | Self::Unfinished(_))
    }

    /// Why port-forwards are of no use here, when that is what this error says: another way may
    /// lead to the pod. What a network does to a request is no such reason.
    #[must_use]
    pub fn speaks_against_forwards(&self) -> Option<&'static str> {
        match self {
            Self::NotUpgraded(_) => Some("the connection is not upgraded"),
            Self::NotOpened(error) => match error {
                // Which of the two it takes depends on the API server's version (KEP-4006).
                ClusterError::Forbidden { .. } => Some(
                    "port-forwards are forbidden (they take `get` and `create` on `pods/portforward`)",
                ),
                ClusterError::NotFound { .. } => Some("port-forwards are not served"),
                ClusterError::Refused {
                    code: 404 | 405 | 500..=599,
                    ..
                } => Some("the API server opens no port-forwards"),
                _ => None,
            },
            _ => None,
        }
    }
}

impl Cluster {
    /// Opens a port-forward, in the time of any request: how slow the API server is says nothing
    /// about the replica.
    pub(crate) async fn open(
        &self,
        namespace: &str,
        pod: &str,
        port: u16,
    ) -> Result<Forward, AskError> {
        let pods: Api<Pod> = Api::namespaced(self.sender.client().clone(), namespace);
        let after = self.sender.request_timeout();
        match tokio::time::timeout(after, pods.portforward(pod, &[port])).await {
            Ok(Ok(forwarder)) => Ok(Forward(forwarder)),
            Ok(Err(kube::Error::UpgradeConnection(error))) => {
                Err(AskError::NotUpgraded(error.to_string()))
            }
            Ok(Err(kube::Error::Api(status))) if is_about(&status, pod) => Err(AskError::NoSuchPod),
            Ok(Err(error)) => Err(AskError::NotOpened(failure::translate(
                self.server(),
                error,
            ))),
            Err(_) => Err(AskError::NotOpened(ClusterError::Timeout {
                server: self.server().to_owned(),
                after,
            })),
        }
    }
}

/// Whether a 404 is about the pod itself, and not about what is served.
fn is_about(status: &Status, pod: &str) -> bool {
    let details = status.details.as_ref();
    status.code == 404
        && details.is_some_and(|details| details.kind == "pods" && details.name == pod)
}

/// A port-forward whose background task ends with it.
pub(crate) struct Forward(pub(super) Portforwarder);

impl Drop for Forward {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// The node sends nothing but a sentence, which ends with the operating system's error
/// (containerd: `… connect: connection refused`; socat, which others use: `Connection refused`).
pub(crate) fn refused(words: &str) -> AskError {
    if words.to_ascii_lowercase().contains("connection refused") {
        AskError::NotListening
    } else {
        AskError::NotForwarded(words.to_owned())
    }
}
