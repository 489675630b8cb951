//! The states of a replica or a Service over time, and how they are drawn.

use std::collections::BTreeMap;
use std::fmt::Write;

use crate::event::{Event, EventKind};
use crate::report::{Availability, ProbeState};
use crate::timeline::{Outage, ServiceState, Span, Timeline};

/// The states of one replica or Service over time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::render::document) struct Strip<S> {
    /// The name of the replica or Service.
    pub(in crate::render::document) name: String,
    /// Its states over time.
    pub(in crate::render::document) spans: Vec<Span<S>>,
    /// Its outages; empty for a Service.
    pub(in crate::render::document) outages: Vec<Outage>,
}

/// A part of the run, drawn with a number of columns.
#[derive(Debug, Clone, Copy)]
pub(in crate::render::document) struct Clip {
    /// Its beginning, in milliseconds since the start of the run.
    pub(in crate::render::document) from_ms: u64,
    /// Its end.
    pub(in crate::render::document) until_ms: u64,
    /// The columns.
    pub(in crate::render::document) columns: usize,
}

impl Clip {
    /// The column of a time, rounded down, and whether it was rounded.
    fn column(&self, at_ms: u64) -> (usize, bool) {
        let length = self.until_ms.saturating_sub(self.from_ms).max(1);
        let offset = at_ms.clamp(self.from_ms, self.until_ms.max(self.from_ms)) - self.from_ms;
        let scaled = u128::from(offset) * self.columns as u128;
        let column = usize::try_from(scaled / u128::from(length)).unwrap_or(self.columns);
        (column, !scaled.is_multiple_of(u128::from(length)))
    }

    /// The column of a time.
    pub(in crate::render::document) fn at(&self, at_ms: u64) -> usize {
        self.column(at_ms).0
    }

    /// The columns that a span touches, at least one.
    fn touched<S>(&self, span: &Span<S>) -> std::ops::Range<usize> {
        let (first, _) = self.column(span.from_ms);
        let (last, has_rest) = self.column(span.until_ms);
        let end = (last + usize::from(has_rest)).max(first + 1);
        first.min(self.columns)..end.min(self.columns)
    }
}

impl<S: Copy + Ord> Strip<S> {
    /// The states that occur.
    pub(in crate::render::document) fn states(&self) -> impl Iterator<Item = S> + '_ {
        self.spans.iter().map(|span| span.state)
    }

    /// One SVG path for each state that occurs, with rectangles of this height; the most severe state
    /// fills each column.
    pub(in crate::render::document) fn paths(
        &self,
        clip: &Clip,
        height: usize,
    ) -> BTreeMap<S, String> {
        let mut columns: Vec<Option<S>> = vec![None; clip.columns];
        let inside =
            |span: &&Span<S>| span.until_ms >= clip.from_ms && span.from_ms <= clip.until_ms;
        for span in self.spans.iter().filter(inside) {
            for column in columns.get_mut(clip.touched(span)).into_iter().flatten() {
                *column = (*column).max(Some(span.state));
            }
        }
        let mut paths: BTreeMap<S, String> = BTreeMap::new();
        let mut from = 0;
        for run in columns.chunk_by(|left, right| left == right) {
            if let Some(Some(state)) = run.first() {
                let path = paths.entry(*state).or_default();
                // Writing to a String cannot fail.
                let _ = write!(path, "M{from} 0h{}v{height}H{from}z", run.len());
            }
            from += run.len();
        }
        paths
    }
}

/// The strips of the replicas and the Services. They end with the probing as the report states, or
/// without a report with the last event about probes, because everything later is unknown.
pub(super) fn strips(
    events: &[Event],
    availability: Option<&Availability>,
) -> (Vec<Strip<ProbeState>>, Vec<Strip<ServiceState>>) {
    let mut timeline = Timeline::default();
    let mut known_until_ms = None;
    for event in events {
        timeline.record(&event.kind);
        if let EventKind::Probe { .. } | EventKind::Probes { .. } = event.kind {
            known_until_ms = known_until_ms.max(Some(event.elapsed_ms));
        }
    }
    let Some(known_until_ms) = known_until_ms else {
        return (Vec::new(), Vec::new());
    };
    let reported_ms = availability.map_or(0, |measured| measured.from_ms + measured.probed_ms);
    let until_ms = known_until_ms.max(reported_ms);
    let replicas = timeline.replicas().map(|pod| Strip {
        name: pod.to_owned(),
        spans: timeline.answers(pod, until_ms),
        outages: timeline.outages(pod, until_ms),
    });
    let services = timeline.services().map(|service| Strip {
        name: service.to_owned(),
        spans: timeline.service(service, until_ms),
        outages: Vec::new(),
    });
    (replicas.collect(), services.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    const WHOLE: Clip = Clip {
        from_ms: 0,
        until_ms: 1_000,
        columns: 10,
    };

    fn strip(spans: &[(u64, u64, ProbeState)]) -> Strip<ProbeState> {
        let spans = spans.iter().map(|(from_ms, until_ms, state)| Span {
            from_ms: *from_ms,
            until_ms: *until_ms,
            state: *state,
        });
        Strip {
            name: "web-0".into(),
            spans: spans.collect(),
            outages: Vec::new(),
        }
    }

    #[test]
    fn what_is_graver_is_never_hidden() {
        let strip = strip(&[
            (0, 510, ProbeState::Right),
            (510, 512, ProbeState::Wrong),
            (512, 800, ProbeState::Right),
            (800, 1_000, ProbeState::Silent),
        ]);
        let paths = strip.paths(&WHOLE, 1);
        assert_eq!(paths[&ProbeState::Wrong], "M5 0h1v1H5z");
        assert_eq!(paths[&ProbeState::Silent], "M8 0h2v1H8z");
        assert_eq!(paths[&ProbeState::Right], "M0 0h5v1H0zM6 0h2v1H6z");
    }

    #[test]
    fn nothing_is_drawn_where_nothing_is_known() {
        let known = strip(&[(400, 700, ProbeState::Right)]);
        assert_eq!(known.paths(&WHOLE, 1)[&ProbeState::Right], "M4 0h3v1H4z");
        assert!(strip(&[]).paths(&WHOLE, 1).is_empty());
    }

    #[test]
    fn a_state_lasts_as_long_as_was_probed_and_no_longer() {
        let probe = Event {
            time: jiff::Timestamp::UNIX_EPOCH,
            elapsed_ms: 60,
            kind: EventKind::Probe {
                pod: "web-0".into(),
                state: ProbeState::Right,
                at_ms: 50,
                detail: None,
            },
        };
        let until = |availability: Option<&Availability>| {
            strips(std::slice::from_ref(&probe), availability).0[0].spans[0].until_ms
        };
        assert_eq!(until(None), 60);
        let measured = Availability {
            from_ms: 55,
            probed_ms: 700,
            ..Availability::default()
        };
        assert_eq!(until(Some(&measured)), 755);
    }
}
