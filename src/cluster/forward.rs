//! Asks one pod one HTTP question through a port-forward of its own, inside this process.
//!
//! A cut port-forward looks like the end of a file, so a body counts as complete only when HTTP
//! itself says so: by its `Content-Length` or its last chunk (RFC 9112, section 6.3).

use std::time::Duration;

use bytes::Bytes;
use futures::FutureExt;
use futures::future::FusedFuture;
use http::{Method, Request, StatusCode, header};
use http_body_util::Empty;
use hyper::client::conn::http1::SendRequest;
use hyper_util::rt::TokioIo;
use k8s_openapi::api::core::v1::Pod;
use kube::Api;
use kube::api::Portforwarder;
use thiserror::Error;
use tokio::time::Instant;

use super::connect::Cluster;
use super::error::ClusterError;
use super::failure;
use super::reading::{self, Reading};
use crate::answer::Answer;

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
    /// What came back is not HTTP; over TLS it is what the replica has sent.
    #[error("what came back is not HTTP")]
    NotHttp,
    /// It took too long to open the port-forward.
    #[error("the port-forward was not opened in time")]
    NotOpenedInTime,
    /// The connection to the API server was not made one for a port-forward.
    #[error("the connection was not upgraded: {0}")]
    NotUpgraded(String),
    /// The API server did not pass the question on, or not what came back.
    #[error("the API server's pod proxy could not be used")]
    NotProxied(#[source] ClusterError),
    /// The node says that nothing listens on the port.
    #[error("nothing listens on the port")]
    NotListening,
    /// The node could not connect to the port for another reason.
    #[error("the node could not forward the port: {0}")]
    NotForwarded(String),
    /// The stream broke off, or what came is not HTTP.
    #[error("the answer broke off: {0}")]
    BrokenOff(String),
    /// The body has no proven end.
    #[error("{reason}")]
    NoProvenEnd {
        /// The HTTP status.
        status: StatusCode,
        /// The `Location` header.
        location: Option<String>,
        /// Why.
        reason: &'static str,
    },
    /// What came is not what the pod has sent.
    #[error("{reason}")]
    Rewritten {
        /// The HTTP status, which is the pod's.
        status: StatusCode,
        /// Why.
        reason: &'static str,
    },
    /// The body is larger than what is read.
    #[error("the answer is larger than {0} bytes")]
    TooLarge(u64),
    /// No complete answer in time.
    #[error("no complete answer within the time")]
    TimedOut,
}

impl AskError {
    /// Whether the transport failed, so that asking again may help.
    #[must_use]
    pub fn is_transport(&self) -> bool {
        match self {
            Self::NotOpened(error) | Self::NotProxied(error) => error.is_transient(),
            Self::NotForwarded(_) | Self::BrokenOff(_) => true,
            _ => false,
        }
    }

    /// Why port-forwards are of no use here, when that is what this error says: another way may
    /// lead to the pod. What a network does to a request is no such reason.
    #[must_use]
    pub fn speaks_against_forwards(&self) -> Option<&'static str> {
        match self {
            Self::NotUpgraded(_) => Some("the connection is not upgraded"),
            Self::NotOpened(error) => match error {
                ClusterError::Forbidden { .. } => Some("port-forwards are forbidden"),
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
    /// Asks a pod through a port-forward of its own.
    ///
    /// # Errors
    /// [`AskError`] when there is no complete answer.
    pub async fn ask(
        &self,
        namespace: &str,
        pod: &str,
        question: &Question,
    ) -> Result<Answer, AskError> {
        let _waiting = self.sender.waiting();
        let forward = self.open(namespace, pod, question.port).await?;
        tokio::time::timeout(question.timeout, ask_through(forward, question))
            .await
            .unwrap_or(Err(AskError::TimedOut))
    }

    /// Opens a port-forward, in the time of any request: how slow the API server is says nothing
    /// about the replica.
    pub(super) async fn open(
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

async fn ask_through(mut forward: Forward, question: &Question) -> Result<Answer, AskError> {
    let stream = forward.0.take_stream(question.port);
    let refusal = forward.0.take_error(question.port);
    let (Some(stream), Some(refusal)) = (stream, refusal) else {
        return Err(AskError::BrokenOff("no stream for the port".to_owned()));
    };
    // The node reports a refused connection on a channel of its own; the data channel then just
    // ends. Whichever comes first, the node's own words decide.
    let refusal = refusal.fuse();
    tokio::pin!(refusal);
    let exchange = exchange(TokioIo::new(stream), question);
    tokio::pin!(exchange);
    tokio::select! {
        biased;
        Some(words) = &mut refusal => Err(refused(&words)),
        answer = &mut exchange => match answer {
            Err(AskError::BrokenOff(reason)) if !refusal.is_terminated() => {
                match tokio::time::timeout(WORDS_OF_THE_NODE, refusal).await {
                    Ok(Some(words)) => Err(refused(&words)),
                    _ => Err(AskError::BrokenOff(reason)),
                }
            }
            other => other,
        },
    }
}

/// The error channel's text follows the end of the data channel closely, if it comes at all.
pub(super) const WORDS_OF_THE_NODE: Duration = Duration::from_millis(500);

/// A port-forward whose background task ends with it.
pub(super) struct Forward(pub(super) Portforwarder);

impl Drop for Forward {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// The node sends nothing but a sentence, which ends with the operating system's error
/// (containerd: `… connect: connection refused`; socat, which others use: `Connection refused`).
pub(super) fn refused(words: &str) -> AskError {
    if words.to_ascii_lowercase().contains("connection refused") {
        AskError::NotListening
    } else {
        AskError::NotForwarded(words.to_owned())
    }
}

async fn exchange<S>(stream: S, question: &Question) -> Result<Answer, AskError>
where
    S: hyper::rt::Read + hyper::rt::Write + Unpin + Send + 'static,
{
    let (mut sender, connection) = hyper::client::conn::http1::handshake(stream)
        .await
        .map_err(|error| broken(&error))?;
    let driver = tokio::spawn(connection);
    let answer = request(&mut sender, question, "close").await;
    driver.abort();
    answer
}

/// Asks over a connection to the pod; `connection` says whether it is of use afterwards.
pub(super) async fn request(
    sender: &mut SendRequest<Empty<Bytes>>,
    question: &Question,
    connection: &'static str,
) -> Result<Answer, AskError> {
    let started = Instant::now();
    let request = Request::builder()
        .method(Method::GET)
        .uri(&question.path)
        .header(header::HOST, "localhost")
        .header(header::CONNECTION, connection)
        .body(Empty::new())
        .map_err(|error| AskError::BrokenOff(error.to_string()))?;
    let broken = |error: hyper::Error| broken(&error);
    let response = sender.send_request(request).await.map_err(broken)?;
    let (head, body) = response.into_parts();
    let reading = reading::read(body, question, broken).await?;
    let location = reading::text(&head.headers, header::LOCATION);
    let has_length = reading::has_length(head.status, &head.headers);
    if !has_length && !reading::is_chunked(&head.headers) {
        return Err(AskError::NoProvenEnd {
            status: head.status,
            location,
            reason: "the answer has neither a length nor chunks, so its end cannot be proven",
        });
    }
    let Reading {
        sha256,
        bytes,
        beginning,
    } = reading;
    Ok(Answer {
        status: head.status,
        content_type: reading::text(&head.headers, header::CONTENT_TYPE),
        location,
        sha256,
        bytes,
        beginning,
        latency: started.elapsed(),
    })
}

pub(super) fn broken(error: &hyper::Error) -> AskError {
    if error.is_parse() {
        return AskError::NotHttp;
    }
    let reason =
        if error.is_incomplete_message() || error.is_closed() || error.is_body_write_aborted() {
            "the connection was closed before the answer was complete"
        } else {
            "the connection failed"
        };
    AskError::BrokenOff(reason.to_owned())
}
