//! What every replica and every Service answered over time, folded from the events of probes: the one
//! account that reports, pages and the live view read, so that none tells another story. Pure.
//!
//! All moments are milliseconds since the run began.

mod availability;
mod incident;
mod outage;
mod service;
mod span;

use std::collections::BTreeMap;

pub use self::incident::{Incident, Incidents};
pub use self::outage::Outage;
pub use self::service::ServiceState;
pub use self::span::Span;

use self::service::Endpoints;
use self::span::spans;
use crate::event::EventKind;
use crate::report::{ProbeCounts, ProbeState};

/// What every replica and every Service answered over time.
#[derive(Debug, Clone, Default)]
pub struct Timeline {
    /// In the order in which they became known.
    replicas: Vec<Replica>,
    /// By name.
    services: BTreeMap<String, Vec<Endpoints>>,
}

/// The answers of one replica.
#[derive(Debug, Clone)]
struct Replica {
    pod: String,
    /// What its probes come to, and from when on; in order of time.
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

    /// How many of the changes had taken place at a moment.
    fn until(&self, at_ms: u64) -> usize {
        self.changes.partition_point(|(since, _)| *since <= at_ms)
    }

    /// The state at a moment; `None` before the first probe.
    fn state(&self, at_ms: u64) -> Option<ProbeState> {
        let last = self.until(at_ms).checked_sub(1)?;
        self.changes.get(last).map(|(_, state)| *state)
    }
}

impl Timeline {
    /// Of these replicas, of which nothing is known yet.
    #[must_use]
    pub fn of(pods: impl IntoIterator<Item = String>) -> Self {
        Self {
            replicas: pods.into_iter().map(Replica::named).collect(),
            services: BTreeMap::new(),
        }
    }

    /// Takes note of what an event says of replicas, probes and endpoints; others say nothing.
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
                // A change may be known later than it began, never before the one before it.
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

    /// How often a replica was probed by now.
    #[must_use]
    pub fn counts(&self, pod: &str) -> ProbeCounts {
        self.find(pod)
            .map(|replica| replica.counts)
            .unwrap_or_default()
    }

    /// The moment of the first probe of any replica.
    #[must_use]
    pub fn first_probe_ms(&self) -> Option<u64> {
        let first = |replica: &Replica| replica.changes.first().map(|(at_ms, _)| *at_ms);
        self.replicas.iter().filter_map(first).min()
    }

    /// What the latest probe of a replica came to.
    #[must_use]
    pub fn latest(&self, pod: &str) -> Option<ProbeState> {
        self.find(pod)?.changes.last().map(|(_, state)| *state)
    }

    /// The gravest state of a replica between two moments; `None` before its first probe.
    #[must_use]
    pub fn gravest(&self, pod: &str, from_ms: u64, until_ms: u64) -> Option<ProbeState> {
        let replica = self.find(pod)?;
        let changes = &replica.changes;
        let began = replica.until(from_ms).checked_sub(1);
        // Several changes may have been seen at one moment.
        let first_ms = began.map_or(from_ms, |last| changes[last].0);
        let first = changes.partition_point(|(since, _)| *since < first_ms);
        let during = changes.iter().skip(first);
        let during = during.take_while(|(since, _)| *since < until_ms);
        during.map(|(_, state)| *state).max()
    }

    /// What a replica answered from its first probe until a moment.
    #[must_use]
    pub fn answers(&self, pod: &str, until_ms: u64) -> Vec<Span<ProbeState>> {
        let changes = self.find(pod).map(|replica| replica.changes.as_slice());
        spans(changes.unwrap_or_default(), until_ms)
    }

    /// Every time without a right answer of a replica, until a moment.
    #[must_use]
    pub fn outages(&self, pod: &str, until_ms: u64) -> Vec<Outage> {
        outage::outages(&self.answers(pod, until_ms))
    }

    /// What the clients of a Service may have seen, from when its endpoints are known until a moment.
    #[must_use]
    pub fn service(&self, name: &str, until_ms: u64) -> Vec<Span<ServiceState>> {
        let endpoints = self.services.get(name).map(Vec::as_slice);
        service::answers(self, endpoints.unwrap_or_default(), until_ms)
    }

    fn find(&self, pod: &str) -> Option<&Replica> {
        self.replicas.iter().find(|replica| replica.pod == pod)
    }

    /// A replica that is known from now on.
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
