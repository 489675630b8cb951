//! The request for an experiment, before the workload was read.

use std::collections::BTreeMap;

use crate::fault::Fault;
use crate::ops::Verification;
use crate::report::ExperimentSettings;

/// The request for an experiment.
#[derive(Debug, Clone)]
pub struct ChaosRequest {
    /// The holder of the experiment, as shown to a second experiment; unique in every run.
    pub identity: String,
    /// The verification of every replica; probes use its endpoints with equal answers.
    pub verification: Verification,
    /// The settings that the report repeats.
    pub settings: ExperimentSettings,
    /// The number of faults; by default one, or one for each pod with
    /// [`AllInTurn`](crate::report::Selection::AllInTurn).
    pub repeat: Option<u32>,
    /// An older run to compare with.
    pub older: Option<OlderRun>,
}

/// The figures of an older run.
#[derive(Debug, Clone, PartialEq)]
pub struct OlderRun {
    /// The 95th percentile of each phase by name, and of `outage`, in milliseconds.
    pub figures: BTreeMap<String, u64>,
    /// Its fault.
    pub fault: Fault,
    /// Its number of replicas.
    pub replicas: usize,
    /// How much slower this run may be, as a fraction: 0.2 is a fifth.
    pub tolerance: f64,
}
