//! Outages: times without a right answer.

use super::Span;
use crate::report::ProbeState;

/// An outage: from the last right answer before it to the first one after it, so it is never shorter
/// than what a client saw.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Outage {
    /// Its beginning, in milliseconds since the start of the run.
    pub from_ms: u64,
    /// Its end; for an open outage, the last time at which it is known to have lasted.
    pub until_ms: u64,
    /// Whether the replica gave a right answer again.
    pub is_over: bool,
}

impl Outage {
    /// Its length (so far), in milliseconds.
    #[must_use]
    pub fn length_ms(&self) -> u64 {
        self.until_ms - self.from_ms
    }
}

/// The outages among the states of a replica. Unknown time is no outage by itself, but part of one if
/// known trouble surrounds it.
pub(super) fn outages(answers: &[Span<ProbeState>]) -> Vec<Outage> {
    let mut outages = Vec::new();
    // The start of the open outage, and the last time at which it is known to have lasted.
    let mut open: Option<(u64, Option<u64>)> = None;
    for span in answers {
        match span.state {
            ProbeState::Right => {
                if let Some((from_ms, Some(_))) = open.take() {
                    outages.push(Outage {
                        from_ms,
                        until_ms: span.from_ms,
                        is_over: true,
                    });
                }
            }
            ProbeState::Unknown => {
                open.get_or_insert((span.from_ms, None));
            }
            ProbeState::Wrong | ProbeState::Failing | ProbeState::Silent => {
                let (_, known) = open.get_or_insert((span.from_ms, None));
                *known = Some(span.until_ms);
            }
        }
    }
    if let Some((from_ms, Some(until_ms))) = open {
        outages.push(Outage {
            from_ms,
            until_ms,
            is_over: false,
        });
    }
    outages
}
