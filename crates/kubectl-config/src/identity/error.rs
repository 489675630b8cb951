//! Why there are no credentials; no message shows a plugin's output, environment or arguments.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use thiserror::Error;

/// Credentials that cannot be had.
#[derive(Debug, Clone, Error)]
pub enum IdentityError {
    /// There is no such command.
    #[error("the credential plugin `{command}` was not found")]
    PluginNotFound {
        /// As the kubeconfig names it.
        command: String,
        /// What the kubeconfig says about its installation, or nothing.
        install_hint: String,
    },
    /// The operating system refuses to run the command.
    #[error("the credential plugin `{command}` cannot be started")]
    PluginNotStarted {
        /// As the kubeconfig names it.
        command: String,
        /// Why.
        #[source]
        source: Arc<io::Error>,
    },
    /// The command ended without success.
    #[error("the credential plugin `{command}` failed with {how}")]
    PluginFailed {
        /// As the kubeconfig names it.
        command: String,
        /// Its exit code or signal.
        how: String,
    },
    /// The command took too long, and was killed.
    #[error("the credential plugin `{command}` did not end within {} s", .limit.as_secs_f32())]
    PluginTimedOut {
        /// As the kubeconfig names it.
        command: String,
        /// How long it may take.
        limit: Duration,
    },
    /// The command printed no credentials.
    #[error("the credential plugin `{command}` answered something unusable: {reason}")]
    PluginUnusable {
        /// As the kubeconfig names it.
        command: String,
        /// What is wrong with the answer.
        reason: String,
    },
    /// The command has to ask somebody, and nobody can be asked.
    #[error(
        "the credential plugin `{command}` must ask a person (`interactiveMode: Always`), and \
         standard input is not a terminal that it could use"
    )]
    PluginNeedsPerson {
        /// As the kubeconfig names it.
        command: String,
    },
    /// kubectl's preferences forbid the command.
    #[error(
        "kubectl's preferences (`kuberc`) do not allow the credential plugin `{command}`: their \
         policy is `{policy}`"
    )]
    PluginForbidden {
        /// As the kubeconfig names it.
        command: String,
        /// The policy, as the preferences name it.
        policy: &'static str,
    },
    /// The command speaks a version that is too old or too new.
    #[error("the credential plugin `{command}` asks for `{api_version}`, which is not supported")]
    PluginVersion {
        /// As the kubeconfig names it.
        command: String,
        /// The version that the kubeconfig says it speaks.
        api_version: String,
    },
    /// The token file cannot be read.
    #[error("cannot read the token file `{}`", path.display())]
    TokenFile {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: Arc<io::Error>,
    },
    /// The token file holds nothing.
    #[error("the token file `{}` is empty", path.display())]
    EmptyTokenFile {
        /// The file.
        path: PathBuf,
    },
    /// A token, password or name that no header can carry.
    #[error("the {0} holds characters that cannot be sent")]
    NotSendable(&'static str),
    /// A login that was once built into clients.
    #[error("the kubeconfig's `auth-provider` `{name}` is not supported: {reason}")]
    Provider {
        /// Its name.
        name: String,
        /// Why it is not supported.
        reason: &'static str,
        /// What has taken its place, with a program's name in backticks.
        instead: &'static str,
    },
    /// The issuer gives no new token.
    #[error("the OIDC login cannot be renewed: {0}")]
    Oidc(String),
    /// The kubeconfig names no credentials at all.
    #[error("{0} has no credentials")]
    Nobody(String),
}
