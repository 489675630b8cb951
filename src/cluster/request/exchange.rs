//! One request and its answer, once: deadlines and sizes, no repetition.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderValue, Request, Response, StatusCode, header};
use http_body_util::BodyExt;
use kube::Client;
use kube::client::Body;
use kubectl_config::Transport;

use super::super::clock::Clock;
use super::super::error::ClusterError;
use super::decode::{self, no_room};
use super::failure;
use super::warning::{self, Warnings};
use crate::memory;
use crate::secret::SecretValues;

/// The objects of one kind in a namespace: thousands of ordinary ones. An object alone is at most as
/// large as the largest request, 3 MiB, and what the server adds.
pub(crate) const LARGEST_ANSWER: usize = 32 * 1024 * 1024;

/// A refusal is a sentence, and a few more for each field that it is about.
const LARGEST_REFUSAL: usize = 1024 * 1024;

/// More than any run waits.
const LONGEST_RETRY_AFTER: Duration = Duration::from_hours(24);

/// The connection to one API server.
#[derive(Clone)]
pub(crate) struct Exchange {
    pub(crate) client: Client,
    pub(crate) server: Arc<str>,
    /// The time for one request.
    pub(crate) time: Duration,
    /// What the client stands on, when we have built it.
    pub(crate) transport: Option<Transport>,
    /// Where what the server warns of is said.
    pub(crate) warnings: Warnings,
    /// The server's own time.
    pub(crate) clock: Clock,
}

impl Exchange {
    /// Sends a request and takes its whole answer in.
    ///
    /// # Errors
    /// Every variant of [`ClusterError`] that a request can have.
    pub(crate) async fn once(&self, request: Request<Vec<u8>>) -> Result<Bytes, ClusterError> {
        self.log_in().await?;
        let hidden = SecretValues::of_request(request.uri().path(), request.body());
        let is_heard = warning::is_heard(&request);
        // On the heap: everything that waits for a request would otherwise carry it in itself.
        let exchange = Box::pin(async {
            let response = self.head(request).await?;
            self.clock.hear(response.headers());
            for text in warning::texts(response.headers()) {
                if is_heard {
                    self.warnings.say(hidden.hide(text));
                }
            }
            if response.status().is_success() {
                self.collect(response, LARGEST_ANSWER).await
            } else {
                self.refused(response, &hidden).await
            }
        });
        tokio::time::timeout(self.time, exchange)
            .await
            .unwrap_or_else(|_| Err(self.timed_out(self.time)))
    }

    /// Makes sure that there are credentials; what that takes is no request's time.
    ///
    /// # Errors
    /// [`ClusterError::Credentials`].
    pub(crate) async fn log_in(&self) -> Result<(), ClusterError> {
        match &self.transport {
            Some(transport) => Ok(transport.log_in().await?),
            None => Ok(()),
        }
    }

    /// Connects anew for the next request: connections from before may be dead at one end.
    pub(crate) fn reconnect(&self) {
        if let Some(transport) = &self.transport {
            transport.reconnect();
        }
    }

    /// Opens a streamed answer; only the head of the answer is under the deadline.
    ///
    /// # Errors
    /// As [`Self::once`].
    pub(crate) async fn stream(
        &self,
        request: Request<Vec<u8>>,
    ) -> Result<Response<Body>, ClusterError> {
        self.log_in().await?;
        let response = self.head(request).await?;
        if response.status().is_success() {
            return Ok(response);
        }
        // A request that opens a stream carries nothing that a refusal could repeat.
        let hidden = SecretValues::default();
        tokio::time::timeout(self.time, self.refused(response, &hidden))
            .await
            .unwrap_or_else(|_| Err(self.timed_out(self.time)))
    }

    /// No answer within this time; the connection that it did not come over is not used again.
    pub(crate) fn timed_out(&self, after: Duration) -> ClusterError {
        self.reconnect();
        ClusterError::Timeout {
            server: self.server.to_string(),
            after,
        }
    }

    /// The head of an answer, whatever its status says; only that is under the deadline.
    ///
    /// # Errors
    /// As [`Self::once`], but for refusals.
    pub(crate) async fn head(
        &self,
        mut request: Request<Vec<u8>>,
    ) -> Result<Response<Body>, ClusterError> {
        request
            .headers_mut()
            .entry(header::ACCEPT)
            .or_insert(HeaderValue::from_static("application/json"));
        let sent = self.client.send(request.map(Body::from));
        match tokio::time::timeout(self.time, sent).await {
            Ok(Ok(response)) => Ok(response),
            Ok(Err(error)) => Err(failure::translate(&self.server, error)),
            Err(_) => Err(self.timed_out(self.time)),
        }
    }

    /// Takes a body in, in one piece of memory, as long as there is room for it.
    async fn collect(
        &self,
        response: Response<Body>,
        largest: usize,
    ) -> Result<Bytes, ClusterError> {
        let mut body = response.into_body();
        let mut collected = Vec::new();
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(|error| ClusterError::AnswerLost {
                server: self.server.to_string(),
                source: error.into(),
            })?;
            let data = frame.into_data().unwrap_or_default();
            if collected.len() + data.len() > largest {
                return Err(ClusterError::TooLarge {
                    what: "a larger answer than any that was asked for",
                });
            }
            if !memory::has_room() {
                return Err(no_room());
            }
            if collected.capacity() - collected.len() < data.len() {
                // By a quarter: to double it would take what is not needed.
                collected.reserve_exact(data.len() + collected.len() / 4);
            }
            collected.extend_from_slice(&data);
        }
        Ok(collected.into())
    }

    /// What a refusal says.
    async fn refused<T>(
        &self,
        response: Response<Body>,
        hidden: &SecretValues,
    ) -> Result<T, ClusterError> {
        let code = response.status();
        let retry_after = retry_after(&response);
        let words = match self.collect(response, LARGEST_REFUSAL).await {
            // However much is said, the status says what counts.
            Err(ClusterError::TooLarge { .. }) => Bytes::new(),
            words => words?,
        };
        Err(self.refusal(code, retry_after, &words, hidden))
    }

    fn refusal(
        &self,
        code: StatusCode,
        retry_after: Option<Duration>,
        bytes: &Bytes,
        hidden: &SecretValues,
    ) -> ClusterError {
        let mut status = decode::status(bytes).unwrap_or_default();
        // Before anything is shortened, so that no half of a value is left.
        status.message = hidden.hide(status.message);
        for cause in status
            .details
            .iter_mut()
            .flat_map(|details| &mut details.causes)
        {
            cause.message = hidden.hide(std::mem::take(&mut cause.message));
        }
        ClusterError::from_status(&self.server, code, retry_after, status)
    }
}

/// The header's seconds; no server of Kubernetes sends a date there.
fn retry_after(response: &Response<Body>) -> Option<Duration> {
    let value = response.headers().get(header::RETRY_AFTER)?.to_str().ok()?;
    let seconds: u64 = value.parse().ok()?;
    Some(Duration::from_secs(seconds).min(LONGEST_RETRY_AFTER))
}
