//! From flags, environment and files to one cluster and one user, by kubectl's rules.

mod document;
mod error;
mod files;
mod in_cluster;
mod overrides;
mod persist;
mod plugin_policy;
mod validate;

pub(crate) use self::document::{AuthProvider, ClusterEntry, ExecEntry, UserEntry};
pub use self::error::KubeconfigError;
pub(crate) use self::files::credential_file;
pub(crate) use self::persist::store_tokens;
pub(crate) use self::plugin_policy::{PluginPolicy, look_up};
use super::settings::Settings;

/// The name under which a cluster's entry carries configuration for credential plugins
/// (`tools/clientcmd/client_config.go`, `clusterExtensionKey`).
const EXEC_EXTENSION: &str = "client.authentication.k8s.io/exec";

/// What a kubeconfig and the flags over it come to.
pub(crate) struct Resolved {
    /// The context's name; `None` inside a cluster, or when flags name everything.
    pub(crate) context: Option<String>,
    /// The context's namespace, or `default`.
    pub(crate) namespace: String,
    pub(crate) cluster: ClusterEntry,
    /// The name of the user's entry, which refreshed tokens are stored under.
    pub(crate) user_name: String,
    pub(crate) user: UserEntry,
    /// Which credential plugins may run.
    pub(crate) plugin_policy: PluginPolicy,
}

impl ClusterEntry {
    /// What a credential plugin is told beside the cluster's address.
    pub(crate) fn exec_configuration(&self) -> Option<&serde_json::Value> {
        self.extensions
            .iter()
            .find(|extension| extension.name == EXEC_EXTENSION)
            .map(|extension| &extension.extension)
    }
}

/// Resolves the connection; reads the files that the kubeconfig consists of, not those that it
/// names.
pub(crate) fn load(settings: &Settings) -> Result<Resolved, KubeconfigError> {
    let document = files::read(settings)?;
    let has_server_flag = settings.overrides.server.is_some();
    if document.is_none() && !has_server_flag {
        return in_cluster::load(settings)?.ok_or_else(|| KubeconfigError::None {
            looked_at: files::looked_at(settings),
        });
    }
    let document = document.unwrap_or_default();
    let mut resolved = match overrides::resolve(&document, &settings.overrides) {
        // One that says nothing is as good as none.
        Err(error @ KubeconfigError::NoContext { .. }) => {
            return in_cluster::load(settings)?.ok_or(error);
        }
        resolved => resolved?,
    };
    validate::check(&resolved)?;
    if resolved.user.exec.is_some() {
        resolved.plugin_policy = plugin_policy::load(settings)?;
    }
    Ok(resolved)
}
