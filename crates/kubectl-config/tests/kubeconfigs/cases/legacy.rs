//! Providers that client-go once had built in: removed ones, unknown ones, and one that runs commands.

use super::user;
use crate::kubeconfigs::Case;

fn provider(fields: &str) -> String {
    user(&format!("auth-provider: {{{fields}}}"))
}

pub(crate) fn cases() -> Vec<Case> {
    vec![
        Case::new("gcp")
            .kubeconfig(provider("name: gcp, config: {access-token: s3cret-token}"))
            .refused(&["gcp"]),
        Case::new("gcp with a command")
            .kubeconfig(provider(
                "name: gcp, config: {cmd-path: '@folder@/plugin', cmd-args: x, \
                 token-key: '{.token}', expiry-key: '{.expiry}'}",
            ))
            .program(
                "plugin",
                "#!/bin/sh\n: >@folder@/ran\necho '{\"token\":\"s3cret-plugin\",\"expiry\":\"2100-01-01T00:00:00Z\"}'\n",
            )
            .absent("ran")
            .refused(&["gcp"]),
        Case::new("azure")
            .kubeconfig(provider("name: azure, config: {access-token: s3cret-token}"))
            .refused(&["azure"]),
        Case::new("a provider that nobody knows")
            .kubeconfig(provider("name: novel, config: {access-token: s3cret-token}"))
            .refused(&["novel"]),
        Case::new("a provider without a name")
            .kubeconfig(provider("config: {access-token: s3cret-token}"))
            .refused(&["auth-provider"]),
        Case::new("a provider and a token")
            .kubeconfig(user("auth-provider: {name: gcp}, token: s3cret-token"))
            .refused(&["gcp"]),
        Case::new("a provider and a plugin")
            .kubeconfig(user(
                "auth-provider: {name: oidc}, exec: {apiVersion: client.authentication.k8s.io/v1, \
                 command: 'true', interactiveMode: Never}",
            ))
            .refused(&["exec"]),
    ]
}
