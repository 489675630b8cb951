//! A kubeconfig file, as `k8s.io/client-go` `tools/clientcmd/api/v1/types.go` defines it.
//!
//! None of it has `Debug`: tokens and keys are in it, and URLs may carry passwords.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer};
use serde_json::Value;

use crate::secret::Secret;

/// One file, or several merged.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(crate) struct Document {
    pub(crate) kind: String,
    #[serde(rename = "apiVersion")]
    pub(crate) api_version: String,
    #[serde(rename = "current-context")]
    pub(crate) current_context: String,
    pub(crate) clusters: Vec<NamedCluster>,
    pub(crate) contexts: Vec<NamedContext>,
    pub(crate) users: Vec<NamedUser>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(crate) struct NamedCluster {
    pub(crate) name: String,
    pub(crate) cluster: ClusterEntry,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(crate) struct NamedContext {
    pub(crate) name: String,
    pub(crate) context: ContextEntry,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(crate) struct NamedUser {
    pub(crate) name: String,
    pub(crate) user: UserEntry,
}

/// How to reach an API server.
#[derive(Clone, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
pub(crate) struct ClusterEntry {
    pub(crate) server: String,
    pub(crate) tls_server_name: String,
    pub(crate) insecure_skip_tls_verify: bool,
    pub(crate) certificate_authority: String,
    #[serde(deserialize_with = "base64")]
    pub(crate) certificate_authority_data: Vec<u8>,
    pub(crate) proxy_url: String,
    pub(crate) disable_compression: bool,
    pub(crate) extensions: Vec<Extension>,
}

#[derive(Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub(crate) struct Extension {
    pub(crate) name: String,
    pub(crate) extension: Value,
}

/// Which cluster, as which user, in which namespace.
#[derive(Clone, Default, Deserialize)]
#[serde(default)]
pub(crate) struct ContextEntry {
    pub(crate) cluster: String,
    pub(crate) user: String,
    pub(crate) namespace: String,
}

/// Who somebody is, and how to prove it.
#[derive(Clone, Default, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
pub(crate) struct UserEntry {
    pub(crate) client_certificate: String,
    #[serde(deserialize_with = "base64")]
    pub(crate) client_certificate_data: Vec<u8>,
    pub(crate) client_key: String,
    #[serde(deserialize_with = "secret_base64")]
    pub(crate) client_key_data: Secret,
    pub(crate) token: Secret,
    #[serde(rename = "tokenFile")]
    pub(crate) token_file: String,
    pub(crate) username: String,
    pub(crate) password: Secret,
    #[serde(rename = "as")]
    pub(crate) impersonate: String,
    pub(crate) as_uid: String,
    pub(crate) as_groups: Vec<String>,
    pub(crate) as_user_extra: BTreeMap<String, Vec<String>>,
    pub(crate) auth_provider: Option<AuthProvider>,
    pub(crate) exec: Option<ExecEntry>,
    /// The file that it stands in.
    #[serde(skip)]
    pub(crate) origin: std::path::PathBuf,
}

/// A login that is built into clients; only `oidc` still is.
#[derive(Clone, Default, Deserialize)]
#[serde(default)]
pub(crate) struct AuthProvider {
    pub(crate) name: String,
    pub(crate) config: BTreeMap<String, Secret>,
}

/// A command that prints credentials.
#[derive(Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct ExecEntry {
    pub(crate) command: String,
    pub(crate) args: Vec<String>,
    pub(crate) env: Vec<ExecVariable>,
    pub(crate) api_version: String,
    pub(crate) install_hint: String,
    pub(crate) provide_cluster_info: bool,
    pub(crate) interactive_mode: String,
}

#[derive(Clone, Default, Deserialize)]
#[serde(default)]
pub(crate) struct ExecVariable {
    pub(crate) name: String,
    pub(crate) value: Secret,
}

fn base64<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
    use base64::Engine;
    let text = String::deserialize(deserializer)?;
    // Go's decoder skips line breaks (`encoding/base64`), which folded YAML brings along.
    let text: String = text.chars().filter(|c| !matches!(c, '\n' | '\r')).collect();
    base64::engine::general_purpose::STANDARD
        .decode(text)
        // The decoder's own message quotes a byte of what may be a key.
        .map_err(|_| serde::de::Error::custom("not valid base64"))
}

fn secret_base64<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Secret, D::Error> {
    let bytes = base64(deserializer)?;
    String::from_utf8(bytes)
        .map(Secret::new)
        .map_err(|_| serde::de::Error::custom("not a PEM block"))
}
