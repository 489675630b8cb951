//! The state of every replica and every Service over time, folded from the events of probes. Reports,
//! pages and the live view all read it, so they never disagree. Pure.
//!
//! All times are in milliseconds since the start of the run.

mod availability;
mod current_fault;
mod incident;
mod outage;
mod service;
mod span;

use std::collections::BTreeMap;

pub use self::current_fault::CurrentFault;
pub use self::incident::{Incident, Incidents};
pub use self::outage::Outage;
pub use self::service::ServiceState;
pub use self::span::Span;

use self::service::Endpoints;
use self::span::spans;
use crate::event::EventKind;
use crate::report::{ProbeCounts, ProbeState};

/// The state of every replica and every Service over time.
#[derive(Debug, Clone, Default)]
pub struct Timeline {
    /// In the order of their first event.
    replicas: Vec<Replica>,
    /// By name.
    services: BTreeMap<String, Vec<Endpoints>>,
}

/// The answers of one replica.
#[derive(Debug, Clone)]
struct Replica {
    pod: String,
    /// The state of its probes from each time on, in order.
    changes: Vec<(u64, ProbeState)>,
    counts: ProbeCounts,
}

impl Replica {
    fn named(pod: String) -> Self {
        Self {
            pod,
            changes: Vec::new(),
            counts: ProbeCounts::default(),
        }
    }

    /// The number of changes up to a time.
    fn until(&self, at_ms: u64) -> usize {
        self.changes.partition_point(|(since, _)| *since <= at_ms)
    }

    /// The state at a time; `None` before the first probe.
    fn state(&self, at_ms: u64) -> Option<ProbeState> {
        let last = self.until(at_ms).checked_sub(1)?;
        self.changes.get(last).map(|(_, state)| *state)
    }
}

impl Timeline {
    /// A timeline of these replicas, without any probe.
    #[must_use]
    pub fn of(pods: impl IntoIterator<Item = String>) -> Self {
        Self {
            replicas: pods.into_iter().map(Replica::named).collect(),
            services: BTreeMap::new(),
        }
    }

    /// Records an event about replicas, probes or endpoints; ignores others.
    pub fn record(&mut self, event: &EventKind) {
        match event {
            EventKind::Experiment { replicas, .. } => {
                for pod in replicas {
                    self.replica(pod);
                }
            }
            EventKind::Probe {
                pod, state, at_ms, ..
            } => {
                let changes = &mut self.replica(pod).changes;
                // A change may be reported late, but never before the previous one.
                let at_ms = changes.last().map_or(*at_ms, |last| last.0.max(*at_ms));
                changes.push((at_ms, *state));
            }
            EventKind::Probes { counts, .. } => {
                for (pod, counts) in counts {
                    self.replica(pod).counts = *counts;
                }
            }
            EventKind::Endpoints {
                service,
                ready,
                at_ms,
            } => {
                let changes = self.services.entry(service.clone()).or_default();
                changes.push(Endpoints {
                    since_ms: changes
                        .last()
                        .map_or(*at_ms, |last| last.since_ms.max(*at_ms)),
                    ready: ready.clone(),
                });
            }
            _ => {}
        }
    }

    /// The names of the replicas, by ordinal.
    pub fn replicas(&self) -> impl Iterator<Item = &str> {
        self.replicas.iter().map(|replica| replica.pod.as_str())
    }

    /// The names of the Services.
    pub fn services(&self) -> impl Iterator<Item = &str> {
        self.services.keys().map(String::as_str)
    }

    /// The probes of a replica so far.
    #[must_use]
    pub fn counts(&self, pod: &str) -> ProbeCounts {
        self.find(pod)
            .map(|replica| replica.counts)
            .unwrap_or_default()
    }

    /// The probes of a replica so far, to count the next one.
    pub fn counts_mut(&mut self, pod: &str) -> &mut ProbeCounts {
        &mut self.replica(pod).counts
    }

    /// The probes of every replica so far.
    #[must_use]
    pub fn tally(&self) -> BTreeMap<String, ProbeCounts> {
        let replicas = self.replicas.iter();
        replicas
            .map(|replica| (replica.pod.clone(), replica.counts))
            .collect()
    }

    /// The probes of all replicas so far.
    #[must_use]
    pub fn total(&self) -> ProbeCounts {
        self.replicas.iter().map(|replica| replica.counts).sum()
    }

    /// The time of the first probe of any replica.
    #[must_use]
    pub fn first_probe_ms(&self) -> Option<u64> {
        let first = |replica: &Replica| replica.changes.first().map(|(at_ms, _)| *at_ms);
        self.replicas.iter().filter_map(first).min()
    }

    /// The result of the latest probe of a replica.
    #[must_use]
    pub fn latest(&self, pod: &str) -> Option<ProbeState> {
        self.find(pod)?.changes.last().map(|(_, state)| *state)
    }

    /// The most severe state of a replica between two times; `None` before its first probe.
    #[must_use]
    pub fn gravest(&self, pod: &str, from_ms: u64, until_ms: u64) -> Option<ProbeState> {
        let replica = self.find(pod)?;
        let changes = &replica.changes;
        let began = replica.until(from_ms).checked_sub(1);
        // Several changes may have the same time.
        let first_ms = began.map_or(from_ms, |last| changes[last].0);
        let first = changes.partition_point(|(since, _)| *since < first_ms);
        let during = changes.iter().skip(first);
        let during = during.take_while(|(since, _)| *since < until_ms);
        during.map(|(_, state)| *state).max()
    }

    /// The states of a replica from its first probe until a time.
    #[must_use]
    pub fn answers(&self, pod: &str, until_ms: u64) -> Vec<Span<ProbeState>> {
        let changes = self.find(pod).map(|replica| replica.changes.as_slice());
        spans(changes.unwrap_or_default(), until_ms)
    }

    /// Every outage of a replica until a time.
    #[must_use]
    pub fn outages(&self, pod: &str, until_ms: u64) -> Vec<Outage> {
        outage::outages(&self.answers(pod, until_ms))
    }

    /// The states of a Service as clients may have seen them, from its first known endpoints until a time.
    #[must_use]
    pub fn service(&self, name: &str, until_ms: u64) -> Vec<Span<ServiceState>> {
        let endpoints = self.services.get(name).map(Vec::as_slice);
        service::answers(self, endpoints.unwrap_or_default(), until_ms)
    }

    fn find(&self, pod: &str) -> Option<&Replica> {
        self.replicas.iter().find(|replica| replica.pod == pod)
    }

    /// The replica with this name, which is added if it is new.
    fn replica(&mut self, pod: &str) -> &mut Replica {
        let known = self.replicas.iter().position(|replica| replica.pod == pod);
        let index = known.unwrap_or_else(|| {
            self.replicas.push(Replica::named(pod.to_owned()));
            self.replicas.len() - 1
        });
        &mut self.replicas[index]
    }
}

#[cfg(test)]
pub(crate) mod tests;
