//! What an experiment does, and to whom: settled before anything is touched.

use serde::{Deserialize, Serialize};

use crate::fault::Fault;
use crate::report::Endpoint;

/// Whose turn it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "select", rename_all = "snake_case")]
pub enum Selection {
    /// The pod with the lowest ordinal.
    First,
    /// One pod by name.
    Pod {
        /// Its name.
        pod: String,
    },
    /// Every pod, by ordinal, again and again.
    AllInTurn,
    /// One pod drawn for each fault; the same seed draws the same pods.
    Random {
        /// The seed.
        seed: u64,
    },
}

/// What an experiment does, and to whom.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Experiment {
    /// Whether everything is settled and checked, and nothing is broken.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub dry_run: bool,
    /// The fault; none for a control run, which only probes.
    pub fault: Option<Fault>,
    /// Whose turn it is.
    pub selection: Selection,
    /// The number of faults.
    pub repeat: u32,
    /// The pods that are hit, one for each fault; every pod for a fault that takes the workload.
    pub pods: Vec<String>,
    /// The container whose process 1 is ended, by a fault that ends one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub container: Option<String>,
    /// The containers that go on running beside it, and may be the ones that answer.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub beside: Vec<String>,
    /// The pause between a recovery and the next fault, in milliseconds.
    pub pause_ms: u64,
    /// How long a control run probes, in milliseconds.
    pub control_ms: Option<u64>,
    /// The time between two probes of a replica, in milliseconds.
    pub probe_interval_ms: u64,
    /// The longest outage of any replica that is acceptable, in milliseconds.
    pub max_outage_ms: Option<u64>,
    /// The longest time from a fault until all replicas answer alike again, in milliseconds.
    pub max_recovery_ms: Option<u64>,
    /// Where every replica is asked; the first one, which has to answer alike everywhere, is probed.
    pub endpoints: Vec<Endpoint>,
}
