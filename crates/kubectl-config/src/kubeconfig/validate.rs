//! Refuses what kubectl refuses before it sends anything
//! (`k8s.io/client-go` `tools/clientcmd/validation.go`).

use std::path::Path;

use kubectl_manifest::namespace_problem;

use super::Resolved;
use super::document::{ClusterEntry, ExecEntry, UserEntry};
use super::error::KubeconfigError;
use super::files::credential_file;

pub(crate) fn check(resolved: &Resolved) -> Result<(), KubeconfigError> {
    if let Some(problem) = namespace_problem(&resolved.namespace) {
        return unusable(format!(
            "the context's namespace `{}` {problem}",
            resolved.namespace
        ));
    }
    check_cluster(&resolved.cluster)?;
    check_user(&resolved.user)
}

fn check_cluster(cluster: &ClusterEntry) -> Result<(), KubeconfigError> {
    if cluster.server.is_empty() {
        return unusable("the kubeconfig's cluster names no server");
    }
    let has_file = !cluster.certificate_authority.is_empty();
    let has_data = !cluster.certificate_authority_data.is_empty();
    if has_file && has_data {
        return unusable(
            "the kubeconfig's cluster has both `certificate-authority` and `certificate-authority-data`",
        );
    }
    if cluster.insecure_skip_tls_verify && (has_file || has_data) {
        return unusable(
            "the kubeconfig's cluster has both `certificate-authority` and `insecure-skip-tls-verify`",
        );
    }
    readable("certificate authority", &cluster.certificate_authority)
}

fn check_user(user: &UserEntry) -> Result<(), KubeconfigError> {
    let has_basic = !user.username.is_empty() || !user.password.is_empty();
    let has_token = !user.token.is_empty() || !user.token_file.is_empty();
    if has_basic && has_token {
        return unusable("the kubeconfig's user has both a token and a user name with a password");
    }
    if user.username.is_empty() && !user.password.is_empty() {
        return unusable("the kubeconfig's user has a password without `username`");
    }
    check_certificate(user)?;
    if let Some(exec) = &user.exec {
        if user.auth_provider.is_some() {
            return unusable("the kubeconfig's user has both `exec` and `auth-provider`");
        }
        check_exec(exec)?;
    }
    let details = [
        ("as-uid", !user.as_uid.is_empty()),
        ("as-groups", !user.as_groups.is_empty()),
        ("as-user-extra", !user.as_user_extra.is_empty()),
    ];
    let given = details.into_iter().find(|(_, is_given)| *is_given);
    match given {
        Some((name, _)) if user.impersonate.is_empty() => unusable(format!(
            "`{name}` is given without a user to impersonate (`as` in the kubeconfig, or `--as`)"
        )),
        _ => Ok(()),
    }
}

fn check_certificate(user: &UserEntry) -> Result<(), KubeconfigError> {
    let (file, data) = (
        !user.client_certificate.is_empty(),
        !user.client_certificate_data.is_empty(),
    );
    if !file && !data {
        return Ok(());
    }
    if file && data {
        return unusable(
            "the kubeconfig's user has both `client-certificate` and `client-certificate-data`",
        );
    }
    let (key_file, key_data) = (
        !user.client_key.is_empty(),
        !user.client_key_data.is_empty(),
    );
    if key_file && key_data {
        return unusable("the kubeconfig's user has both `client-key` and `client-key-data`");
    }
    if !key_file && !key_data {
        return unusable(
            "the kubeconfig's user has a client certificate without `client-key` or `client-key-data`",
        );
    }
    readable("client certificate", &user.client_certificate)?;
    readable("client key", &user.client_key)
}

fn check_exec(exec: &ExecEntry) -> Result<(), KubeconfigError> {
    if exec.command.is_empty() {
        return unusable("the kubeconfig's credential plugin (`exec`) has no `command`");
    }
    if exec.api_version.is_empty() {
        return unusable("the kubeconfig's credential plugin (`exec`) has no `apiVersion`");
    }
    if exec.env.iter().any(|variable| variable.name.is_empty()) {
        return unusable(
            "the kubeconfig's credential plugin (`exec`) has an entry of `env` without a name",
        );
    }
    match exec.interactive_mode.as_str() {
        "Never" | "IfAvailable" | "Always" => Ok(()),
        // Required since v1; before, a missing mode meant "if available"
        // (`tools/clientcmd/api/v1/defaults.go`).
        "" if exec.api_version != "client.authentication.k8s.io/v1" => Ok(()),
        "" => unusable("the kubeconfig's credential plugin (`exec`) has no `interactiveMode`"),
        other => unusable(format!(
            "the kubeconfig's credential plugin (`exec`) has the unknown `interactiveMode` `{other}`"
        )),
    }
}

fn readable(what: &'static str, path: &str) -> Result<(), KubeconfigError> {
    if path.is_empty() {
        return Ok(());
    }
    credential_file(Path::new(path))
        .map(|_| ())
        .map_err(|source| KubeconfigError::File {
            what,
            path: path.into(),
            source,
        })
}

fn unusable(reason: impl Into<String>) -> Result<(), KubeconfigError> {
    Err(KubeconfigError::Unusable(reason.into()))
}
