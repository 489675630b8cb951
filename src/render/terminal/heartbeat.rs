//! Repeats what a long wait is waiting for, on displays without live rows. Pure.

use super::line::{Level, Line, Tone};
use super::picture::Picture;
use crate::event::Event;
use crate::figures::took;

/// After this time without output, a line says what the run is waiting for; in milliseconds.
const SILENCE_MS: u64 = 30_000;
/// At most this many items are named.
const NAMED: usize = 3;

/// A fold over the events, and the lines that are due.
#[derive(Debug, Default)]
pub(super) struct Heartbeat {
    picture: Picture,
    /// The time of the last output, in milliseconds since the start of the run.
    said_ms: u64,
}

impl Heartbeat {
    /// Records an event.
    pub(super) fn record(&mut self, event: &Event) {
        self.picture.record(event);
    }

    /// Records output at this time, in milliseconds since the start of the run.
    pub(super) fn said(&mut self, now_ms: u64) {
        self.said_ms = self.said_ms.max(now_ms);
    }

    /// What the run is waiting for, if it is time to say so; this counts as output.
    pub(super) fn lines(&mut self, now_ms: u64) -> Vec<Line> {
        if now_ms.saturating_sub(self.said_ms) < SILENCE_MS {
            return Vec::new();
        }
        let mut waits = self.picture.waits(now_ms);
        if waits.is_empty() {
            return Vec::new();
        }
        self.said_ms = now_ms;
        let more = waits.len().saturating_sub(NAMED);
        waits.truncate(NAMED);
        if more > 0 {
            waits.push(format!("and {more} more"));
        }
        let whole_seconds = now_ms / 1_000 * 1_000;
        let start = format!("still waiting after {}: ", took(whole_seconds));
        vec![
            Line::said(Level::Progress)
                .with(Tone::Faint, start)
                .text(waits.join("; ")),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::terminal::tests::samples;

    /// The lines of each second, if no event comes after this time.
    fn said(events: &[Event], until_ms: u64, seconds: u64) -> Vec<String> {
        let mut heartbeat = Heartbeat::default();
        for event in events.iter().filter(|event| event.elapsed_ms <= until_ms) {
            heartbeat.record(event);
            heartbeat.said(event.elapsed_ms);
        }
        (0..=seconds)
            .flat_map(|second| heartbeat.lines(second * 1_000))
            .map(|line| line.render(false))
            .collect()
    }

    #[test]
    fn a_long_wait_says_every_30_seconds_what_it_waits_for() {
        let said = said(&samples::up(), 4_500, 100);
        assert_eq!(said.len(), 3, "{said:?}");
        for line in &said {
            assert!(line.starts_with("still waiting after "), "{line}");
            assert!(line.contains("statefulset/cryptoserver"), "{line}");
        }
    }

    #[test]
    fn what_waits_for_nothing_says_nothing() {
        assert_eq!(said(&samples::logs(), u64::MAX, 300), [""; 0]);
    }

    #[test]
    fn an_experiment_says_what_it_has_not_seen_yet() {
        let said = said(&samples::survived(), 3_000, 40);
        assert_eq!(said.len(), 1, "{said:?}");
        assert!(said[0].contains("delete of cryptoserver-0"), "{said:?}");
    }
}
