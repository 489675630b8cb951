//! Ctrl-C, SIGTERM and SIGHUP, and the orderly end of work that needs one.

use std::fs;
use std::sync::LazyLock;

use tokio::signal::unix::{Signal, SignalKind, signal as listen};
use tokio::sync::watch;

use crate::exit::ExitStatus;

/// Waits for a signal that stops the run, and returns its exit status.
pub(crate) async fn signal() -> ExitStatus {
    let interrupt = listen(SignalKind::interrupt());
    let terminate = listen(SignalKind::terminate());
    let (Ok(mut interrupt), Ok(mut terminate)) = (interrupt, terminate) else {
        // Without handlers, the signals end the process.
        return std::future::pending().await;
    };
    tokio::select! {
        status = hangup() => status,
        _ = interrupt.recv() => ExitStatus::Interrupted,
        _ = terminate.recv() => ExitStatus::Terminated,
    }
}

/// A closed terminal or a dropped connection; never if SIGHUP is ignored.
async fn hangup() -> ExitStatus {
    match hangups() {
        Some(mut hangups) => {
            hangups.recv().await;
            ExitStatus::HungUp
        }
        None => std::future::pending().await,
    }
}

/// SIGHUP, unless `nohup` or another parent has made this process ignore it. A handler would undo
/// that, so this is decided once, before any handler is installed.
fn hangups() -> Option<Signal> {
    static IS_IGNORED: LazyLock<bool> = LazyLock::new(|| {
        fs::read_to_string("/proc/self/status").is_ok_and(|status| ignores_hangup(&status))
    });
    if *IS_IGNORED {
        return None;
    }
    listen(SignalKind::hangup()).ok()
}

/// Whether the process ignores the first signal (`proc_pid_status(5)`, `SigIgn`).
fn ignores_hangup(status: &str) -> bool {
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok())
        .is_some_and(|mask| mask & 1 == 1)
}

/// Tells work to stop in an orderly way: to start nothing new, to restore what it has changed, and
/// to report what it saw. Work that does not listen is dropped.
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
    /// Requests a stop if some work listens; otherwise returns false and does nothing.
    #[must_use]
    pub fn ask(&self) -> bool {
        let is_heeded = *self.heeded.borrow();
        if is_heeded {
            self.asked.send_replace(true);
        }
        is_heeded
    }

    /// From now on, some work listens and stops in an orderly way.
    pub fn heed(&self) {
        self.heeded.send_replace(true);
    }

    /// Whether a stop was requested.
    #[must_use]
    pub fn is_asked(&self) -> bool {
        *self.asked.borrow()
    }

    /// Waits until a stop is requested.
    pub async fn asked(&self) {
        // This cannot fail: the sender still exists.
        let _ = self.asked.subscribe().wait_for(|asked| *asked).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hangup_that_is_ignored_is_read_from_the_mask() {
        for (mask, expected) in [
            ("0000000000000001", true),
            ("0000000000001003", true),
            ("0000000000001000", false),
            ("nonsense", false),
        ] {
            let status = format!("Name:\tcryptoctl\nSigBlk:\t0000000000000001\nSigIgn:\t{mask}\n");
            assert_eq!(ignores_hangup(&status), expected, "{mask}");
        }
        assert!(!ignores_hangup(""));
    }
}
