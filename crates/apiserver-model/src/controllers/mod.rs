//! The controllers, driven by changes and by tokio's time.

mod adoption;
pub(crate) mod budget;
mod claims;
mod endpoints;
mod events;
mod garbage;
mod namespaces;
mod nodes;
mod pods;
mod replicas;
mod revisions;
mod stateful_set;

use std::sync::{Arc, Weak};

use tokio::time::Instant;

use super::state::{Shared, State};

/// The manager that all controllers write as.
const MANAGER: &str = "kube-controller-manager";

/// Runs the controllers until the server is dropped.
pub(crate) async fn run(shared: Weak<Shared>) {
    let Some(mut changes) = shared.upgrade().map(|shared| shared.changes()) else {
        return;
    };
    loop {
        let next = {
            let Some(shared) = shared.upgrade() else {
                return;
            };
            shared.while_frozen().await;
            let lag = shared.with(|state| state.controllers_lag);
            if !lag.is_zero() {
                tokio::time::sleep(lag).await;
            }
            changes.mark_heard();
            shared.with(State::reconcile)
        };
        let pause = async {
            match next {
                Some(next) => tokio::time::sleep_until(next).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            () = pause => {}
            () = changes.raised() => {}
        }
    }
}

/// Runs every controller until none has anything to do; returns when the first has to look again by itself.
pub(super) fn reconcile(state: &mut State) -> Option<Instant> {
    loop {
        let before = state.store.revision();
        namespaces::reconcile(state);
        nodes::reconcile(state);
        garbage::reconcile(state);
        let waiting = stateful_set::reconcile(state);
        claims::reconcile(state);
        let next = pods::reconcile(state);
        endpoints::reconcile(state);
        budget::reconcile(state);
        if state.store.revision() == before {
            return waiting.into_iter().chain(next).min();
        }
    }
}

/// Keeps the controllers running; ends them when dropped.
#[derive(Debug)]
pub(crate) struct Running(tokio::task::JoinHandle<()>);

impl Running {
    /// Starts the controllers of a cluster.
    pub(crate) fn start(shared: &Arc<Shared>) -> Self {
        Self(tokio::spawn(run(Arc::downgrade(shared))))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.0.abort();
    }
}
