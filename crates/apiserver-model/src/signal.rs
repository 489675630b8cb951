//! Wakes who waits, in the order in which they began to: tokio's own `watch` draws that order, and a seed could not be
//! replayed.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::Notify;

/// Something that is raised again and again.
#[derive(Debug, Default)]
pub(crate) struct Signal {
    count: AtomicU64,
    notify: Notify,
}

impl Signal {
    /// Wakes everybody.
    pub(crate) fn raise(&self) {
        self.count.fetch_add(1, Ordering::SeqCst);
        self.notify.notify_waiters();
    }

    /// Listens from now on.
    pub(crate) fn listen(self: &Arc<Self>) -> Listener {
        Listener {
            seen: self.count.load(Ordering::SeqCst),
            signal: Arc::clone(self),
        }
    }
}

/// Knows what it has heard.
#[derive(Debug)]
pub(crate) struct Listener {
    signal: Arc<Signal>,
    seen: u64,
}

impl Listener {
    /// What was raised until now does not count.
    pub(crate) fn mark_heard(&mut self) {
        self.seen = self.signal.count.load(Ordering::SeqCst);
    }

    /// Waits until the signal has been raised since it was heard last.
    pub(crate) async fn raised(&mut self) {
        loop {
            let notified = self.signal.notify.notified();
            tokio::pin!(notified);
            notified.as_mut().enable();
            let count = self.signal.count.load(Ordering::SeqCst);
            if count != self.seen {
                self.seen = count;
                return;
            }
            notified.await;
        }
    }
}
