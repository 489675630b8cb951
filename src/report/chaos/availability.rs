//! The availability that clients would have seen, in figures.

use std::iter::Sum;

use serde::{Deserialize, Serialize};

use crate::figures::took;

/// The result of a probe, by severity: where several coincide, the most severe is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProbeState {
    /// The expected status with the content of the steady state.
    Right,
    /// The replica could not be probed, so its state is unknown.
    Unknown,
    /// No answer: the pod is missing, nothing listens, or the probe timed out.
    Silent,
    /// An unexpected status.
    Failing,
    /// The expected status with different content.
    Wrong,
}

/// How often each state was seen.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProbeCounts {
    /// Right answers.
    pub right: u64,
    /// Answers with different content.
    pub wrong: u64,
    /// Answers with an unexpected status.
    pub failing: u64,
    /// Probes without an answer.
    pub silent: u64,
    /// Probes that could not be sent, or whose answer is unknown.
    pub unknown: u64,
    /// The part of `unknown` whose answer began but has no proven end.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub cut: u64,
    /// The part of `right` that needed a new connection: a client that keeps its connection would have
    /// seen an error.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub reconnected: u64,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde hands out references"
)]
fn is_zero(count: &u64) -> bool {
    *count == 0
}

impl ProbeCounts {
    /// Counts one probe.
    pub fn add(&mut self, state: ProbeState) {
        *match state {
            ProbeState::Right => &mut self.right,
            ProbeState::Wrong => &mut self.wrong,
            ProbeState::Failing => &mut self.failing,
            ProbeState::Silent => &mut self.silent,
            ProbeState::Unknown => &mut self.unknown,
        } += 1;
    }

    /// All probes.
    #[must_use]
    pub fn all(&self) -> u64 {
        self.decided() + self.unknown
    }

    /// Probes that show the state of the replica.
    #[must_use]
    pub fn decided(&self) -> u64 {
        self.right + self.wrong + self.failing + self.silent
    }

    /// The share of right answers, between 0 and 1; `None` without any decided probe.
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

impl Sum for ProbeCounts {
    fn sum<I: Iterator<Item = Self>>(counts: I) -> Self {
        counts.fold(Self::default(), |sum, counts| Self {
            right: sum.right + counts.right,
            wrong: sum.wrong + counts.wrong,
            failing: sum.failing + counts.failing,
            silent: sum.silent + counts.silent,
            unknown: sum.unknown + counts.unknown,
            cut: sum.cut + counts.cut,
            reconnected: sum.reconnected + counts.reconnected,
        })
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
    /// The longest outage in milliseconds, from the last right answer before it to the first one after
    /// it, so it is never shorter than what a client saw.
    pub longest_outage_ms: u64,
    /// The length so far of an outage that was still open when probing ended, in milliseconds: it lasted
    /// at least this long.
    #[serde(default)]
    pub open_outage_ms: Option<u64>,
    /// The time in which its state was unknown, in milliseconds.
    pub unknown_ms: u64,
}

impl ReplicaAvailability {
    /// Its outages, to follow "it gave no right answer for". An open outage is never described as
    /// finished.
    #[must_use]
    pub fn away_for(&self) -> String {
        let longest = took(self.longest_outage_ms);
        match self.open_outage_ms {
            None => format!("up to {longest}"),
            Some(open) if open >= self.longest_outage_ms => {
                format!("at least {longest}, until the run ended")
            }
            Some(open) => {
                let open = took(open);
                format!("up to {longest}, and again for at least {open}, until the run ended")
            }
        }
    }
}

/// The availability that a client of a Service would have seen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServiceAvailability {
    /// The Service's name.
    pub service: String,
    /// The time in which at least one ready endpoint gave no right answer, in milliseconds: a request may
    /// have failed.
    pub failing_ms: u64,
    /// The time in which no ready endpoint gave a right answer, in milliseconds: every request failed.
    pub down_ms: u64,
    /// The time without a known failure in which the state of an endpoint was unknown, in milliseconds.
    #[serde(default)]
    pub unknown_ms: u64,
}

/// The availability that clients would have seen.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Availability {
    /// The share of right answers of all replicas together.
    pub share: Option<f64>,
    /// The time in which no replica gave a right answer, in milliseconds.
    pub none_answered_ms: u64,
    /// The start of the measurement, in milliseconds since the start of the run.
    #[serde(default)]
    pub from_ms: u64,
    /// The duration of the measurement, in milliseconds.
    pub probed_ms: u64,
    /// Each replica, by ordinal.
    pub replicas: Vec<ReplicaAvailability>,
    /// Each Service that selects the pods, by name; empty if Services could not be followed.
    pub services: Vec<ServiceAvailability>,
}

impl Availability {
    /// The replica with the longest outage.
    #[must_use]
    pub fn longest_outage(&self) -> Option<&ReplicaAvailability> {
        let replicas = self.replicas.iter();
        replicas.max_by_key(|replica| (replica.longest_outage_ms, replica.open_outage_ms))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_outage_that_was_not_over_never_reads_as_over() {
        let away = |longest_outage_ms, open_outage_ms| {
            let replica = ReplicaAvailability {
                pod: "web-0".into(),
                probes: ProbeCounts::default(),
                share: None,
                longest_outage_ms,
                open_outage_ms,
                unknown_ms: 0,
            };
            replica.away_for()
        };
        assert_eq!(away(11_000, None), "up to 11 s");
        assert_eq!(
            away(11_000, Some(11_000)),
            "at least 11 s, until the run ended"
        );
        assert_eq!(
            away(12_000, Some(3_000)),
            "up to 12 s, and again for at least 3 s, until the run ended"
        );
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
