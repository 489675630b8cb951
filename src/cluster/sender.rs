//! Sends one request: the only place that decides on deadlines, repetition and sizes.
//!
//! | request | repeated |
//! |---|---|
//! | read, server-side apply | when the server is away, slow or overloaded, until the patience is used up |
//! | other write, refused before execution (429, 503 with `Retry-After`) or never sent | likewise |
//! | other write whose answer was lost | never here: the caller reads the object and decides |
//!
//! "Patience" is short until the server has answered once (a wrong address must be reported within
//! seconds) and long afterwards (a restarting API server must not end a rollout).

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response, StatusCode, Uri, header};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use kube::Client;
use kube::client::Body;
use kube::core::Status;
use serde::de::DeserializeOwned;
use tokio::time::Instant;

use super::connection::TimeLimits;
use super::error::ClusterError;
use super::{failure, link::Link};

/// More than the largest object that etcd takes, times a page of a list.
const LARGEST_ANSWER: usize = 256 * 1024 * 1024;
const FIRST_CONTACT_PATIENCE: Duration = Duration::from_secs(2);
const SHORTEST_PAUSE: Duration = Duration::from_millis(100);
/// Short enough that, after the quiet of a watch, silence is named within ten seconds.
const PROOF_OF_LIFE: Duration = Duration::from_secs(4);
const LONGEST_PAUSE: Duration = Duration::from_secs(3);

/// What a second execution of a request would do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Effect {
    /// Nothing, whatever the first one did.
    Read,
    /// Nothing, but a refusal is final: a server-side apply, a review.
    Idempotent,
    /// Perhaps something else than the first: a create, a delete, an eviction.
    Once,
}

/// The connection that every request of a run shares.
#[derive(Clone)]
pub(super) struct Sender {
    client: Client,
    server: Arc<str>,
    limits: TimeLimits,
    reached: Arc<AtomicBool>,
    link: Link,
}

impl Sender {
    pub(super) fn new(client: Client, server: &str, limits: TimeLimits, link: Link) -> Self {
        Self {
            client,
            server: server.into(),
            limits,
            reached: Arc::new(AtomicBool::new(false)),
            link,
        }
    }

    pub(super) fn server(&self) -> &str {
        &self.server
    }

    pub(super) fn client(&self) -> &Client {
        &self.client
    }

    /// The time that one request may take.
    pub(super) fn request_timeout(&self) -> Duration {
        self.limits.request
    }

    /// Sends a request and decodes its JSON answer.
    ///
    /// # Errors
    /// Every variant of [`ClusterError`] but `Configuration`.
    pub(super) async fn json<T: DeserializeOwned>(
        &self,
        request: Request<Vec<u8>>,
        effect: Effect,
    ) -> Result<T, ClusterError> {
        let bytes = self.bytes(request, effect).await?;
        serde_json::from_slice(&bytes).map_err(|error| ClusterError::Undecodable {
            reason: failure::position(&error),
        })
    }

    /// Sends a request and returns its whole answer.
    ///
    /// # Errors
    /// As [`Self::json`].
    pub(super) async fn bytes(
        &self,
        request: Request<Vec<u8>>,
        effect: Effect,
    ) -> Result<Bytes, ClusterError> {
        let started = Instant::now();
        let mut pause = SHORTEST_PAUSE;
        loop {
            let error = match self.once(copy(&request)).await {
                Ok(bytes) => {
                    self.reached.store(true, Ordering::Relaxed);
                    self.link.answered();
                    return Ok(bytes);
                }
                Err(error) => error,
            };
            let is_transient = match effect {
                Effect::Read => error.is_transient_for_reads(),
                Effect::Idempotent | Effect::Once => error.is_transient(),
            };
            if !is_transient {
                self.reached.store(true, Ordering::Relaxed);
                self.link.answered();
                return Err(error);
            }
            let may_repeat = effect != Effect::Once || refused_before_execution(&error);
            let patience = if self.reached.load(Ordering::Relaxed) {
                self.limits.patience
            } else {
                FIRST_CONTACT_PATIENCE
            };
            let wait = asked_to_wait(&error).unwrap_or(pause);
            if !may_repeat || started.elapsed() + wait > patience {
                return Err(error);
            }
            self.link.silent(&error);
            tokio::time::sleep(wait).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    /// Opens a streamed answer; only the head of the answer is under the deadline.
    ///
    /// # Errors
    /// As [`Self::json`]; a stream is never repeated here.
    pub(super) async fn stream(
        &self,
        request: Request<Vec<u8>>,
    ) -> Result<Response<Body>, ClusterError> {
        let response = self.head(request).await?;
        if response.status().is_success() {
            return Ok(response);
        }
        let code = response.status();
        let retry_after = retry_after(&response);
        let bytes = self.collect(response).await?;
        Err(self.refusal(code, retry_after, &bytes))
    }

    /// Asks for the smallest answer there is, once, within a short time.
    ///
    /// # Errors
    /// As [`Self::json`]; silence is said aloud.
    pub(super) async fn prove_life(&self) -> Result<(), ClusterError> {
        let mut request = Request::new(Vec::new());
        *request.uri_mut() = Uri::from_static("/version");
        let answer = tokio::time::timeout(PROOF_OF_LIFE, self.once(request)).await;
        let error = match answer {
            Ok(Err(error)) if error.is_transient() => error,
            // A refusal is an answer too.
            Ok(_) => {
                self.link.answered();
                return Ok(());
            }
            Err(_) => ClusterError::Timeout {
                server: self.server.to_string(),
                after: PROOF_OF_LIFE,
            },
        };
        self.link.silent(&error);
        Err(error)
    }

    async fn once(&self, request: Request<Vec<u8>>) -> Result<Bytes, ClusterError> {
        let exchange = async {
            let response = self.head(request).await?;
            let code = response.status();
            let retry_after = retry_after(&response);
            let bytes = self.collect(response).await?;
            if code.is_success() {
                Ok(bytes)
            } else {
                Err(self.refusal(code, retry_after, &bytes))
            }
        };
        tokio::time::timeout(self.limits.request, exchange)
            .await
            .unwrap_or_else(|_| {
                Err(ClusterError::Timeout {
                    server: self.server.to_string(),
                    after: self.limits.request,
                })
            })
    }

    async fn head(&self, request: Request<Vec<u8>>) -> Result<Response<Body>, ClusterError> {
        let sent = self.client.send(request.map(Body::from));
        match tokio::time::timeout(self.limits.request, sent).await {
            Ok(Ok(response)) => Ok(response),
            Ok(Err(error)) => Err(failure::translate(&self.server, error)),
            Err(_) => Err(ClusterError::Timeout {
                server: self.server.to_string(),
                after: self.limits.request,
            }),
        }
    }

    async fn collect(&self, response: Response<Body>) -> Result<Bytes, ClusterError> {
        match Limited::new(response.into_body(), LARGEST_ANSWER)
            .collect()
            .await
        {
            Ok(body) => Ok(body.to_bytes()),
            Err(error) if error.is::<LengthLimitError>() => Err(ClusterError::TooLarge {
                limit: LARGEST_ANSWER,
            }),
            Err(error) => Err(ClusterError::AnswerLost {
                server: self.server.to_string(),
                source: error,
            }),
        }
    }

    fn refusal(
        &self,
        code: StatusCode,
        retry_after: Option<Duration>,
        bytes: &Bytes,
    ) -> ClusterError {
        // A proxy in between may answer with HTML: its text is not ours to repeat.
        let status = serde_json::from_slice::<Status>(bytes).unwrap_or_default();
        ClusterError::from_status(&self.server, code, retry_after, status)
    }
}

/// 429 comes from before the handler: from flow control, or from an eviction that a budget forbids.
/// A 503 says so only when it names a time to come back; an aggregated API's may come later.
fn refused_before_execution(error: &ClusterError) -> bool {
    match error {
        ClusterError::Refused { code: 429, .. } => true,
        ClusterError::Refused {
            code: 503,
            retry_after,
            ..
        } => retry_after.is_some(),
        other => other.was_not_sent(),
    }
}

fn asked_to_wait(error: &ClusterError) -> Option<Duration> {
    match error {
        ClusterError::Refused { retry_after, .. } => *retry_after,
        _ => None,
    }
}

/// The header's seconds; no server of Kubernetes sends a date there.
fn retry_after(response: &Response<Body>) -> Option<Duration> {
    let value = response.headers().get(header::RETRY_AFTER)?.to_str().ok()?;
    value.parse().ok().map(Duration::from_secs)
}

fn copy(request: &Request<Vec<u8>>) -> Request<Vec<u8>> {
    let mut copied = Request::new(request.body().clone());
    *copied.method_mut() = request.method().clone();
    *copied.uri_mut() = request.uri().clone();
    *copied.headers_mut() = request.headers().clone();
    copied
        .headers_mut()
        .entry(header::ACCEPT)
        .or_insert(header::HeaderValue::from_static("application/json"));
    copied
}
