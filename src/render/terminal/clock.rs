//! The clock of a run, as the renderer of its events knows it.

use std::time::{Duration, Instant};

use crate::event::Event;

/// The clock of a run.
#[derive(Debug)]
pub(super) struct Clock {
    /// The beginning of the run, by this process's clock.
    beginning: Instant,
}

impl Default for Clock {
    fn default() -> Self {
        Self {
            beginning: Instant::now(),
        }
    }
}

impl Clock {
    /// Records an event, which carries the elapsed time of the run.
    pub(super) fn record(&mut self, event: &Event) {
        let elapsed = Duration::from_millis(event.elapsed_ms);
        if let Some(beginning) = Instant::now().checked_sub(elapsed) {
            self.beginning = self.beginning.min(beginning);
        }
    }

    /// How long the run has lasted.
    pub(super) fn elapsed(&self) -> Duration {
        self.beginning.elapsed()
    }
}
