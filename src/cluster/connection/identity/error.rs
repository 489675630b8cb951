//! Why there are no credentials; no message shows a plugin's output, environment or arguments.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use thiserror::Error;

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
    #[error("the credential plugin `{command}` did not end within {} s", .limit.as_secs_f32())]
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
