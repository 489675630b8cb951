//! The fault that was sent last, and how far its targets have recovered.

use std::collections::{BTreeMap, BTreeSet};

use crate::event::{Event, EventKind};
use crate::fault::Fault;
use crate::report::RecoveryPhase;

/// The fault that was sent last.
#[derive(Debug, Clone)]
pub struct CurrentFault {
    /// Its number in the experiment, from 1.
    pub number: u32,
    /// The fault.
    pub fault: Fault,
    /// Its targets.
    pub pods: Vec<String>,
    /// When it was sent, in milliseconds since the start of the run.
    pub at_ms: u64,
    /// The phase that was seen last, in milliseconds since the fault.
    pub last: Option<(RecoveryPhase, u64)>,
    /// When each phase was last seen, in milliseconds since the fault, and for which targets.
    seen: BTreeMap<RecoveryPhase, (u64, BTreeSet<String>)>,
}

impl CurrentFault {
    /// Records an event about a fault or a phase of its recovery; ignores others.
    pub fn record(current: &mut Option<Self>, event: &Event) {
        match &event.kind {
            EventKind::Fault {
                number,
                fault,
                pods,
            } => {
                *current = Some(Self {
                    number: *number,
                    fault: *fault,
                    pods: pods.clone(),
                    at_ms: event.elapsed_ms,
                    last: None,
                    seen: BTreeMap::new(),
                });
            }
            EventKind::Phase {
                pod,
                phase,
                after_ms,
                ..
            } => {
                if let Some(current) = current {
                    current.last = Some((*phase, *after_ms));
                    let (latest, pods) = current.seen.entry(*phase).or_default();
                    *latest = (*latest).max(*after_ms);
                    pods.insert(pod.clone());
                }
            }
            _ => {}
        }
    }

    /// When a phase was last seen, in milliseconds since the fault, and for how many targets.
    #[must_use]
    pub fn seen(&self, phase: RecoveryPhase) -> Option<(u64, usize)> {
        let (after_ms, pods) = self.seen.get(&phase)?;
        Some((*after_ms, pods.len()))
    }

    /// Whether this phase was missed, because a later one that implies it was seen.
    #[must_use]
    pub fn has_passed(&self, phase: RecoveryPhase) -> bool {
        self.seen.keys().any(|seen| phase.is_implied_by(*seen))
    }

    /// Whether a target has not recovered yet.
    #[must_use]
    pub fn is_recovering(&self, pod: &str) -> bool {
        let recovered = self.seen.get(&RecoveryPhase::AllEqual);
        self.pods.iter().any(|target| target == pod)
            && !recovered.is_some_and(|(_, pods)| pods.contains(pod))
    }

    /// Whether every target has recovered.
    #[must_use]
    pub fn is_over(&self) -> bool {
        !self.pods.iter().any(|pod| self.is_recovering(pod))
    }
}
