//! The service account of the pod that this runs in (`k8s.io/client-go` `rest/config.go`,
//! `InClusterConfig`).

use std::path::Path;

use super::document::{ClusterEntry, UserEntry};
use super::error::KubeconfigError;
use super::plugin_policy::PluginPolicy;
use super::{Resolved, overrides};
use crate::file;
use crate::settings::Settings;

/// Longer than any name of a namespace.
const LARGEST_NAME: u64 = 1024;

const FOLDER: &str = "/var/run/secrets/kubernetes.io/serviceaccount";

/// The connection from inside a pod; `None` outside of one.
pub(crate) fn load(settings: &Settings) -> Result<Option<Resolved>, KubeconfigError> {
    let Some((host, port)) = &settings.environment.service else {
        return Ok(None);
    };
    let token_file = format!("{FOLDER}/token");
    let names_kubeconfig = settings.overrides.context.is_some()
        || settings.overrides.cluster.is_some()
        || settings.overrides.user.is_some();
    if names_kubeconfig || !Path::new(&token_file).is_file() {
        return Ok(None);
    }
    let host = if host.contains(':') {
        format!("[{host}]")
    } else {
        host.clone()
    };
    let authority = format!("{FOLDER}/ca.crt");
    let cluster = ClusterEntry {
        server: format!("https://{host}:{port}"),
        certificate_authority: if Path::new(&authority).is_file() {
            authority
        } else {
            String::new()
        },
        ..ClusterEntry::default()
    };
    let user = UserEntry {
        token_file,
        ..UserEntry::default()
    };
    let namespace = settings.environment.pod_namespace.clone();
    let namespace = namespace
        .filter(|name| !name.is_empty())
        .or_else(namespace_of_pod)
        .map(|name| name.trim().to_owned())
        .filter(|name| !name.is_empty());
    let mut resolved = Resolved {
        context: None,
        namespace: namespace.unwrap_or_else(|| "default".to_owned()),
        cluster,
        user_name: String::new(),
        user,
        plugin_policy: PluginPolicy::default(),
    };
    overrides::lay_over(&mut resolved, &settings.overrides);
    if settings.overrides.token.is_some() {
        resolved.user.token_file.clear();
    }
    super::validate::check(&resolved)?;
    Ok(Some(resolved))
}

/// The namespace that the kubelet has mounted.
fn namespace_of_pod() -> Option<String> {
    let path = format!("{FOLDER}/namespace");
    file::text(file::read_regular(Path::new(&path), LARGEST_NAME).ok()?).ok()
}
