//! What has to be known to find a cluster.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

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
    /// The time for one request.
    pub request_timeout: Duration,
    /// How long a request is repeated while an API server that answered before is away.
    pub patience: Duration,
    /// What the API server's audit log shows: the tool, its version and the command.
    pub user_agent: String,
    /// `--as`.
    pub impersonate_user: Option<String>,
    /// `--as-group`.
    pub impersonate_groups: Vec<String>,
}
