//! The request for an experiment, before the workload was read.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::fault::Fault;
use crate::ops::Verification;
use crate::report::Selection;

/// The request for an experiment.
#[derive(Debug, Clone)]
pub struct ChaosRequest {
    /// The holder of the experiment, as shown to a second experiment; unique in every run.
    pub identity: String,
    /// The verification of every replica; probes use its endpoints with equal answers.
    pub verification: Verification,
    /// The fault; `None` for a control run, which only probes.
    pub fault: Option<Fault>,
    /// The rule that chooses the target.
    pub selection: Selection,
    /// The number of faults; by default one, or one for each pod with [`Selection::AllInTurn`].
    pub repeat: Option<u32>,
    /// The pause between a recovery and the next fault.
    pub pause: Duration,
    /// How long a control run probes.
    pub control: Duration,
    /// The time between two probes of a replica.
    pub probe_interval: Duration,
    /// The budget for the outage of any replica.
    pub max_outage: Option<Duration>,
    /// The budget for the time from a fault until all replicas give the same answer again.
    pub max_recovery: Option<Duration>,
    /// Whether to proceed although another replica is not Ready or a disruption budget forbids it.
    pub allows_disruption: bool,
    /// Whether this is a dry run: everything is checked and nothing is broken.
    pub is_dry_run: bool,
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
