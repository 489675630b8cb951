//! Chooses the context, its cluster and its user, and lays the flags over them
//! (`k8s.io/client-go` `tools/clientcmd/client_config.go`, `getContext` and its neighbours).

use std::path::PathBuf;

use super::Resolved;
use super::document::{ClusterEntry, ContextEntry, Document, UserEntry};
use super::error::KubeconfigError;
use super::plugin_policy::PluginPolicy;
use crate::secret::Secret;
use crate::settings::Overrides;

pub(crate) fn resolve(
    document: &Document,
    overrides: &Overrides,
) -> Result<Resolved, KubeconfigError> {
    let (context_name, context) = context(document, overrides)?;
    let cluster_name = overrides.cluster.as_ref().unwrap_or(&context.cluster);
    let user_name = overrides.user.as_ref().unwrap_or(&context.user);
    let cluster = cluster(document, context_name.as_deref(), cluster_name, overrides)?;
    let user = user(document, user_name, overrides)?;
    let namespace = if context.namespace.is_empty() {
        "default".to_owned()
    } else {
        context.namespace
    };
    let mut resolved = Resolved {
        context: context_name,
        namespace,
        cluster,
        user_name: user_name.clone(),
        user,
        plugin_policy: PluginPolicy::default(),
    };
    lay_over(&mut resolved, overrides);
    Ok(resolved)
}

/// What the flags say counts more than what any file says.
pub(crate) fn lay_over(resolved: &mut Resolved, overrides: &Overrides) {
    override_cluster(&mut resolved.cluster, overrides);
    override_user(&mut resolved.user, overrides);
}

fn context(
    document: &Document,
    overrides: &Overrides,
) -> Result<(Option<String>, ContextEntry), KubeconfigError> {
    let known = || {
        document
            .contexts
            .iter()
            .map(|entry| entry.name.clone())
            .collect()
    };
    let name = overrides
        .context
        .as_ref()
        .unwrap_or(&document.current_context);
    if name.is_empty() {
        // Flags may name everything that a context would.
        if overrides.server.is_some() || overrides.cluster.is_some() {
            return Ok((None, ContextEntry::default()));
        }
        return Err(KubeconfigError::NoContext { known: known() });
    }
    let found = document.contexts.iter().find(|entry| entry.name == *name);
    match found {
        Some(entry) => Ok((Some(name.clone()), entry.context.clone())),
        None => Err(KubeconfigError::UnknownContext {
            name: name.clone(),
            known: known(),
        }),
    }
}

/// A name that only a context gives may be unknown: flags may still say enough.
fn cluster(
    document: &Document,
    context: Option<&str>,
    name: &str,
    overrides: &Overrides,
) -> Result<ClusterEntry, KubeconfigError> {
    let found = document.clusters.iter().find(|entry| entry.name == name);
    match found {
        Some(entry) => Ok(entry.cluster.clone()),
        None if overrides.cluster.is_none() && overrides.server.is_some() => {
            Ok(ClusterEntry::default())
        }
        None if name.is_empty() => Err(KubeconfigError::Unusable(format!(
            "the kubeconfig's context `{}` names no cluster",
            context.unwrap_or_default()
        ))),
        None => Err(KubeconfigError::Unknown {
            what: "cluster",
            name: name.to_owned(),
            known: document
                .clusters
                .iter()
                .map(|entry| entry.name.clone())
                .collect(),
        }),
    }
}

fn user(
    document: &Document,
    name: &str,
    overrides: &Overrides,
) -> Result<UserEntry, KubeconfigError> {
    let found = document.users.iter().find(|entry| entry.name == name);
    match found {
        Some(entry) => Ok(entry.user.clone()),
        None if overrides.user.is_none() => Ok(UserEntry::default()),
        None => Err(KubeconfigError::Unknown {
            what: "user",
            name: name.to_owned(),
            known: document
                .users
                .iter()
                .map(|entry| entry.name.clone())
                .collect(),
        }),
    }
}

fn override_cluster(cluster: &mut ClusterEntry, overrides: &Overrides) {
    let authority = path(overrides.certificate_authority.as_ref());
    // Either flag decides on trust alone: what the file says of it would contradict it.
    if overrides.insecure_skip_tls_verify || authority.is_some() {
        cluster.insecure_skip_tls_verify = overrides.insecure_skip_tls_verify;
        cluster.certificate_authority = authority.unwrap_or_default();
        cluster.certificate_authority_data = Vec::new();
    }
    if overrides.tls_server_name.is_some() || overrides.server.is_some() {
        cluster.tls_server_name = overrides.tls_server_name.clone().unwrap_or_default();
    }
    if let Some(server) = &overrides.server {
        cluster.server.clone_from(server);
    }
    if let Some(proxy) = &overrides.proxy_url {
        cluster.proxy_url.clone_from(proxy);
    }
}

fn override_user(user: &mut UserEntry, overrides: &Overrides) {
    if let Some(path) = path(overrides.client_key.as_ref()) {
        user.client_key = path;
        user.client_key_data = Secret::default();
    }
    if let Some(path) = path(overrides.client_certificate.as_ref()) {
        user.client_certificate = path;
        user.client_certificate_data = Vec::new();
    }
    if let Some(token) = &overrides.token {
        user.token = token.clone();
    }
    if let Some(username) = &overrides.username {
        user.username.clone_from(username);
    }
    if let Some(password) = &overrides.password {
        user.password = password.clone();
    }
    let impersonation = &overrides.impersonation;
    if let Some(name) = &impersonation.user {
        user.impersonate.clone_from(name);
    }
    if let Some(uid) = &impersonation.uid {
        user.as_uid.clone_from(uid);
    }
    if !impersonation.groups.is_empty() {
        user.as_groups.clone_from(&impersonation.groups);
    }
    let mut given = std::collections::BTreeMap::<String, Vec<String>>::new();
    for (key, value) in &impersonation.extra {
        given.entry(key.clone()).or_default().push(value.clone());
    }
    user.as_user_extra.extend(given);
}

fn path(path: Option<&PathBuf>) -> Option<String> {
    let path = path?;
    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.clone());
    Some(absolute.to_string_lossy().into_owned())
}
