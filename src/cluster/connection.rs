//! What has to be known to find a cluster.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

/// How long the API server may take.
#[derive(Debug, Clone, Copy)]
pub struct TimeLimits {
    /// The time for one request.
    pub request: Duration,
    /// How long a request is repeated while an API server that answered before is away.
    pub patience: Duration,
}

/// How to find the cluster, and how patient to be with it.
#[derive(Debug, Clone)]
pub struct ConnectionSettings {
    /// `--kubeconfig`.
    pub kubeconfig: Option<PathBuf>,
    /// The variable `KUBECONFIG`: a list of paths.
    pub kubeconfig_list: Option<OsString>,
    /// The home directory.
    pub home: Option<PathBuf>,
    /// `--context`.
    pub context: Option<String>,
    /// How long to wait for the cluster.
    pub limits: TimeLimits,
    /// What the API server's audit log shows: the tool, its version and the command.
    pub user_agent: String,
    /// `--as`.
    pub impersonate_user: Option<String>,
    /// `--as-group`.
    pub impersonate_groups: Vec<String>,
}
