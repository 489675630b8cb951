//! Says once when the API server falls silent, and once when it answers again.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::time::Instant;

use super::error::ClusterError;
use crate::event::{Emitter, EventKind, milliseconds};

/// The state of the connection, shared by every request of a run.
#[derive(Clone)]
pub(super) struct Link {
    emitter: Emitter,
    silent_since: Arc<Mutex<Option<Instant>>>,
}

impl Link {
    pub(super) fn new(emitter: Emitter) -> Self {
        Self {
            emitter,
            silent_since: Arc::default(),
        }
    }

    /// A request got no usable answer, and will be repeated.
    pub(super) fn silent(&self, error: &ClusterError) {
        let mut since = self
            .silent_since
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if since.is_none() {
            *since = Some(Instant::now());
            self.emitter.send(EventKind::ServerSilent {
                reason: error.to_string(),
            });
        }
    }

    /// Whether the last word is that the server is silent.
    pub(super) fn is_silent(&self) -> bool {
        self.silent_since
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .is_some()
    }

    /// A request was answered.
    pub(super) fn answered(&self) {
        let mut since = self
            .silent_since
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(start) = since.take() {
            self.emitter.send(EventKind::ServerAnswers {
                silent_for_ms: milliseconds(start.elapsed()),
            });
        }
    }
}
