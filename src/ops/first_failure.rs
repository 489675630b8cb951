//! A signal that several waits share: once one of them has failed, the others can stop.

use tokio::sync::watch;

/// Whether one of the waits has failed.
#[derive(Debug, Clone)]
pub(crate) struct Verdict(watch::Sender<bool>);

impl Default for Verdict {
    fn default() -> Self {
        Self(watch::Sender::new(false))
    }
}

impl Verdict {
    /// Reports that one has failed.
    pub(crate) fn fail(&self) {
        self.0.send_replace(true);
    }

    /// Waits until one has failed.
    pub(crate) async fn failed(&self) {
        // This cannot fail: the sender still exists.
        let _ = self.0.subscribe().wait_for(|failed| *failed).await;
    }
}
