//! Whether the API server answers: the one verdict that every request, watch and probe of a run shares.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;
use tokio::time::Instant;

use super::super::error::ClusterError;
use crate::emitter::Emitter;
use crate::event::EventKind;
use crate::figures::milliseconds;

/// What is known of the API server's health; clones share it.
#[derive(Clone)]
pub(crate) struct Health(Arc<Shared>);

struct Shared {
    emitter: Emitter,
    state: Mutex<State>,
    waiting: watch::Sender<usize>,
    losses: watch::Sender<u64>,
}

struct State {
    was_reached: bool,
    last_received: Instant,
    /// Since when nothing was received, if the last request got no usable answer.
    unresponsive_since: Option<Instant>,
}

impl State {
    fn reach(&mut self) {
        self.was_reached = true;
        self.last_received = Instant::now();
    }
}

/// Somebody waits for the API server as long as this lives.
pub(crate) struct Waiting(Health);

impl Health {
    pub(crate) fn new(emitter: Emitter) -> Self {
        Self(Arc::new(Shared {
            emitter,
            state: Mutex::new(State {
                was_reached: false,
                last_received: Instant::now(),
                unresponsive_since: None,
            }),
            waiting: watch::Sender::new(0),
            losses: watch::Sender::new(0),
        }))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Something came over a stream.
    pub(crate) fn received(&self) {
        self.state().last_received = Instant::now();
    }

    /// The server refused a request for now, which is repeated: it lives, but is of no use yet.
    pub(crate) fn put_off(&self) {
        self.state().reach();
    }

    /// A request was answered.
    pub(crate) fn answered(&self) {
        let mut state = self.state();
        state.reach();
        if let Some(since) = state.unresponsive_since.take() {
            self.0.emitter.send(EventKind::ServerAnswers {
                unresponsive_for_ms: milliseconds(since.elapsed()),
            });
        }
    }

    /// A request got no usable answer.
    pub(crate) fn unanswered(&self, error: &ClusterError) {
        let mut state = self.state();
        if state.unresponsive_since.is_none() {
            state.unresponsive_since = Some(state.last_received);
            self.0.emitter.send(EventKind::ServerUnresponsive {
                reason: error.to_string(),
            });
        }
    }

    /// Whether the last request got no usable answer.
    pub(crate) fn is_unresponsive(&self) -> bool {
        self.state().unresponsive_since.is_some()
    }

    /// Whether the server has ever answered.
    pub(crate) fn was_reached(&self) -> bool {
        self.state().was_reached
    }

    /// Since when nothing was received while somebody waited.
    pub(crate) fn quiet_since(&self) -> Instant {
        self.state().last_received
    }

    /// From now on somebody waits.
    pub(crate) fn waiting(&self) -> Waiting {
        self.0.waiting.send_modify(|count| {
            if *count == 0 {
                self.received();
            }
            *count += 1;
        });
        Waiting(self.clone())
    }

    /// How many wait.
    pub(crate) fn waiters(&self) -> watch::Receiver<usize> {
        self.0.waiting.subscribe()
    }

    /// The server has failed to prove that it lives.
    pub(crate) fn lose(&self) {
        self.0.losses.send_modify(|count| *count += 1);
    }

    /// Changes whenever the server has failed to prove that it lives: streams from before may be dead at
    /// one end.
    pub(crate) fn losses(&self) -> watch::Receiver<u64> {
        self.0.losses.subscribe()
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.0.waiting.send_modify(|count| *count -= 1);
    }
}
