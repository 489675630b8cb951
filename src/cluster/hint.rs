//! What to do about a connection that cannot be made, in the words of this program's flags.

use kubectl_config::{IdentityError, KubeconfigError};

/// A kubeconfig, or flags over it, that name no usable connection.
pub(crate) fn of_kubeconfig(error: &KubeconfigError) -> String {
    match error {
        KubeconfigError::None { .. }
        | KubeconfigError::Unreadable { .. }
        | KubeconfigError::Invalid { .. }
        | KubeconfigError::Endless(_) => {
            "name another one with `--kubeconfig FILE`, or set `KUBECONFIG`".to_owned()
        }
        KubeconfigError::NoContext { known } | KubeconfigError::UnknownContext { known, .. } => {
            choose("context", known)
        }
        KubeconfigError::Unknown { what, known, .. } => choose(what, known),
        KubeconfigError::Unusable(_) | KubeconfigError::File { .. } => {
            "compare with `kubectl config view --minify`".to_owned()
        }
    }
}

fn choose(flag: &str, known: &[String]) -> String {
    if known.is_empty() {
        return format!(
            "it has no {flag}s at all; name another kubeconfig with `--kubeconfig FILE`"
        );
    }
    let names: Vec<String> = known
        .iter()
        .map(|name| format!("`--{flag} {name}`"))
        .collect();
    format!("choose one: {}", names.join(", "))
}

/// Credentials that cannot be had.
pub(crate) fn of_identity(error: &IdentityError) -> String {
    let hint = match error {
        IdentityError::PluginNotFound { install_hint, .. } if !install_hint.trim().is_empty() => {
            install_hint.trim()
        }
        IdentityError::PluginNotFound { .. } | IdentityError::PluginNotStarted { .. } => {
            "install it, or correct `exec.command` in the kubeconfig"
        }
        IdentityError::PluginFailed { .. }
        | IdentityError::PluginTimedOut { .. }
        | IdentityError::PluginUnusable { .. } => {
            "run the plugin by hand to see what it says: `kubectl config view --minify` shows its \
             command"
        }
        IdentityError::PluginNeedsPerson { .. } => {
            "run the command in a terminal, without `-f -`, or log in beforehand"
        }
        IdentityError::PluginForbidden { .. } => {
            "allow it in `credentialPluginAllowlist` of `~/.kube/kuberc`, if you trust it"
        }
        IdentityError::PluginVersion { .. } => {
            "update the plugin and the kubeconfig to `client.authentication.k8s.io/v1`"
        }
        IdentityError::Provider { instead, .. } => {
            return format!("use {instead} instead, as an `exec` entry of the kubeconfig");
        }
        IdentityError::Oidc(_)
        | IdentityError::TokenFile { .. }
        | IdentityError::EmptyTokenFile { .. } => "log in again",
        IdentityError::NotSendable(_) | IdentityError::Nobody(_) => {
            "compare with `kubectl config view --minify`, or name a token with `--token`"
        }
    };
    hint.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kubeconfig_says_how_its_plugin_is_installed() {
        let missing = |install_hint: &str| IdentityError::PluginNotFound {
            command: "plugin".to_owned(),
            install_hint: install_hint.to_owned(),
        };
        assert_eq!(of_identity(&missing("  get it\n")), "get it");
        assert!(of_identity(&missing("\n")).starts_with("install it"));
    }

    #[test]
    fn a_removed_provider_has_a_successor() {
        let removed = IdentityError::Provider {
            name: "gcp".to_owned(),
            reason: "it was removed",
            instead: "`gke-gcloud-auth-plugin`",
        };
        assert!(of_identity(&removed).contains("gke-gcloud-auth-plugin"));
    }

    #[test]
    fn what_there_is_to_choose_from_is_named() {
        let known = vec!["one".to_owned(), "two".to_owned()];
        let error = KubeconfigError::NoContext { known };
        assert_eq!(
            of_kubeconfig(&error),
            "choose one: `--context one`, `--context two`"
        );
    }
}
