//! The report of an experiment: whether the workload survived.

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
pub use self::experiment::{Experiment, ExperimentSettings, Selection};
pub use self::fault_record::{FaultRecord, RecoveryPhase};
pub use self::summary::Percentiles;

use super::VerifyReport;
use crate::diagnose::Diagnosis;
use crate::exit::Outcome;
use crate::object::ObjectRef;

/// The data before and after.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DataProof {
    /// The SHA-256 on which all replicas agreed before the fault.
    pub before_sha256: Option<String>,
    /// The SHA-256 on which all replicas agreed after it.
    pub after_sha256: Option<String>,
    /// Whether the two are equal; `None` if one of them is unknown.
    pub preserved: Option<bool>,
}

/// The quality of the probing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Prober {
    /// The time between two probes of a replica, in milliseconds.
    pub interval_ms: u64,
    /// The longest gap of any replica, in milliseconds.
    pub largest_gap_ms: u64,
}

impl Prober {
    /// The uncertainty: by how much a measured duration may exceed the real one, in milliseconds. It is
    /// the time between two probes at either end.
    #[must_use]
    pub fn leaves_open_ms(&self) -> u64 {
        2 * self.interval_ms.max(self.largest_gap_ms)
    }
}

/// A figure of this run compared with an older run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Compared {
    /// The name of the figure: a phase or `outage`.
    pub what: String,
    /// The figure of the older run, in milliseconds.
    pub old_ms: u64,
    /// The figure of this run, in milliseconds.
    pub new_ms: u64,
    /// Whether this run is slower than the tolerance allows.
    pub is_regression: bool,
}

/// The verdict of an experiment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChaosVerdict {
    /// It was provably broken, recovered within the budgets and serves the same data.
    Survived,
    /// It did not recover, was too slow, or serves different data.
    Failed,
    /// It was not broken, because that was unsafe or the workload was not in its steady state.
    Refused,
    /// The evidence is not enough.
    Inconclusive,
    /// A dry run without objections; nothing was broken.
    DryRun,
    /// A control run in which every probe got a right answer; nothing was broken.
    Undisturbed,
}

/// All observations of an experiment; the report weighs them.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Observed {
    /// The faults and their targets.
    pub experiment: Experiment,
    /// The verification before the first fault.
    pub before: VerifyReport,
    /// The faults.
    pub faults: Vec<FaultRecord>,
    /// The availability that clients would have seen.
    pub availability: Availability,
    /// The verification after the last recovery.
    pub after: Option<VerifyReport>,
    /// The quality of the probing.
    pub prober: Prober,
    /// This run compared with an older one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub compared: Vec<Compared>,
    /// Why it did not recover.
    pub cause: Option<Diagnosis>,
    /// Changes that the experiment could not undo, one sentence each.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub not_restored: Vec<String>,
    /// Changes to pods that no fault caused.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub disturbances: Vec<Disturbance>,
    /// Pods with a different template revision than in the steady state, if that may explain different
    /// data.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub remade: Vec<Remade>,
    /// Why the experiment did not start, one sentence each. A journal has this and what follows only in
    /// its reasons.
    #[serde(skip)]
    pub refusals: Vec<String>,
    /// Whether it was stopped early.
    #[serde(skip)]
    pub is_stopped: bool,
    /// Why the evidence is incomplete, one sentence each.
    #[serde(skip)]
    pub doubts: Vec<String>,
    /// Proven failures of the workload, one sentence each.
    #[serde(skip)]
    pub failures: Vec<String>,
}

impl Observed {
    /// The observations before the first fault.
    #[must_use]
    pub fn new(experiment: Experiment, before: VerifyReport) -> Self {
        let prober = Prober {
            interval_ms: experiment.settings.probe_interval_ms,
            largest_gap_ms: 0,
        };
        Self {
            experiment,
            before,
            faults: Vec::new(),
            availability: Availability::default(),
            after: None,
            prober,
            compared: Vec::new(),
            cause: None,
            not_restored: Vec::new(),
            disturbances: Vec::new(),
            remade: Vec::new(),
            refusals: Vec::new(),
            is_stopped: false,
            doubts: Vec::new(),
            failures: Vec::new(),
        }
    }

    /// The number of faults that were sent. One fault may have several targets.
    #[must_use]
    pub fn fault_count(&self) -> u32 {
        let numbers = self.faults.iter().map(|record| record.number);
        numbers.max().unwrap_or(0)
    }

    /// Whether a probe got an answer with different content.
    #[must_use]
    pub fn has_wrong_answers(&self) -> bool {
        let mut replicas = self.availability.replicas.iter();
        replicas.any(|replica| replica.probes.wrong > 0)
    }
}

/// The report of an experiment.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ChaosReport {
    /// The workload.
    pub object: ObjectRef,
    /// The observations.
    #[serde(flatten)]
    pub observed: Observed,
    /// The percentiles of every phase.
    pub summary: BTreeMap<RecoveryPhase, Percentiles>,
    /// The data before and after.
    pub data: DataProof,
    /// The verdict.
    pub verdict: ChaosVerdict,
    /// The reasons, one sentence each.
    pub reasons: Vec<String>,
}

impl ChaosReport {
    /// Weighs the observations.
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
            observed,
            data,
            verdict,
            reasons,
        }
    }

    /// Whether it survived with all its data but exceeded a budget.
    #[must_use]
    pub fn is_only_slow(&self) -> bool {
        let is_whole = self.data.preserved == Some(true)
            && self.observed.cause.is_none()
            && self
                .observed
                .faults
                .iter()
                .all(|record| record.proof.is_some())
            && !self.observed.has_wrong_answers();
        self.verdict == ChaosVerdict::Failed
            && self.observed.experiment.settings.fault.is_some()
            && is_whole
    }

    /// The verdict in words, as the headline of every report.
    #[must_use]
    pub fn headline(&self) -> &'static str {
        match self.verdict {
            ChaosVerdict::Survived => "survived",
            ChaosVerdict::Failed if self.observed.experiment.settings.fault.is_none() => {
                "disturbed"
            }
            ChaosVerdict::Failed if self.is_only_slow() => "survived, too slow",
            ChaosVerdict::Failed => "not survived",
            ChaosVerdict::Refused => "not attempted",
            ChaosVerdict::DryRun => "dry run",
            ChaosVerdict::Inconclusive => "inconclusive",
            ChaosVerdict::Undisturbed => "undisturbed",
        }
    }

    /// Whether a fault was sent, so the data afterwards may differ from before.
    #[must_use]
    pub fn has_afterwards(&self) -> bool {
        let is_begun = !matches!(self.verdict, ChaosVerdict::Refused | ChaosVerdict::DryRun);
        self.observed.after.is_some()
            || is_begun && self.observed.experiment.settings.fault.is_some()
    }

    /// The outcome; a refusal has the outcome of the verification that caused it.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        match self.verdict {
            ChaosVerdict::Survived | ChaosVerdict::Undisturbed | ChaosVerdict::DryRun => {
                Outcome::Success
            }
            ChaosVerdict::Failed => Outcome::Unhealthy,
            ChaosVerdict::Refused
                if self.observed.before.verdict == Outcome::Unhealthy
                    || self.observed.has_wrong_answers() =>
            {
                Outcome::Unhealthy
            }
            ChaosVerdict::Refused | ChaosVerdict::Inconclusive => Outcome::Undecided,
        }
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
