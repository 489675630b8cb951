//! The table, a file for each group.

pub(crate) mod certificate;
pub(crate) mod context;
pub(crate) mod exec;
pub(crate) mod files;
pub(crate) mod flags;
pub(crate) mod impersonation;
pub(crate) mod in_cluster;
pub(crate) mod in_pod;
pub(crate) mod kuberc;
pub(crate) mod legacy;
pub(crate) mod oidc;
pub(crate) mod plugin_answers;
pub(crate) mod proxy;
pub(crate) mod server;
pub(crate) mod tls;
pub(crate) mod token;

/// A cluster that can be reached and trusted, as fields of a flow mapping.
const TRUSTED: &str = "server: '@https@', certificate-authority: '@authority@'";

/// The kubeconfig of one context called `here`; cluster and user are fields of flow mappings.
fn config(cluster: &str, user: &str) -> String {
    named("here", cluster, user)
}

/// The kubeconfig of one context; it, its cluster and its user have the same name.
fn named(name: &str, cluster: &str, user: &str) -> String {
    format!(
        "apiVersion: v1
kind: Config
current-context: {name}
contexts: [{{name: {name}, context: {{cluster: {name}, user: {name}}}}}]
clusters: [{{name: {name}, cluster: {{{cluster}}}}}]
users: [{{name: {name}, user: {{{user}}}}}]
"
    )
}

/// A trusted cluster, and a user with these fields.
pub(crate) fn user(user: &str) -> String {
    config(TRUSTED, user)
}

/// A cluster with these fields, and a user with a token.
fn cluster(cluster: &str) -> String {
    config(cluster, "token: s3cret-token")
}
