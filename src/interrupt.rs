//! Ctrl-C and SIGTERM, and how work that has to end in good order is told.

use tokio::signal::unix::{SignalKind, signal as listen};
use tokio::sync::watch;

use crate::exit::ExitStatus;

/// Waits for a signal that asks to stop, and says with which status the process ends for it.
pub(crate) async fn signal() -> ExitStatus {
    let interrupt = listen(SignalKind::interrupt());
    let terminate = listen(SignalKind::terminate());
    let (Ok(mut interrupt), Ok(mut terminate)) = (interrupt, terminate) else {
        // Without handlers the signals end the process by themselves.
        return std::future::pending().await;
    };
    tokio::select! {
        _ = interrupt.recv() => ExitStatus::Interrupted,
        _ = terminate.recv() => ExitStatus::Terminated,
    }
}

/// Asks work to end in good order: to begin nothing new, to restore what it has changed, and to
/// report what it saw. Work that does not heed it is simply dropped.
#[derive(Debug, Clone)]
pub struct Stop {
    asked: watch::Sender<bool>,
    heeded: watch::Sender<bool>,
}

impl Default for Stop {
    fn default() -> Self {
        Self {
            asked: watch::Sender::new(false),
            heeded: watch::Sender::new(false),
        }
    }
}

impl Stop {
    /// Asks, when somebody heeds it; otherwise it returns false and nothing happens.
    #[must_use]
    pub fn ask(&self) -> bool {
        let is_heeded = *self.heeded.borrow();
        if is_heeded {
            self.asked.send_replace(true);
        }
        is_heeded
    }

    /// From now on somebody ends in good order when asked to.
    pub fn heed(&self) {
        self.heeded.send_replace(true);
    }

    /// Whether it was asked.
    #[must_use]
    pub fn is_asked(&self) -> bool {
        *self.asked.borrow()
    }

    /// Waits until it is asked.
    pub async fn asked(&self) {
        // It cannot fail: this sender lives.
        let _ = self.asked.subscribe().wait_for(|asked| *asked).await;
    }
}
