//! The state of a Service as its clients may have seen it, derived from its ready endpoints and the
//! answers of the replicas behind them.

use super::{Replica, Span, Timeline, spans};
use crate::report::ProbeState;

/// The state of a Service, by severity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ServiceState {
    /// Every ready endpoint gives right answers.
    Right,
    /// No ready endpoint is known to fail, but the state of at least one is unknown.
    Unknown,
    /// At least one ready endpoint gives no right answer: a request may fail.
    Failing,
    /// No ready endpoint gives a right answer, or there is none: every request fails.
    Down,
}

/// The pods to which a Service routes from a time on.
#[derive(Debug, Clone)]
pub(super) struct Endpoints {
    pub(super) since_ms: u64,
    pub(super) ready: Vec<String>,
}

/// The states of a Service with these endpoints until a time.
pub(super) fn answers(
    timeline: &Timeline,
    endpoints: &[Endpoints],
    until_ms: u64,
) -> Vec<Span<ServiceState>> {
    let mut changes = Vec::new();
    for (index, Endpoints { since_ms, ready }) in endpoints.iter().enumerate() {
        let next = endpoints.get(index + 1);
        let end_ms = next.map_or(until_ms.max(*since_ms), |next| next.since_ms);
        changes.extend(while_ready(timeline, ready, *since_ms, end_ms));
    }
    spans(&changes, until_ms)
}

/// The changes between two times, while the Service routes to the same pods.
fn while_ready(
    timeline: &Timeline,
    ready: &[String],
    since_ms: u64,
    end_ms: u64,
) -> Vec<(u64, ServiceState)> {
    let replicas: Vec<Option<&Replica>> = ready.iter().map(|pod| timeline.find(pod)).collect();
    let mut states: Vec<ProbeState> = replicas
        .iter()
        .map(|replica| replica.and_then(|replica| replica.state(since_ms)))
        .map(|state| state.unwrap_or(ProbeState::Unknown))
        .collect();
    let mut turns: Vec<(u64, usize, ProbeState)> = Vec::new();
    for (place, replica) in replicas.iter().enumerate() {
        let changes = replica.iter().flat_map(|replica| {
            let after = replica.changes.iter().skip(replica.until(since_ms));
            after.take_while(|(at_ms, _)| *at_ms < end_ms)
        });
        turns.extend(changes.map(|(at_ms, state)| (*at_ms, place, *state)));
    }
    turns.sort_by_key(|(at_ms, ..)| *at_ms);
    let mut away = states.iter().filter(|state| is_away(**state)).count();
    let mut unknown = states.iter().filter(|state| is_unknown(**state)).count();
    let mut changes = vec![(since_ms, of_all(states.len(), away, unknown))];
    for at_once in turns.chunk_by(|left, right| left.0 == right.0) {
        for (_, place, state) in at_once {
            let before = std::mem::replace(&mut states[*place], *state);
            away = away + usize::from(is_away(*state)) - usize::from(is_away(before));
            unknown = unknown + usize::from(is_unknown(*state)) - usize::from(is_unknown(before));
        }
        let at_ms = at_once.first().map_or(since_ms, |(at_ms, ..)| *at_ms);
        changes.push((at_ms, of_all(states.len(), away, unknown)));
    }
    changes
}

fn of_all(ready: usize, away: usize, unknown: usize) -> ServiceState {
    if away == ready {
        ServiceState::Down
    } else if away > 0 {
        ServiceState::Failing
    } else if unknown > 0 {
        ServiceState::Unknown
    } else {
        ServiceState::Right
    }
}

/// Whether a replica is known to give no right answer.
pub(super) fn is_away(state: ProbeState) -> bool {
    !matches!(state, ProbeState::Right | ProbeState::Unknown)
}

fn is_unknown(state: ProbeState) -> bool {
    state == ProbeState::Unknown
}
