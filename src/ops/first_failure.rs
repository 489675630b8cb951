//! The answer that several waits share: once one of them has failed, the others need not go on.

use tokio::sync::watch;

/// Whether something that is waited for has failed.
#[derive(Debug, Clone)]
pub(crate) struct Verdict(watch::Sender<bool>);

impl Default for Verdict {
    fn default() -> Self {
        Self(watch::Sender::new(false))
    }
}

impl Verdict {
    /// Says that something has failed.
    pub(crate) fn fail(&self) {
        self.0.send_replace(true);
    }

    /// Waits until something has failed.
    pub(crate) async fn failed(&self) {
        // It cannot fail: this sender lives.
        let _ = self.0.subscribe().wait_for(|failed| *failed).await;
    }
}
