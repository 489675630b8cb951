//! Sends requests: the only place that decides on repetition.
//!
//! | request | repeated |
//! |---|---|
//! | read, server-side apply, review | when the server is away, slow or overloaded, until the patience is used up |
//! | other write, refused before execution (429, 503 with `Retry-After`) or never sent | likewise |
//! | other write whose answer was lost | never here: the caller reads the object and decides |
//! | eviction that a disruption budget forbids (429 as well) | never here: that is an answer |
//!
//! Pauses grow from 100 ms to 3 s, with jitter; a longer `Retry-After` counts instead, as long as it
//! ends within the patience. "Patience" is short until the server has answered once (a wrong address must
//! be reported within seconds) and long afterwards (a restarting API server must not end a rollout).
//! Credentials that are rejected (401, before any handler) are renewed and tried once more in
//! `transport`.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use jiff::Timestamp;
use kube::Client;
use kube::client::Body;
use kubectl_config::Transport;
use tokio::time::Instant;

use super::super::clock::Clock;
use super::super::error::ClusterError;
use super::exchange::Exchange;
use super::health::{Health, Waiting};
use super::heartbeat::Heartbeat;
use super::jitter::Jitter;
use super::warning::Warnings;
use crate::emitter::Emitter;

const FIRST_CONTACT_PATIENCE: Duration = Duration::from_secs(2);
/// How often an answer is asked for that cannot be read.
const READABLE_ATTEMPTS: u32 = 3;
const SHORTEST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(3);

/// How long the API server may take.
#[derive(Debug, Clone, Copy)]
pub struct TimeLimits {
    /// The time for one request.
    pub request: Duration,
    /// How long a request is repeated while an API server that answered before is away.
    pub patience: Duration,
}

/// What a second execution of a request would do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Effect {
    /// Nothing, whatever the first one did.
    Read,
    /// Nothing, but a refusal is final: a server-side apply, a review.
    Idempotent,
    /// The same, and it stores: a refusal is final, but speaks only for the attempt that was refused.
    Apply,
    /// Perhaps something else than the first: a create, a delete, an eviction.
    Once,
}

/// The connection that every request of a run shares.
#[derive(Clone)]
pub(crate) struct Sender {
    exchange: Exchange,
    patience: Duration,
    health: Health,
    /// Beats as long as the last sender lives.
    _heartbeat: Arc<Heartbeat>,
    jitter: Jitter,
}

impl Sender {
    pub(crate) fn new(
        client: Client,
        transport: Option<Transport>,
        server: &str,
        limits: TimeLimits,
        emitter: Emitter,
        jitter: Jitter,
    ) -> Self {
        let health = Health::new(emitter.clone());
        let exchange = Exchange {
            client,
            server: server.into(),
            time: limits.request,
            transport,
            warnings: Warnings::new(emitter),
            clock: Clock::default(),
        };
        Self {
            _heartbeat: Arc::new(Heartbeat::start(exchange.clone(), health.clone())),
            exchange,
            patience: limits.patience,
            health,
            jitter,
        }
    }

    pub(crate) fn server(&self) -> &str {
        &self.exchange.server
    }

    pub(crate) fn client(&self) -> &Client {
        &self.exchange.client
    }

    /// The server's own time.
    pub(crate) fn now(&self) -> Timestamp {
        self.exchange.clock.now()
    }

    /// Whether the server answers, as far as is known.
    pub(crate) fn health(&self) -> &Health {
        &self.health
    }

    /// The time that one request may take.
    pub(crate) fn request_timeout(&self) -> Duration {
        self.exchange.time
    }

    /// As long as this lives, it is noticed when the server does not answer.
    pub(crate) fn waiting(&self) -> Waiting {
        self.health.waiting()
    }

    /// What ends a stream when the server has failed to prove that it lives.
    pub(crate) fn unresponsive(&self) -> ClusterError {
        ClusterError::AnswerLost {
            server: self.server().to_owned(),
            source: "the API server stopped responding".into(),
        }
    }

    /// Reads, and repeats a few times what cannot be read: an answer may have been cut without a sign.
    ///
    /// # Errors
    /// As [`Self::bytes`], and what `decode` says.
    pub(crate) async fn read<T>(
        &self,
        request: Request<Vec<u8>>,
        decode: impl Fn(&[u8]) -> Result<T, ClusterError>,
    ) -> Result<T, ClusterError> {
        let mut attempt = 1;
        loop {
            // On the heap: everything that reads would otherwise carry it in itself.
            let bytes = Box::pin(self.bytes(request.clone(), Effect::Read)).await?;
            match decode(&bytes) {
                Err(ClusterError::Undecodable { .. }) if attempt < READABLE_ATTEMPTS => {
                    attempt += 1;
                    tokio::time::sleep(self.pause(SHORTEST_PAUSE)).await;
                }
                decoded => return decoded,
            }
        }
    }

    /// A pause of at most this long, another one each time.
    pub(crate) fn pause(&self, longest: Duration) -> Duration {
        self.jitter.pause(longest)
    }

    /// The pause after so many failures.
    pub(crate) fn pause_after(&self, failures: u32) -> Duration {
        let doubled = 2_u32.saturating_pow(failures.saturating_sub(1));
        let longest = SHORTEST_PAUSE.saturating_mul(doubled);
        self.pause(longest.min(LONGEST_PAUSE))
    }

    /// Sends a request and returns its whole answer.
    ///
    /// # Errors
    /// Every variant of [`ClusterError`] but `Configuration`.
    pub(crate) async fn bytes(
        &self,
        request: Request<Vec<u8>>,
        effect: Effect,
    ) -> Result<Bytes, ClusterError> {
        let _waiting = self.waiting();
        let started = Instant::now();
        let mut pause = SHORTEST_PAUSE;
        let mut may_be_stored = false;
        loop {
            let error = match self.exchange.once(request.clone()).await {
                Ok(bytes) => {
                    self.health.answered();
                    return Ok(bytes);
                }
                Err(error) => error,
            };
            let is_transient = match effect {
                Effect::Read => error.is_transient_for_reads(),
                Effect::Idempotent | Effect::Apply | Effect::Once => error.is_transient(),
            };
            match (error.is_an_answer(), is_transient) {
                (true, false) => self.health.answered(),
                (true, true) => self.health.put_off(),
                (false, _) => {}
            }
            if !is_transient {
                return Err(self.unsure(error, may_be_stored));
            }
            may_be_stored |= effect == Effect::Apply && error.outcome_is_unknown();
            let may_repeat = effect != Effect::Once || error.was_refused_before_execution();
            let patience = if self.health.was_reached() {
                self.patience
            } else {
                FIRST_CONTACT_PATIENCE
            };
            // Never without a pause of our own: a server may ask to come back in no time.
            let own = self.jitter.pause(pause);
            let wait = asked_to_wait(&error).unwrap_or_default().max(own);
            if !may_repeat || started.elapsed().saturating_add(wait) > patience {
                return Err(self.unsure(error, may_be_stored));
            }
            self.health.unanswered(&error);
            tokio::time::sleep(wait).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    /// What the last of several attempts said is not all: the answer of an earlier one was lost, which
    /// may have been executed all the same.
    fn unsure(&self, error: ClusterError, may_be_stored: bool) -> ClusterError {
        if !may_be_stored || error.outcome_is_unknown() {
            return error;
        }
        ClusterError::AnswerLost {
            server: self.server().to_owned(),
            source: format!("a second attempt failed: {error}").into(),
        }
    }

    /// Opens a streamed answer; only the head of the answer is under the deadline.
    ///
    /// # Errors
    /// As [`Self::bytes`]; a stream is never repeated here.
    pub(crate) async fn stream(
        &self,
        request: Request<Vec<u8>>,
    ) -> Result<Response<Body>, ClusterError> {
        let _waiting = self.waiting();
        let opened = self.exchange.stream(request).await;
        if opened.is_ok() {
            self.health.answered();
        }
        opened
    }

    /// Sends a request whose answer is somebody else's, passed on by the server: no status is a
    /// refusal. Never repeated here.
    ///
    /// # Errors
    /// As [`Self::bytes`], but for refusals.
    pub(crate) async fn passed_on(
        &self,
        request: Request<Vec<u8>>,
    ) -> Result<Response<Body>, ClusterError> {
        self.exchange.log_in().await?;
        self.exchange.head(request).await
    }
}

fn asked_to_wait(error: &ClusterError) -> Option<Duration> {
    match error {
        ClusterError::Refused { retry_after, .. } => *retry_after,
        _ => None,
    }
}
