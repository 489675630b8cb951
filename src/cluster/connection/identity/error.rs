//! Why there are no credentials; no message shows a plugin's output, environment or arguments.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use thiserror::Error;

use crate::figures::duration;

/// Credentials that cannot be had.
#[derive(Debug, Clone, Error)]
pub(crate) enum IdentityError {
    #[error("the credential plugin `{command}` was not found")]
    PluginNotFound {
        command: String,
        install_hint: String,
    },
    #[error("the credential plugin `{command}` cannot be started")]
    PluginNotStarted {
        command: String,
        #[source]
        source: Arc<io::Error>,
    },
    #[error("the credential plugin `{command}` failed with {how}")]
    PluginFailed { command: String, how: String },
    #[error("the credential plugin `{command}` did not end within {}", duration(*.limit))]
    PluginTimedOut { command: String, limit: Duration },
    #[error("the credential plugin `{command}` answered something unusable: {reason}")]
    PluginUnusable { command: String, reason: String },
    #[error(
        "the credential plugin `{command}` must ask a person (`interactiveMode: Always`), and \
         standard input is not a terminal that it could use"
    )]
    PluginNeedsPerson { command: String },
    #[error(
        "kubectl's preferences (`kuberc`) do not allow the credential plugin `{command}`: their \
         policy is `{policy}`"
    )]
    PluginForbidden {
        command: String,
        policy: &'static str,
    },
    #[error("the credential plugin `{command}` asks for `{api_version}`, which is not supported")]
    PluginVersion {
        command: String,
        api_version: String,
    },
    #[error("cannot read the token file `{}`", path.display())]
    TokenFile {
        path: PathBuf,
        #[source]
        source: Arc<io::Error>,
    },
    #[error("the token file `{}` is empty", path.display())]
    EmptyTokenFile { path: PathBuf },
    #[error("the {0} holds characters that cannot be sent")]
    NotSendable(&'static str),
    #[error("the kubeconfig's `auth-provider` `{name}` is not supported: {reason}")]
    Provider {
        name: String,
        reason: &'static str,
        instead: &'static str,
    },
    #[error("the OIDC login cannot be renewed: {0}")]
    Oidc(String),
    #[error("{0} has no credentials")]
    Nobody(String),
}

impl IdentityError {
    /// What to do about it.
    pub(crate) fn hint(&self) -> String {
        match self {
            Self::PluginNotFound { install_hint, .. } if !install_hint.trim().is_empty() => {
                install_hint.trim().to_owned()
            }
            Self::PluginNotFound { .. } | Self::PluginNotStarted { .. } => {
                "install it, or correct `exec.command` in the kubeconfig".to_owned()
            }
            Self::PluginFailed { .. }
            | Self::PluginTimedOut { .. }
            | Self::PluginUnusable { .. } => {
                "run the plugin by hand to see what it says: `kubectl config view --minify` shows its command".to_owned()
            }
            Self::PluginNeedsPerson { .. } => {
                "run the command in a terminal, without `-f -`, or log in beforehand".to_owned()
            }
            Self::PluginForbidden { .. } => {
                "allow it in `credentialPluginAllowlist` of `~/.kube/kuberc`, if you trust it"
                    .to_owned()
            }
            Self::PluginVersion { .. } => {
                "update the plugin and the kubeconfig to `client.authentication.k8s.io/v1`"
                    .to_owned()
            }
            Self::Provider { instead, .. } => {
                format!("use {instead} instead, as an `exec` entry of the kubeconfig")
            }
            Self::Oidc(_) | Self::TokenFile { .. } | Self::EmptyTokenFile { .. } => {
                "log in again".to_owned()
            }
            Self::NotSendable(_) | Self::Nobody(_) => {
                "compare with `kubectl config view --minify`, or name a token with `--token`"
                    .to_owned()
            }
        }
    }
}
