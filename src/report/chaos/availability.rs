//! What clients would have seen, in figures.

use serde::{Deserialize, Serialize};

use crate::figures::took;

/// What a probe of a replica came to, in order of gravity: where several fall together, the gravest is
/// shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProbeState {
    /// The expected status with the content of the steady state.
    Right,
    /// The replica could not be asked, so that nothing is known about it.
    Unknown,
    /// No answer: nothing listens, nobody is there, or not in time.
    Silent,
    /// Another status than expected.
    Failing,
    /// The expected status with other content.
    Wrong,
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
    /// Probes that could not be made, or whose answer is not known.
    pub unknown: u64,
    /// Those of the unknown whose answer began, and did not come to a proven end.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub cut: u64,
    /// Those of the right that were answered only on a new connection: a client that keeps its
    /// connection would have seen an error.
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
    /// How long an outage has lasted that was not over when the probing ended, in milliseconds: it
    /// lasted at least so long.
    #[serde(default)]
    pub open_outage_ms: Option<u64>,
    /// Time during which nothing is known, in milliseconds.
    pub unknown_ms: u64,
}

impl ReplicaAvailability {
    /// How long it gave no right answer, as the end of "it gave no right answer for …". What was not over when the run ended is
    /// never told as if it were.
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

/// What a client of a Service would have seen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServiceAvailability {
    /// The Service's name.
    pub service: String,
    /// Time during which one of its ready endpoints did not answer right, or none did, in
    /// milliseconds: a request may have failed.
    pub failing_ms: u64,
    /// Time during which no ready endpoint answered right, in milliseconds: every request failed.
    pub down_ms: u64,
    /// Time during which no failure is known and not all is known, in milliseconds.
    #[serde(default)]
    pub unknown_ms: u64,
}

/// What clients would have seen.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Availability {
    /// The share of right answers of all replicas together.
    pub share: Option<f64>,
    /// Time during which no replica answered right, in milliseconds.
    pub none_answered_ms: u64,
    /// When what is measured began, in milliseconds since the run began.
    #[serde(default)]
    pub from_ms: u64,
    /// How long was probed, in milliseconds.
    pub probed_ms: u64,
    /// Each replica, by ordinal.
    pub replicas: Vec<ReplicaAvailability>,
    /// Each Service that selects the pods, by name; none when that could not be followed.
    pub services: Vec<ServiceAvailability>,
}

impl Availability {
    /// The replica that was away the longest.
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
