//! Finds and merges kubeconfigs by kubectl's rules (`k8s.io/client-go` `tools/clientcmd/loader.go`):
//! `--kubeconfig`, else the list in `KUBECONFIG` with missing files skipped, else the file in the
//! home directory, else the service account of the pod that this runs in.

use std::path::{Path, PathBuf};

use kube::Config;
use kube::config::{KubeConfigOptions, Kubeconfig, KubeconfigError};

use super::connection::ConnectionSettings;
use super::error::ClusterError;

/// A configuration to connect with, and the name of the context that it came from.
pub(super) struct Loaded {
    pub(super) config: Config,
    pub(super) context: Option<String>,
}

pub(super) async fn load(settings: &ConnectionSettings) -> Result<Loaded, ClusterError> {
    let Some(kubeconfig) = read(settings)? else {
        return in_cluster(settings);
    };
    let context = settings
        .context
        .clone()
        .or_else(|| kubeconfig.current_context.clone());
    let known: Vec<String> = kubeconfig
        .contexts
        .iter()
        .map(|context| context.name.clone())
        .collect();
    let Some(name) = &context else {
        return Err(ClusterError::Configuration {
            reason: "the kubeconfig has no current context".to_owned(),
            hint: choose_context(&known),
        });
    };
    if !known.contains(name) {
        return Err(ClusterError::Configuration {
            reason: format!("the kubeconfig has no context `{name}`"),
            hint: choose_context(&known),
        });
    }
    let options = KubeConfigOptions {
        context: context.clone(),
        cluster: None,
        user: None,
    };
    let config = Config::from_custom_kubeconfig(kubeconfig, &options)
        .await
        .map_err(|error| invalid(&error))?;
    Ok(Loaded { config, context })
}

fn read(settings: &ConnectionSettings) -> Result<Option<Kubeconfig>, ClusterError> {
    if let Some(path) = &settings.kubeconfig {
        return read_file(path).map(Some);
    }
    let candidates: Vec<PathBuf> = match &settings.kubeconfig_list {
        Some(list) if !list.is_empty() => std::env::split_paths(list)
            .filter(|path| !path.as_os_str().is_empty())
            .collect(),
        _ => settings
            .home
            .iter()
            .map(|home| home.join(".kube").join("config"))
            .collect(),
    };
    let mut merged: Option<Kubeconfig> = None;
    for path in candidates.iter().filter(|path| path.exists()) {
        let next = read_file(path)?;
        merged = Some(match merged {
            None => next,
            Some(earlier) => earlier.merge(next).map_err(|error| invalid(&error))?,
        });
    }
    Ok(merged)
}

fn read_file(path: &Path) -> Result<Kubeconfig, ClusterError> {
    Kubeconfig::read_from(path).map_err(|error| {
        let reason = match &error {
            KubeconfigError::ReadConfig(source, _) => source.to_string(),
            // The parser's own text may quote the file, which holds credentials.
            _ => "it is not a valid kubeconfig".to_owned(),
        };
        ClusterError::Configuration {
            reason: format!("cannot read the kubeconfig `{}`: {reason}", path.display()),
            hint: "name another one with `--kubeconfig FILE`, or set `KUBECONFIG`".to_owned(),
        }
    })
}

fn in_cluster(settings: &ConnectionSettings) -> Result<Loaded, ClusterError> {
    if settings.context.is_none()
        && let Ok(config) = Config::incluster()
    {
        return Ok(Loaded {
            config,
            context: None,
        });
    }
    let looked_at = match &settings.kubeconfig_list {
        Some(list) if !list.is_empty() => format!("`KUBECONFIG` ({})", list.to_string_lossy()),
        _ => "`~/.kube/config`".to_owned(),
    };
    Err(ClusterError::Configuration {
        reason: format!("no kubeconfig: {looked_at} names no file that exists"),
        hint: "name one with `--kubeconfig FILE`, or set `KUBECONFIG`".to_owned(),
    })
}

fn invalid(error: &KubeconfigError) -> ClusterError {
    let reason = match error {
        KubeconfigError::LoadClusterOfContext(name) => {
            format!("the kubeconfig's context names the cluster `{name}`, which it does not have")
        }
        KubeconfigError::LoadCertificateAuthority(_) => {
            "the kubeconfig's certificate authority cannot be read".to_owned()
        }
        KubeconfigError::LoadClientCertificate(_) | KubeconfigError::LoadClientKey(_) => {
            "the kubeconfig's client certificate or key cannot be read".to_owned()
        }
        KubeconfigError::ParseClusterUrl(_) | KubeconfigError::MissingClusterUrl => {
            "the kubeconfig's cluster has no usable server URL".to_owned()
        }
        _ => "the kubeconfig cannot be used".to_owned(),
    };
    ClusterError::Configuration {
        reason,
        hint: "compare with `kubectl config view --minify`".to_owned(),
    }
}

fn choose_context(known: &[String]) -> String {
    if known.is_empty() {
        "it has no contexts at all; name another kubeconfig with `--kubeconfig FILE`".to_owned()
    } else {
        let names: Vec<String> = known
            .iter()
            .map(|name| format!("`--context {name}`"))
            .collect();
        format!("choose one: {}", names.join(", "))
    }
}
