//! What a replica, or a Service, answered over time: spans of states, and how they are drawn.

use std::collections::BTreeMap;
use std::fmt::Write;

use crate::event::{Event, EventKind};
use crate::report::ProbeState;

/// The states of one replica or Service over time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::document) struct Strip {
    /// Whose.
    pub(in crate::document) name: String,
    /// From when to when which state held, in milliseconds since the run began.
    pub(in crate::document) spans: Vec<Span>,
}

/// A state that held for some time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::document) struct Span {
    /// Its beginning, in milliseconds since the run began.
    pub(in crate::document) from_ms: u64,
    /// Its end.
    pub(in crate::document) until_ms: u64,
    /// The state.
    pub(in crate::document) state: ProbeState,
}

/// A part of the run's time, drawn so many columns wide.
#[derive(Debug, Clone, Copy)]
pub(in crate::document) struct Clip {
    /// Its beginning, in milliseconds since the run began.
    pub(in crate::document) from_ms: u64,
    /// Its end.
    pub(in crate::document) until_ms: u64,
    /// The columns.
    pub(in crate::document) columns: usize,
}

impl Clip {
    /// The column at which a moment lies, rounded down, and its rest.
    fn column(&self, at_ms: u64) -> (usize, bool) {
        let length = self.until_ms.saturating_sub(self.from_ms).max(1);
        let offset = at_ms.clamp(self.from_ms, self.until_ms.max(self.from_ms)) - self.from_ms;
        let scaled = u128::from(offset) * self.columns as u128;
        let column = usize::try_from(scaled / u128::from(length)).unwrap_or(self.columns);
        (column, !scaled.is_multiple_of(u128::from(length)))
    }

    /// Where a moment lies, in columns.
    pub(in crate::document) fn at(&self, at_ms: u64) -> usize {
        self.column(at_ms).0
    }

    /// The columns that a span touches, one at least.
    fn touched(&self, span: &Span) -> std::ops::Range<usize> {
        let (first, _) = self.column(span.from_ms);
        let (last, has_rest) = self.column(span.until_ms);
        let end = (last + usize::from(has_rest)).max(first + 1);
        first.min(self.columns)..end.min(self.columns)
    }
}

/// How much a state counts where several fall into one column: what is worse is never hidden.
fn weight(state: ProbeState) -> u8 {
    match state {
        ProbeState::Wrong => 5,
        ProbeState::Failing => 4,
        ProbeState::Silent => 3,
        ProbeState::Unknown => 2,
        ProbeState::Right => 1,
    }
}

impl Strip {
    fn of_changes(name: &str, changes: &[(u64, ProbeState)], until_ms: u64) -> Self {
        let mut spans: Vec<Span> = Vec::new();
        for (index, &(from_ms, state)) in changes.iter().enumerate() {
            let next = changes.get(index + 1).map_or(until_ms, |next| next.0);
            let until_ms = next.max(from_ms);
            match spans.last_mut() {
                Some(last) if last.state == state && last.until_ms == from_ms => {
                    last.until_ms = until_ms;
                }
                _ => spans.push(Span {
                    from_ms,
                    until_ms,
                    state,
                }),
            }
        }
        Self {
            name: name.to_owned(),
            spans,
        }
    }

    /// The states that occur.
    pub(in crate::document) fn states(&self) -> impl Iterator<Item = ProbeState> + '_ {
        self.spans.iter().map(|span| span.state)
    }

    /// The state at a moment, when it is recorded.
    fn state(&self, at_ms: u64) -> Option<ProbeState> {
        self.spans
            .iter()
            .rev()
            .find(|span| span.from_ms <= at_ms && at_ms < span.until_ms)
            .map(|span| span.state)
    }

    /// One path of SVG for each state that occurs: rectangles of this height, where the worst state
    /// of each column fills it.
    pub(in crate::document) fn paths(
        &self,
        clip: &Clip,
        height: usize,
    ) -> BTreeMap<ProbeState, String> {
        let mut columns: Vec<Option<ProbeState>> = vec![None; clip.columns];
        let inside = |span: &&Span| span.until_ms >= clip.from_ms && span.from_ms <= clip.until_ms;
        for span in self.spans.iter().filter(inside) {
            for column in columns.get_mut(clip.touched(span)).into_iter().flatten() {
                if column.is_none_or(|state| weight(state) < weight(span.state)) {
                    *column = Some(span.state);
                }
            }
        }
        let mut paths: BTreeMap<ProbeState, String> = BTreeMap::new();
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

    /// Every time without a right answer: its beginning, end and worst state.
    pub(in crate::document) fn outages(&self) -> Vec<Span> {
        let mut outages: Vec<Span> = Vec::new();
        let away = |span: &&Span| !matches!(span.state, ProbeState::Right | ProbeState::Unknown);
        for span in self.spans.iter().filter(away) {
            match outages.last_mut() {
                Some(last) if last.until_ms == span.from_ms => {
                    last.until_ms = span.until_ms;
                    if weight(last.state) < weight(span.state) {
                        last.state = span.state;
                    }
                }
                _ => outages.push(*span),
            }
        }
        outages
    }
}

/// The strips of the replicas, and those of the Services that follow from them. Of what came after
/// the last event that tells of probes nothing is known, unless the report says that it was probed
/// for longer.
pub(super) fn strips(events: &[Event], probed_ms: u64) -> (Vec<Strip>, Vec<Strip>) {
    let mut pods: Vec<(&str, Vec<(u64, ProbeState)>)> = Vec::new();
    let mut endpoints: BTreeMap<&str, Vec<(u64, &[String])>> = BTreeMap::new();
    let mut known_until = None;
    for event in events {
        match &event.kind {
            EventKind::Experiment { replicas, .. } => {
                for pod in replicas {
                    if !pods.iter().any(|(known, _)| known == pod) {
                        pods.push((pod, Vec::new()));
                    }
                }
            }
            EventKind::Probe {
                pod, state, at_ms, ..
            } => {
                if !pods.iter().any(|(known, _)| known == pod) {
                    pods.push((pod, Vec::new()));
                }
                if let Some((_, changes)) = pods.iter_mut().find(|(known, _)| known == pod) {
                    // A change may be known later than it began, never before the one before it.
                    let at_ms = changes.last().map_or(*at_ms, |last| last.0.max(*at_ms));
                    changes.push((at_ms, *state));
                }
                known_until = known_until.max(Some(event.elapsed_ms));
            }
            EventKind::Probes { .. } => known_until = known_until.max(Some(event.elapsed_ms)),
            EventKind::Endpoints {
                service,
                ready,
                at_ms,
            } => endpoints.entry(service).or_default().push((*at_ms, ready)),
            _ => {}
        }
    }
    let Some(known_until) = known_until else {
        return (Vec::new(), Vec::new());
    };
    let changes = pods.iter().filter_map(|(_, changes)| changes.first());
    let first = changes
        .map(|(at_ms, _)| *at_ms)
        .min()
        .unwrap_or(known_until);
    let until_ms = known_until.max(first.saturating_add(probed_ms));
    let strips: Vec<Strip> = pods
        .iter()
        .map(|(pod, changes)| Strip::of_changes(pod, changes, until_ms))
        .collect();
    let services = endpoints
        .iter()
        .map(|(service, ready)| of_service(service, ready, &strips, until_ms))
        .collect();
    (strips, services)
}

/// What a client of a Service may have seen: right while every ready endpoint answers right,
/// failing while one does not, silent while none does.
fn of_service(service: &str, ready: &[(u64, &[String])], pods: &[Strip], until_ms: u64) -> Strip {
    let first = ready.first().map_or(until_ms, |(at_ms, _)| *at_ms);
    let mut moments: Vec<u64> = ready
        .iter()
        .map(|(at_ms, _)| *at_ms)
        .chain(
            pods.iter()
                .flat_map(|pod| pod.spans.iter().map(|span| span.from_ms)),
        )
        .filter(|at_ms| (first..until_ms).contains(at_ms))
        .collect();
    moments.sort_unstable();
    moments.dedup();
    let state = |at_ms: u64| {
        let (_, ready) = ready.iter().rev().find(|(since, _)| *since <= at_ms)?;
        let states: Vec<ProbeState> = ready
            .iter()
            .map(|name| {
                let strip = pods.iter().find(|pod| pod.name == *name);
                strip
                    .and_then(|strip| strip.state(at_ms))
                    .unwrap_or(ProbeState::Unknown)
            })
            .collect();
        let right = states
            .iter()
            .filter(|state| **state == ProbeState::Right)
            .count();
        Some(if states.contains(&ProbeState::Unknown) {
            ProbeState::Unknown
        } else if right == 0 {
            ProbeState::Silent
        } else if right == states.len() {
            ProbeState::Right
        } else {
            ProbeState::Failing
        })
    };
    let changes: Vec<(u64, ProbeState)> = moments
        .into_iter()
        .filter_map(|at_ms| Some((at_ms, state(at_ms)?)))
        .collect();
    Strip::of_changes(service, &changes, until_ms)
}

#[cfg(test)]
mod tests {
    use super::*;

    const WHOLE: Clip = Clip {
        from_ms: 0,
        until_ms: 1_000,
        columns: 10,
    };

    #[test]
    fn what_is_worse_is_never_hidden() {
        let changes = [
            (0, ProbeState::Right),
            (510, ProbeState::Wrong),
            (512, ProbeState::Right),
            (800, ProbeState::Silent),
        ];
        let strip = Strip::of_changes("web-0", &changes, 1_000);
        let paths = strip.paths(&WHOLE, 1);
        assert_eq!(paths[&ProbeState::Wrong], "M5 0h1v1H5z");
        assert_eq!(paths[&ProbeState::Silent], "M8 0h2v1H8z");
        assert_eq!(paths[&ProbeState::Right], "M0 0h5v1H0zM6 0h2v1H6z");
    }

    #[test]
    fn nothing_is_drawn_where_nothing_is_known() {
        let strip = Strip::of_changes("web-0", &[(400, ProbeState::Right)], 700);
        assert_eq!(strip.paths(&WHOLE, 1)[&ProbeState::Right], "M4 0h3v1H4z");
        assert!(
            Strip::of_changes("web-1", &[], 700)
                .paths(&WHOLE, 1)
                .is_empty()
        );
    }

    #[test]
    fn an_outage_is_one_whatever_it_consists_of() {
        let changes = [
            (0, ProbeState::Right),
            (100, ProbeState::Silent),
            (200, ProbeState::Failing),
            (300, ProbeState::Right),
        ];
        let strip = Strip::of_changes("web-0", &changes, 1_000);
        let expected = Span {
            from_ms: 100,
            until_ms: 300,
            state: ProbeState::Failing,
        };
        assert_eq!(strip.outages(), [expected]);
    }

    #[test]
    fn a_service_without_endpoints_serves_nobody() {
        let pod = Strip::of_changes("web-0", &[(0, ProbeState::Right)], 1_000);
        let web = ["web-0".to_owned()];
        let ready: [(u64, &[String]); 2] = [(0, &web), (400, &[])];
        let strip = of_service("web", &ready, &[pod], 1_000);
        let states: Vec<_> = strip
            .spans
            .iter()
            .map(|span| (span.from_ms, span.state))
            .collect();
        assert_eq!(states, [(0, ProbeState::Right), (400, ProbeState::Silent)]);
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
        let until =
            |probed_ms| strips(std::slice::from_ref(&probe), probed_ms).0[0].spans[0].until_ms;
        assert_eq!(until(0), 60);
        assert_eq!(until(700), 750);
    }
}
