//! The model's time: tokio's clock on top of a fixed start, so that paused time works.

use std::time::Duration;

use jiff::Timestamp;
use tokio::time::Instant;

/// Maps tokio's instants to timestamps.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Clock {
    start: Instant,
    epoch: Timestamp,
}

impl Clock {
    /// A clock that shows `epoch` now.
    pub(crate) fn starting_at(epoch: Timestamp) -> Self {
        Self {
            start: Instant::now(),
            epoch,
        }
    }

    /// The time now.
    pub(crate) fn now(&self) -> Moment {
        let instant = Instant::now();
        Moment {
            instant,
            timestamp: self.epoch + (instant - self.start),
        }
    }
}

/// A moment, once for timers and once for objects.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Moment {
    /// For deadlines.
    pub(crate) instant: Instant,
    /// For fields.
    pub(crate) timestamp: Timestamp,
}

impl Moment {
    /// As `metav1.Time` prints it: whole seconds.
    pub(crate) fn text(&self) -> String {
        self.timestamp.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
    }

    /// As the header `Date` shows it.
    pub(crate) fn http_date(&self) -> String {
        self.timestamp
            .strftime("%a, %d %b %Y %H:%M:%S GMT")
            .to_string()
    }

    /// The text of a later moment.
    pub(crate) fn text_after(&self, delay: Duration) -> String {
        (self.timestamp + delay)
            .strftime("%Y-%m-%dT%H:%M:%SZ")
            .to_string()
    }
}
