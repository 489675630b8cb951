//! An experiment as it was asked for, before anybody has looked at the workload.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::fault::Fault;
use crate::ops::Verification;
use crate::report::Selection;

/// An experiment as it was asked for.
#[derive(Debug, Clone)]
pub struct ChaosRequest {
    /// Who experiments, in words for others who want to at the same time; another one in every run.
    pub identity: String,
    /// What every replica is asked; the first endpoint is probed.
    pub verification: Verification,
    /// The fault; none for a control run, which only probes.
    pub fault: Option<Fault>,
    /// Whose turn it is.
    pub selection: Selection,
    /// The number of faults; every pod once in turn, or one, when not given.
    pub repeat: Option<u32>,
    /// The pause between a recovery and the next fault.
    pub pause: Duration,
    /// How long a control run probes.
    pub control: Duration,
    /// The time between two probes of a replica.
    pub probe_interval: Duration,
    /// The longest outage of any replica that is acceptable.
    pub max_outage: Option<Duration>,
    /// The longest time from a fault until all replicas answer alike again that is acceptable.
    pub max_recovery: Option<Duration>,
    /// Whether to go on although another replica is not Ready or a disruption budget forbids it.
    pub allows_disruption: bool,
    /// Whether everything is settled and checked, and nothing is broken.
    pub is_rehearsal: bool,
    /// An older run to compare with.
    pub older: Option<OlderRun>,
}

/// The figures of an older run.
#[derive(Debug, Clone, PartialEq)]
pub struct OlderRun {
    /// The 95th percentile of each phase by its name, and of `outage`, in milliseconds.
    pub figures: BTreeMap<String, u64>,
    /// Its fault.
    pub fault: Fault,
    /// Its replicas.
    pub replicas: usize,
    /// How much slower this run may be, as a share: 0.2 is a fifth.
    pub tolerance: f64,
}
