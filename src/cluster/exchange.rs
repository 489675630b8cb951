//! One request and its answer, once: deadlines and sizes, no repetition.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderValue, Request, Response, StatusCode, header};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use kube::Client;
use kube::client::Body;

use super::clock::Clock;
use super::decode;
use super::error::ClusterError;
use super::failure;
use super::transport::Transport;
use super::warning::{self, Warnings};
use crate::secret::SecretValues;

/// More than the largest object that etcd takes, times a page of a list.
pub(super) const LARGEST_ANSWER: usize = 256 * 1024 * 1024;

/// More than any run waits.
const LONGEST_RETRY_AFTER: Duration = Duration::from_hours(24);

/// The connection to one API server.
#[derive(Clone)]
pub(super) struct Exchange {
    pub(super) client: Client,
    pub(super) server: Arc<str>,
    /// The time for one request.
    pub(super) time: Duration,
    /// What the client stands on, when we have built it.
    pub(super) transport: Option<Transport>,
    /// Where what the server warns of is said.
    pub(super) warnings: Warnings,
    /// The server's own time.
    pub(super) clock: Clock,
}

impl Exchange {
    /// Sends a request and takes its whole answer in.
    ///
    /// # Errors
    /// Every variant of [`ClusterError`] that a request can have.
    pub(super) async fn once(&self, request: Request<Vec<u8>>) -> Result<Bytes, ClusterError> {
        self.log_in().await?;
        let hidden = SecretValues::of_request(request.uri().path(), request.body());
        let is_heard = warning::is_heard(&request);
        // On the heap: everything that waits for a request would otherwise carry it in itself.
        let exchange = Box::pin(async {
            let response = self.head(request).await?;
            self.clock.hear(response.headers());
            let code = response.status();
            let retry_after = retry_after(&response);
            for text in warning::texts(response.headers()) {
                if is_heard {
                    self.warnings.say(hidden.hide(text));
                }
            }
            let bytes = self.collect(response).await?;
            if code.is_success() {
                Ok(bytes)
            } else {
                Err(self.refusal(code, retry_after, &bytes, &hidden))
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
    pub(super) async fn log_in(&self) -> Result<(), ClusterError> {
        match &self.transport {
            Some(transport) => Ok(transport.log_in().await?),
            None => Ok(()),
        }
    }

    /// Connects anew for the next request: connections from before may be dead at one end.
    pub(super) fn reconnect(&self) {
        if let Some(transport) = &self.transport {
            transport.reconnect();
        }
    }

    /// Opens a streamed answer; only the head of the answer is under the deadline.
    ///
    /// # Errors
    /// As [`Self::once`].
    pub(super) async fn stream(
        &self,
        request: Request<Vec<u8>>,
    ) -> Result<Response<Body>, ClusterError> {
        self.log_in().await?;
        let response = self.head(request).await?;
        if response.status().is_success() {
            return Ok(response);
        }
        let code = response.status();
        let retry_after = retry_after(&response);
        let bytes = tokio::time::timeout(self.time, self.collect(response))
            .await
            .unwrap_or_else(|_| Err(self.timed_out(self.time)))?;
        // A request that opens a stream carries nothing that a refusal could repeat.
        Err(self.refusal(code, retry_after, &bytes, &SecretValues::default()))
    }

    /// No answer within this time; the connection that it did not come over is not used again.
    pub(super) fn timed_out(&self, after: Duration) -> ClusterError {
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
    pub(super) async fn head(
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
