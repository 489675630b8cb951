//! What clients would have seen: every replica's answers over time, folded from its changes. Pure.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// What a probe of a replica came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProbeState {
    /// The expected status with the content of the steady state.
    Right,
    /// The expected status with other content.
    Wrong,
    /// Another status than expected.
    Failing,
    /// No answer: nothing listens, nobody is there, or not in time.
    Silent,
    /// The replica could not be asked, so that nothing is known about it.
    Unknown,
}

/// How often each state was seen.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProbeCounts {
    /// Right answers.
    pub right: u64,
    /// Answers with other content.
    pub wrong: u64,
    /// Answers with another status.
    pub failing: u64,
    /// Probes without an answer.
    pub silent: u64,
    /// Probes that could not be made.
    pub unknown: u64,
}

impl ProbeCounts {
    /// Counts one more.
    pub fn add(&mut self, state: ProbeState) {
        *match state {
            ProbeState::Right => &mut self.right,
            ProbeState::Wrong => &mut self.wrong,
            ProbeState::Failing => &mut self.failing,
            ProbeState::Silent => &mut self.silent,
            ProbeState::Unknown => &mut self.unknown,
        } += 1;
    }

    /// Probes that say something about the replica.
    #[must_use]
    pub fn decided(&self) -> u64 {
        self.right + self.wrong + self.failing + self.silent
    }

    /// The share of right answers, between 0 and 1; `None` when nothing is known.
    #[must_use]
    #[expect(
        clippy::cast_precision_loss,
        reason = "no run makes 2^52 probes, and a share is shown with four digits"
    )]
    pub fn share(&self) -> Option<f64> {
        let decided = self.decided();
        (decided > 0).then(|| self.right as f64 / decided as f64)
    }
}

/// The probes of one replica.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ReplicaAvailability {
    /// The pod's name.
    pub pod: String,
    /// Its probes.
    #[serde(flatten)]
    pub probes: ProbeCounts,
    /// The share of right answers.
    pub share: Option<f64>,
    /// The longest time without a right answer, in milliseconds: from the last right answer before
    /// to the first one after it, so that it is never shorter than what a client saw.
    pub longest_outage_ms: u64,
    /// Time during which nothing is known, in milliseconds.
    pub unknown_ms: u64,
}

/// What a client of a Service would have seen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServiceAvailability {
    /// The Service's name.
    pub service: String,
    /// Time during which one of its ready endpoints did not answer right, in milliseconds: a request
    /// may have failed.
    pub failing_ms: u64,
    /// Time during which no ready endpoint answered right, in milliseconds: every request failed.
    pub down_ms: u64,
}

/// What clients would have seen.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Availability {
    /// The share of right answers of all replicas together.
    pub share: Option<f64>,
    /// Time during which no replica answered right, in milliseconds.
    pub none_answered_ms: u64,
    /// How long was probed, in milliseconds.
    pub probed_ms: u64,
    /// Each replica, by ordinal.
    pub replicas: Vec<ReplicaAvailability>,
    /// Each Service that selects the pods, by name; none when that could not be followed.
    pub services: Vec<ServiceAvailability>,
}

/// A state that lasts from a moment on, in milliseconds of the run's clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Since {
    at_ms: u64,
    state: ProbeState,
}

/// The changes of every replica's answers and of the Services' endpoints.
#[derive(Debug, Clone, Default)]
pub struct Timeline {
    /// By pod, in the order in which they were added.
    replicas: Vec<(String, Vec<Since>)>,
    counts: BTreeMap<String, ProbeCounts>,
    services: BTreeMap<String, Vec<(u64, Vec<String>)>>,
}

impl Timeline {
    /// Of these replicas, of which nothing is known yet.
    #[must_use]
    pub fn of(pods: impl IntoIterator<Item = String>) -> Self {
        Self {
            replicas: pods.into_iter().map(|pod| (pod, Vec::new())).collect(),
            ..Self::default()
        }
    }

    /// From this moment on a replica answers so.
    pub fn probe(&mut self, pod: &str, state: ProbeState, at_ms: u64) {
        if let Some((_, changes)) = self.replicas.iter_mut().find(|(name, _)| name == pod) {
            // A change may be known later than it began, never before the one before it.
            let at_ms = changes.last().map_or(at_ms, |last| last.at_ms.max(at_ms));
            changes.push(Since { at_ms, state });
        }
    }

    /// A replica was probed so often by now.
    pub fn count(&mut self, pod: &str, counts: ProbeCounts) {
        self.counts.insert(pod.to_owned(), counts);
    }

    /// From this moment on a Service leads to these pods.
    pub fn endpoints(&mut self, service: &str, ready: Vec<String>, at_ms: u64) {
        let changes = self.services.entry(service.to_owned()).or_default();
        changes.push((at_ms, ready));
    }

    /// The state of a replica at a moment; unknown before its first probe.
    fn state(&self, pod: &str, at_ms: u64) -> ProbeState {
        self.replicas
            .iter()
            .find(|(name, _)| name == pod)
            .and_then(|(_, changes)| changes.iter().rev().find(|change| change.at_ms <= at_ms))
            .map_or(ProbeState::Unknown, |change| change.state)
    }

    /// Every outage of a replica that ended, or had not ended at `until_ms`: its begin and end. Time of
    /// which nothing is known is none by itself, and part of one that is known otherwise.
    #[must_use]
    pub fn outages(&self, pod: &str, until_ms: u64) -> Vec<(u64, u64)> {
        let mut outages = Vec::new();
        // Since when, and whether it is known that it did not answer right.
        let mut open: Option<(u64, bool)> = None;
        let changes = self.replicas.iter().find(|(name, _)| name == pod);
        for change in changes.iter().flat_map(|(_, changes)| changes) {
            let is_known = change.state != ProbeState::Unknown;
            match (change.state, open) {
                (ProbeState::Right, Some((since, was_known))) => {
                    if was_known {
                        outages.push((since, change.at_ms));
                    }
                    open = None;
                }
                (ProbeState::Right, None) => {}
                (_, Some((since, was_known))) => open = Some((since, was_known || is_known)),
                (_, None) => open = Some((change.at_ms, is_known)),
            }
        }
        if let Some((since, true)) = open {
            outages.push((since, until_ms.max(since)));
        }
        outages
    }

    /// What clients would have seen from one moment to another, of the run's clock.
    #[must_use]
    pub fn availability(&self, from_ms: u64, until_ms: u64) -> Availability {
        let replicas: Vec<ReplicaAvailability> = self
            .replicas
            .iter()
            .map(|(pod, _)| self.of_replica(pod, from_ms, until_ms))
            .collect();
        let mut all = ProbeCounts::default();
        for counts in self.counts.values() {
            all.right += counts.right;
            all.wrong += counts.wrong;
            all.failing += counts.failing;
            all.silent += counts.silent;
        }
        // Of what is unknown nothing is claimed.
        let is_away = |pod: &String, at| {
            !matches!(self.state(pod, at), ProbeState::Right | ProbeState::Unknown)
        };
        let none_answered_ms = self.time(from_ms, until_ms, |at| {
            !self.replicas.is_empty()
                && !self.replicas.iter().any(|(pod, _)| {
                    matches!(self.state(pod, at), ProbeState::Right | ProbeState::Unknown)
                })
        });
        let services = self
            .services
            .iter()
            .map(|(service, changes)| {
                let ready = |at: u64| {
                    let change = changes.iter().rev().find(|(since, _)| *since <= at);
                    change.map(|(_, ready)| ready.as_slice())
                };
                let failing =
                    |at| ready(at).is_some_and(|ready| ready.iter().any(|pod| is_away(pod, at)));
                let down =
                    |at| ready(at).is_some_and(|ready| ready.iter().all(|pod| is_away(pod, at)));
                ServiceAvailability {
                    service: service.clone(),
                    failing_ms: self.time(from_ms, until_ms, failing),
                    down_ms: self.time(from_ms, until_ms, down),
                }
            })
            .collect();
        Availability {
            share: all.share(),
            none_answered_ms,
            probed_ms: until_ms.saturating_sub(from_ms),
            replicas,
            services,
        }
    }

    fn of_replica(&self, pod: &str, from_ms: u64, until_ms: u64) -> ReplicaAvailability {
        let probes = self.counts.get(pod).copied().unwrap_or_default();
        let outages = self.outages(pod, until_ms);
        ReplicaAvailability {
            pod: pod.to_owned(),
            probes,
            share: probes.share(),
            longest_outage_ms: outages
                .iter()
                .map(|(begin, end)| end - begin)
                .max()
                .unwrap_or(0),
            unknown_ms: self.time(from_ms, until_ms, |at| {
                self.state(pod, at) == ProbeState::Unknown
            }),
        }
    }

    /// The time between two moments during which something holds, which can only change with a
    /// recorded change.
    fn time(&self, from_ms: u64, until_ms: u64, holds: impl Fn(u64) -> bool) -> u64 {
        let probes = self
            .replicas
            .iter()
            .flat_map(|(_, changes)| changes.iter().map(|change| change.at_ms));
        let endpoints = self
            .services
            .values()
            .flat_map(|changes| changes.iter().map(|(at_ms, _)| *at_ms));
        let mut moments: Vec<u64> = probes
            .chain(endpoints)
            .filter(|at| (from_ms..until_ms).contains(at))
            .chain([from_ms, until_ms])
            .collect();
        moments.sort_unstable();
        moments.dedup();
        moments
            .windows(2)
            .filter(|pair| holds(pair[0]))
            .map(|pair| pair[1] - pair[0])
            .sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn timeline(changes: &[(&str, ProbeState, u64)]) -> Timeline {
        let mut timeline = Timeline::of(["web-0".to_owned(), "web-1".to_owned()]);
        for (pod, state, at_ms) in changes {
            timeline.probe(pod, *state, *at_ms);
        }
        timeline
    }

    #[test]
    fn an_outage_lasts_until_the_next_right_answer() {
        let timeline = timeline(&[
            ("web-0", ProbeState::Right, 0),
            ("web-0", ProbeState::Silent, 100),
            ("web-0", ProbeState::Failing, 250),
            ("web-0", ProbeState::Right, 700),
            ("web-0", ProbeState::Silent, 900),
        ]);
        assert_eq!(timeline.outages("web-0", 1_000), [(100, 700), (900, 1_000)]);
        let availability = timeline.availability(0, 1_000);
        assert_eq!(availability.replicas[0].longest_outage_ms, 600);
    }

    #[test]
    fn nobody_answers_only_while_all_are_known_not_to() {
        let timeline = timeline(&[
            ("web-0", ProbeState::Right, 0),
            ("web-1", ProbeState::Right, 0),
            ("web-0", ProbeState::Silent, 100),
            ("web-1", ProbeState::Unknown, 200),
            ("web-1", ProbeState::Silent, 300),
            ("web-0", ProbeState::Right, 450),
        ]);
        let availability = timeline.availability(0, 1_000);
        assert_eq!(availability.none_answered_ms, 150);
        assert_eq!(availability.replicas[1].unknown_ms, 100);
    }

    #[test]
    fn a_service_fails_while_it_leads_to_a_replica_that_does_not_answer() {
        let mut timeline = timeline(&[
            ("web-0", ProbeState::Right, 0),
            ("web-1", ProbeState::Right, 0),
            ("web-0", ProbeState::Silent, 100),
            ("web-0", ProbeState::Right, 900),
        ]);
        timeline.endpoints("web", vec!["web-0".into(), "web-1".into()], 0);
        timeline.endpoints("web", vec!["web-1".into()], 300);
        timeline.endpoints("web", Vec::new(), 950);
        let services = timeline.availability(0, 1_000).services;
        assert_eq!((services[0].failing_ms, services[0].down_ms), (200, 50));
    }

    #[test]
    fn what_nobody_saw_is_no_outage_and_no_failure() {
        let mut timeline = timeline(&[
            ("web-0", ProbeState::Right, 0),
            ("web-1", ProbeState::Right, 0),
            ("web-0", ProbeState::Unknown, 100),
            ("web-0", ProbeState::Right, 700),
        ]);
        timeline.endpoints("web", vec!["web-0".into()], 0);
        let availability = timeline.availability(0, 1_000);
        assert_eq!(availability.replicas[0].longest_outage_ms, 0);
        assert_eq!(availability.replicas[0].unknown_ms, 600);
        assert_eq!(availability.services[0].down_ms, 0);
        assert_eq!(availability.services[0].failing_ms, 0);
    }

    #[test]
    fn what_is_unknown_counts_for_nothing() {
        let mut counts = ProbeCounts::default();
        counts.add(ProbeState::Unknown);
        assert_eq!(counts.share(), None);
        counts.add(ProbeState::Right);
        counts.add(ProbeState::Silent);
        assert_eq!(counts.share(), Some(0.5));
    }
}
