//! The cluster's own time: what the ages of its objects are told by.

use std::sync::{Arc, Mutex, PoisonError};

use http::{HeaderMap, header};
use jiff::Timestamp;
use jiff::fmt::rfc2822::DateTimeParser;
use tokio::time::Instant;

/// The API server's clock, as its answers show it.
///
/// The clock of this machine may differ from the cluster's, by minutes or by hours.
#[derive(Clone, Default)]
pub(crate) struct Clock(Arc<Mutex<Option<(Instant, Timestamp)>>>);

impl Clock {
    /// Reads the `Date` of an answer of the API server itself.
    pub(crate) fn hear(&self, headers: &HeaderMap) {
        let date = headers
            .get(header::DATE)
            .and_then(|date| date.to_str().ok())
            .and_then(|date| DateTimeParser::new().parse_timestamp(date).ok());
        if let Some(date) = date {
            *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some((Instant::now(), date));
        }
    }

    /// The time now, in whole seconds as far as the server is concerned; this machine's, if the server
    /// has not said it (RFC 9110, section 6.6.1).
    pub(crate) fn now(&self) -> Timestamp {
        let last = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        last.and_then(|(at, date)| date.checked_add(at.elapsed()).ok())
            .unwrap_or_else(Timestamp::now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn goes_on_from_what_the_server_said() {
        let clock = Clock::default();
        let mut headers = HeaderMap::new();
        headers.insert(
            header::DATE,
            "Thu, 01 Jan 2026 00:00:00 GMT".parse().unwrap(),
        );
        clock.hear(&headers);
        tokio::time::advance(std::time::Duration::from_secs(90)).await;
        assert_eq!(clock.now().to_string(), "2026-01-01T00:01:30Z");
        headers.insert(header::DATE, "yesterday".parse().unwrap());
        clock.hear(&headers);
        assert_eq!(clock.now().to_string(), "2026-01-01T00:01:30Z");
    }
}
