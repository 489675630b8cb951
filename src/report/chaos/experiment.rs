//! The faults of an experiment and their targets, planned before anything is touched.

use serde::{Deserialize, Serialize};

use crate::fault::Fault;
use crate::report::Endpoint;

/// The rule that chooses the targets.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "select", rename_all = "snake_case")]
pub enum Selection {
    /// The pod with the lowest ordinal.
    #[default]
    First,
    /// One pod by name.
    Pod {
        /// Its name.
        pod: String,
    },
    /// Every pod in turn, by ordinal.
    AllInTurn,
    /// A random pod for each fault; the same seed chooses the same pods.
    Random {
        /// The seed.
        seed: u64,
    },
}

/// The settings of an experiment: flags, configuration file and defaults, resolved.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExperimentSettings {
    /// Whether this is a dry run: everything is checked and nothing is broken.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub dry_run: bool,
    /// The fault; `None` for a control run, which only probes.
    pub fault: Option<Fault>,
    /// The rule that chooses the targets.
    pub selection: Selection,
    /// Whether to proceed although another replica is not Ready or a disruption budget forbids it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub allow_disruption: bool,
    /// The pause between a recovery and the next fault, in milliseconds.
    pub pause_ms: u64,
    /// How long a control run probes, in milliseconds.
    pub control_ms: Option<u64>,
    /// The time between two probes of a replica, in milliseconds.
    pub probe_interval_ms: u64,
    /// The budget for the outage of any replica, in milliseconds.
    pub max_outage_ms: Option<u64>,
    /// The budget for the time from a fault until all replicas give the same answer again, in
    /// milliseconds.
    pub max_recovery_ms: Option<u64>,
}

/// The settings of an experiment, and the faults and targets that follow from them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Experiment {
    /// The settings.
    #[serde(flatten)]
    pub settings: ExperimentSettings,
    /// The number of faults.
    pub repeat: u32,
    /// The targets, one for each fault; every affected pod for a fault on the workload.
    pub pods: Vec<String>,
    /// The container whose process 1 gets the signal, if the fault sends one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub container: Option<String>,
    /// The containers that keep running beside it and may be the ones that answer.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub beside: Vec<String>,
    /// The endpoints; those that must answer the same on every replica are probed.
    pub endpoints: Vec<Endpoint>,
}
