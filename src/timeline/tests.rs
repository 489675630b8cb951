//! Compares the timeline with a model that checks every millisecond.

use std::ops::Range;

use proptest::prelude::*;

use super::*;
use crate::event::EventKind;
use crate::report::Availability;

const PODS: [&str; 3] = ["web-0", "web-1", "web-2"];
/// The measured window, which begins after the warm-up.
const MEASURED: Range<u64> = 5..60;

fn probe(pod: usize, state: ProbeState, at_ms: u64) -> EventKind {
    EventKind::Probe {
        pod: PODS[pod].into(),
        state,
        at_ms,
        detail: None,
    }
}

fn endpoints(ready: &[usize], at_ms: u64) -> EventKind {
    EventKind::Endpoints {
        service: "web".into(),
        ready: ready.iter().map(|pod| PODS[*pod].to_owned()).collect(),
        at_ms,
    }
}

fn timeline(events: &[EventKind]) -> Timeline {
    let mut timeline = Timeline::of(PODS.map(str::to_owned));
    for event in events {
        timeline.record(event);
    }
    timeline
}

fn outages(changes: &[(ProbeState, u64)], until_ms: u64) -> Vec<(u64, u64, bool)> {
    let events: Vec<EventKind> = changes
        .iter()
        .map(|(state, at_ms)| probe(0, *state, *at_ms))
        .collect();
    let outages = timeline(&events).outages("web-0", until_ms);
    let parts = |outage: Outage| (outage.from_ms, outage.until_ms, outage.is_over);
    outages.into_iter().map(parts).collect()
}

use ProbeState::{Failing, Right, Silent, Unknown, Wrong};

#[test]
fn an_outage_lasts_until_the_next_right_answer() {
    let changes = [(Right, 0), (Silent, 100), (Failing, 250), (Right, 700)];
    assert_eq!(outages(&changes, 1_000), [(100, 700, true)]);
}

#[test]
fn what_is_unknown_in_the_middle_of_an_outage_does_not_end_it() {
    let changes = [
        (Right, 0),
        (Silent, 1),
        (Unknown, 2),
        (Silent, 3),
        (Right, 4),
    ];
    assert_eq!(outages(&changes, 10), [(1, 4, true)]);
    assert_eq!(
        outages(&[(Right, 0), (Unknown, 100), (Right, 700)], 1_000),
        []
    );
}

#[test]
fn an_outage_that_is_not_over_lasted_as_long_as_is_known() {
    let open = [(Right, 0), (Silent, 900)];
    assert_eq!(outages(&open, 1_000), [(900, 1_000, false)]);
    let lost = [(Right, 0), (Silent, 900), (Unknown, 950)];
    assert_eq!(outages(&lost, 1_000), [(900, 950, false)]);
}

#[test]
fn a_service_fails_while_it_leads_to_a_replica_that_does_not_answer() {
    let timeline = timeline(&[
        probe(0, Right, 0),
        probe(1, Right, 0),
        endpoints(&[0, 1], 0),
        probe(0, Failing, 100),
        endpoints(&[1], 300),
        probe(0, Right, 900),
        endpoints(&[], 950),
    ]);
    let services = timeline.availability(0, 1_000).services;
    assert_eq!((services[0].failing_ms, services[0].down_ms), (250, 50));
}

#[test]
fn a_failure_that_is_known_counts_beside_what_is_not() {
    let timeline = timeline(&[
        probe(0, Right, 0),
        endpoints(&[0, 1], 0),
        probe(0, Silent, 400),
        probe(0, Right, 500),
    ]);
    let services = timeline.availability(0, 1_000).services;
    assert_eq!((services[0].failing_ms, services[0].unknown_ms), (100, 900));
}

/// A model that checks every millisecond.
struct Model {
    /// By pod and millisecond; `None` before its first probe.
    states: Vec<Vec<Option<ProbeState>>>,
    /// By millisecond; `None` before the first endpoints of the Service.
    ready: Vec<Option<Vec<usize>>>,
}

impl Model {
    fn of(events: &[EventKind]) -> Self {
        let until = usize::try_from(MEASURED.end).unwrap();
        let mut model = Self {
            states: vec![vec![None; until]; PODS.len()],
            ready: vec![None; until],
        };
        for event in events {
            match event {
                EventKind::Probe {
                    pod, state, at_ms, ..
                } => {
                    let pod = PODS.iter().position(|name| name == pod).unwrap();
                    let from = usize::try_from(*at_ms).unwrap();
                    model.states[pod][from..].fill(Some(*state));
                }
                EventKind::Endpoints { ready, at_ms, .. } => {
                    let place = |name: &String| PODS.iter().position(|pod| pod == name).unwrap();
                    let ready = ready.iter().map(place).collect::<Vec<_>>();
                    let from = usize::try_from(*at_ms).unwrap();
                    model.ready[from..].fill(Some(ready));
                }
                _ => {}
            }
        }
        model
    }

    fn is_away(&self, pod: usize, at: usize) -> bool {
        !matches!(self.states[pod][at], None | Some(Right | Unknown))
    }

    fn time(holds: impl Fn(usize) -> bool) -> u64 {
        let moments = MEASURED.map(|at| usize::try_from(at).unwrap());
        moments.filter(|at| holds(*at)).count() as u64
    }

    /// The longest outage, and the open one.
    fn outages(&self, pod: usize) -> (u64, Option<u64>) {
        let states = &self.states[pod];
        let (mut longest, mut from, mut known) = (0, None, None);
        for (at, state) in states.iter().enumerate() {
            match state {
                None => {}
                Some(Right) => {
                    if known.take().is_some() {
                        longest = longest.max(at - from.unwrap());
                    }
                    from = None;
                }
                Some(state) => {
                    from.get_or_insert(at);
                    if *state != Unknown {
                        known = Some(at + 1);
                    }
                }
            }
        }
        let open = known.map(|until| until - from.unwrap());
        let longest = longest.max(open.unwrap_or(0));
        (longest as u64, open.map(|open| open as u64))
    }

    fn agrees(&self, measured: &Availability) {
        let pods = 0..PODS.len();
        let none = Self::time(|at| pods.clone().all(|pod| self.is_away(pod, at)));
        assert_eq!(measured.none_answered_ms, none);
        for pod in pods {
            let replica = &measured.replicas[pod];
            let unknown = Self::time(|at| matches!(self.states[pod][at], None | Some(Unknown)));
            assert_eq!(replica.unknown_ms, unknown);
            let of_pod = (replica.longest_outage_ms, replica.open_outage_ms);
            assert_eq!(of_pod, self.outages(pod));
        }
        let ready = |at: usize| self.ready[at].as_deref();
        let some =
            |at| ready(at).is_some_and(|ready| ready.iter().any(|pod| self.is_away(*pod, at)));
        let all =
            |at| ready(at).is_some_and(|ready| ready.iter().all(|pod| self.is_away(*pod, at)));
        for service in &measured.services {
            assert_eq!(service.failing_ms, Self::time(|at| some(at) || all(at)));
            assert_eq!(service.down_ms, Self::time(all));
        }
    }
}

/// Events in order, with at most one change of each replica or Service at a time.
pub(crate) fn histories() -> impl Strategy<Value = Vec<EventKind>> {
    let state = prop::sample::select(vec![Right, Wrong, Failing, Silent, Unknown]);
    let probe = (0..PODS.len(), state).prop_map(|(pod, state)| probe(pod, state, 0));
    let ready = prop::sample::subsequence(vec![0, 1, 2], 0..=3);
    let step = prop_oneof![4 => probe, 1 => ready.prop_map(|ready| endpoints(&ready, 0))];
    prop::collection::vec((step, 1..8_u64), 0..40).prop_map(|steps| {
        let mut now_ms = 0;
        let mut events = Vec::new();
        for (mut event, later_ms) in steps {
            if let EventKind::Probe { at_ms, .. } | EventKind::Endpoints { at_ms, .. } = &mut event
            {
                *at_ms = now_ms;
            }
            now_ms += later_ms;
            if now_ms < MEASURED.end {
                events.push(event);
            }
        }
        events
    })
}

proptest! {
    #[test]
    fn every_figure_is_that_of_a_look_at_every_millisecond(events in histories()) {
        let measured = timeline(&events).availability(MEASURED.start, MEASURED.end);
        Model::of(&events).agrees(&measured);
    }
}
