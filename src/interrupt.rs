//! Ctrl-C and SIGTERM.

use tokio::signal::unix::{SignalKind, signal as listen};

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
