//! What became of a workload that was broken on purpose.

mod availability;
mod disturbance;
mod experiment;
mod fault_record;
mod summary;
mod weighing;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub use self::availability::{
    Availability, ProbeCounts, ProbeState, ReplicaAvailability, ServiceAvailability,
};
pub use self::disturbance::{Disturbance, Remade};
pub use self::experiment::{Experiment, Selection};
pub use self::fault_record::{FaultRecord, RecoveryPhase};
pub use self::summary::Percentiles;

use super::VerifyReport;
use crate::diagnose::Diagnosis;
use crate::exit::Outcome;
use crate::object::ObjectRef;

/// What the data was before and after.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DataProof {
    /// The SHA-256 on which all replicas agreed before the fault.
    pub before_sha256: Option<String>,
    /// The SHA-256 on which all replicas agreed after it.
    pub after_sha256: Option<String>,
    /// Whether the two are equal; `None` when one of them is not known.
    pub preserved: Option<bool>,
}

/// How well the prober itself worked.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Prober {
    /// The time between two probes of a replica, in milliseconds.
    pub interval_ms: u64,
    /// The longest time during which a replica was not probed, in milliseconds.
    pub largest_gap_ms: u64,
}

impl Prober {
    /// By how much a duration may have been shorter than it was measured, in milliseconds: what lies
    /// between two probes at its beginning and at its end.
    #[must_use]
    pub fn leaves_open_ms(&self) -> u64 {
        2 * self.interval_ms.max(self.largest_gap_ms)
    }
}

/// A figure of this run beside that of an older one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Compared {
    /// What was measured: a phase, or `outage`.
    pub what: String,
    /// The older figure, in milliseconds.
    pub old_ms: u64,
    /// This run's figure, in milliseconds.
    pub new_ms: u64,
    /// Whether this run is slower beyond the tolerance.
    pub is_regression: bool,
}

/// The answer to "did it survive?"
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChaosVerdict {
    /// Broken for certain, recovered within the budgets, and the data is the same.
    Survived,
    /// It did not recover, was too slow, or the data is not the same.
    Failed,
    /// It was not broken: it was not safe, or it did not serve one answer to begin with.
    Refused,
    /// The evidence is not enough for either.
    Inconclusive,
    /// A dry run: nothing was broken, and nothing speaks against it.
    Rehearsed,
    /// A control run: nothing was broken, and every probe was answered right.
    Undisturbed,
}

/// Everything that was seen of an experiment; the report weighs it.
#[derive(Debug, Clone)]
pub struct Observed {
    /// What was to be done.
    pub experiment: Experiment,
    /// The verification before the first fault.
    pub before: VerifyReport,
    /// The faults.
    pub faults: Vec<FaultRecord>,
    /// The verification after the last recovery.
    pub after: Option<VerifyReport>,
    /// Why it did not recover.
    pub cause: Option<Diagnosis>,
    /// What clients would have seen.
    pub availability: Availability,
    /// How well the prober worked.
    pub prober: Prober,
    /// This run beside an older one.
    pub compared: Vec<Compared>,
    /// Why it was not begun.
    pub refusals: Vec<String>,
    /// Whether it was stopped before its end.
    pub is_stopped: bool,
    /// What keeps the evidence from being complete, one sentence each.
    pub doubts: Vec<String>,
    /// What happened to pods that no fault took.
    pub disturbances: Vec<Disturbance>,
    /// Pods of another revision of the template than in the steady state.
    pub remade: Vec<Remade>,
    /// What speaks against the workload for certain, one sentence each.
    pub failures: Vec<String>,
    /// What the experiment changed and could not restore, one sentence each.
    pub not_restored: Vec<String>,
}

/// What became of a workload that was broken on purpose.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ChaosReport {
    /// The workload.
    pub object: ObjectRef,
    /// What was done, and to whom.
    pub experiment: Experiment,
    /// The verification before the first fault.
    pub before: VerifyReport,
    /// The faults.
    pub faults: Vec<FaultRecord>,
    /// The percentiles of every phase.
    pub summary: BTreeMap<RecoveryPhase, Percentiles>,
    /// What clients would have seen.
    pub availability: Availability,
    /// The verification after the last recovery.
    pub after: Option<VerifyReport>,
    /// The data before and after.
    pub data: DataProof,
    /// How well the prober worked.
    pub prober: Prober,
    /// This run beside an older one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub compared: Vec<Compared>,
    /// Why it did not recover.
    pub cause: Option<Diagnosis>,
    /// What the experiment changed and could not restore.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub not_restored: Vec<String>,
    /// What happened to pods that no fault took.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub disturbances: Vec<Disturbance>,
    /// Pods of another revision of the template than in the steady state, when they may serve other data
    /// for that reason.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub remade: Vec<Remade>,
    /// The answer.
    pub verdict: ChaosVerdict,
    /// Why, one sentence each.
    pub reasons: Vec<String>,
}

impl ChaosReport {
    /// Weighs what was seen.
    #[must_use]
    pub fn new(observed: Observed) -> Self {
        let mut data = data(&observed.before, observed.after.as_ref());
        if data.preserved == Some(false) && disturbance::templates_explain(&observed) {
            data.preserved = None;
        }
        let (verdict, reasons) = weighing::weigh(&observed, &data);
        Self {
            object: observed.before.object.clone(),
            summary: summary::summary(&observed.faults),
            experiment: observed.experiment,
            before: observed.before,
            faults: observed.faults,
            availability: observed.availability,
            after: observed.after,
            data,
            prober: observed.prober,
            compared: observed.compared,
            cause: observed.cause,
            not_restored: observed.not_restored,
            disturbances: observed.disturbances,
            remade: observed.remade,
            verdict,
            reasons,
        }
    }

    /// Whether it survived with all its data, and was only slower than it should be.
    #[must_use]
    pub fn is_only_slow(&self) -> bool {
        let is_whole = self.data.preserved == Some(true)
            && self.cause.is_none()
            && self.faults.iter().all(|record| record.proof.is_some())
            && !self.has_wrong_answers();
        self.verdict == ChaosVerdict::Failed && self.experiment.fault.is_some() && is_whole
    }

    /// How many faults were sent. Several pods may live through one.
    #[must_use]
    pub fn fault_count(&self) -> u32 {
        self.faults
            .iter()
            .map(|record| record.number)
            .max()
            .unwrap_or(0)
    }

    /// How it went, in the words that stand above every account of it.
    #[must_use]
    pub fn headline(&self) -> &'static str {
        match self.verdict {
            ChaosVerdict::Survived => "survived",
            ChaosVerdict::Failed if self.experiment.fault.is_none() => "disturbed",
            ChaosVerdict::Failed if self.is_only_slow() => "survived, too slow",
            ChaosVerdict::Failed => "not survived",
            ChaosVerdict::Refused => "not attempted",
            ChaosVerdict::Rehearsed => "dry run",
            ChaosVerdict::Inconclusive => "inconclusive",
            ChaosVerdict::Undisturbed => "undisturbed",
        }
    }

    /// Whether there is a time after a fault, in which the data may be another than before.
    #[must_use]
    pub fn has_afterwards(&self) -> bool {
        let is_begun = !matches!(
            self.verdict,
            ChaosVerdict::Refused | ChaosVerdict::Rehearsed
        );
        self.after.is_some() || is_begun && self.experiment.fault.is_some()
    }

    /// The outcome; a refusal takes that of the answers that caused it.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        match self.verdict {
            ChaosVerdict::Survived | ChaosVerdict::Undisturbed | ChaosVerdict::Rehearsed => {
                Outcome::Success
            }
            ChaosVerdict::Failed => Outcome::Unhealthy,
            ChaosVerdict::Refused
                if self.before.verdict == Outcome::Unhealthy || self.has_wrong_answers() =>
            {
                Outcome::Unhealthy
            }
            ChaosVerdict::Refused | ChaosVerdict::Inconclusive => Outcome::Undecided,
        }
    }

    /// Whether a probe was answered with other content.
    #[must_use]
    pub fn has_wrong_answers(&self) -> bool {
        let mut replicas = self.availability.replicas.iter();
        replicas.any(|replica| replica.probes.wrong > 0)
    }
}

fn data(before: &VerifyReport, after: Option<&VerifyReport>) -> DataProof {
    let before_sha256 = before.agreed_sha256();
    let after_sha256 = after.and_then(VerifyReport::agreed_sha256);
    let preserved = before_sha256
        .as_ref()
        .zip(after_sha256.as_ref())
        .map(|(old, new)| old == new);
    DataProof {
        before_sha256,
        after_sha256,
        preserved,
    }
}

#[cfg(test)]
mod tests;
