//! What a credential plugin is given and answers (`k8s.io/client-go`
//! `pkg/apis/clientauthentication/v1/types.go`).

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::credentials::{ClientCertificate, Credentials};
use super::{IdentityError, bearer};
use crate::kubeconfig::ClusterEntry;
use crate::secret::Secret;
use crate::transport::Trust;

/// The versions that client-go understands.
pub(crate) const API_VERSIONS: [&str; 2] = [
    "client.authentication.k8s.io/v1",
    "client.authentication.k8s.io/v1beta1",
];

/// The text of `KUBERNETES_EXEC_INFO`.
pub(crate) fn request(api_version: &str, interactive: bool, cluster: Option<Value>) -> String {
    let mut spec = Map::new();
    if let Some(cluster) = cluster {
        spec.insert("cluster".to_owned(), cluster);
    }
    spec.insert("interactive".to_owned(), interactive.into());
    json!({"kind": "ExecCredential", "apiVersion": api_version, "spec": spec}).to_string()
}

/// What a plugin learns of the cluster when it asks for that.
pub(crate) fn cluster_information(cluster: &ClusterEntry, authority: &[u8]) -> Value {
    use base64::Engine;
    let mut information = Map::new();
    information.insert("server".to_owned(), cluster.server.clone().into());
    let mut insert = |key: &str, value: Value, is_given: bool| {
        if is_given {
            information.insert(key.to_owned(), value);
        }
    };
    let name = &cluster.tls_server_name;
    insert("tls-server-name", name.as_str().into(), !name.is_empty());
    let insecure = cluster.insecure_skip_tls_verify;
    insert("insecure-skip-tls-verify", insecure.into(), insecure);
    let data = base64::engine::general_purpose::STANDARD.encode(authority);
    insert(
        "certificate-authority-data",
        data.into(),
        !authority.is_empty(),
    );
    let proxy = &cluster.proxy_url;
    insert("proxy-url", proxy.as_str().into(), !proxy.is_empty());
    let uncompressed = cluster.disable_compression;
    insert("disable-compression", uncompressed.into(), uncompressed);
    let config = cluster.exec_configuration().cloned();
    information.insert("config".to_owned(), config.unwrap_or(Value::Null));
    information.into()
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ExecCredential {
    #[serde(default)]
    kind: String,
    #[serde(default)]
    api_version: String,
    status: Option<Status>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Status {
    expiration_timestamp: Option<Timestamp>,
    token: Option<Secret>,
    client_certificate_data: Option<String>,
    client_key_data: Option<Secret>,
}

/// Reads what a plugin has printed.
pub(crate) fn answer(
    command: &str,
    api_version: &str,
    output: &[u8],
) -> Result<Credentials, IdentityError> {
    let unusable = |reason: &str| IdentityError::PluginUnusable {
        command: command.to_owned(),
        reason: reason.to_owned(),
    };
    let credential = decode(output).ok_or_else(|| unusable("it is no `ExecCredential`"))?;
    if !matches!(credential.kind.as_str(), "" | "ExecCredential") {
        return Err(unusable("it is no `ExecCredential`"));
    }
    if credential.api_version != api_version {
        // Nothing that a plugin prints is repeated, but what it is known to be called.
        let known = API_VERSIONS
            .into_iter()
            .find(|known| *known == credential.api_version);
        return Err(unusable(&format!(
            "it has the version `{}` instead of `{api_version}`, which the kubeconfig asks for",
            known.unwrap_or("unknown")
        )));
    }
    let status = credential
        .status
        .ok_or_else(|| unusable("it has no `status`"))?;
    let token = status.token.filter(|token| !token.is_empty());
    let certificate = status
        .client_certificate_data
        .filter(|data| !data.is_empty());
    let key = status.client_key_data.filter(|key| !key.is_empty());
    let certificate = match (certificate, key) {
        (Some(certificate), Some(key)) => Some(ClientCertificate {
            certificate: certificate.into_bytes(),
            key,
        }),
        (None, None) => None,
        _ => {
            return Err(unusable(
                "it has only one of a client certificate and its key",
            ));
        }
    };
    if token.is_none() && certificate.is_none() {
        return Err(unusable("it has neither a token nor a client certificate"));
    }
    let trust = Trust {
        certificate: certificate.clone(),
        ..Trust::default()
    };
    if certificate.is_some() && trust.check().is_err() {
        return Err(unusable(
            "its client certificate and key cannot be read, or do not belong together",
        ));
    }
    let authorization = token.map(|token| bearer(token.expose())).transpose()?;
    Ok(Credentials {
        authorization,
        certificate,
        expires: status.expiration_timestamp,
    })
}

/// JSON, or YAML, which Kubernetes' decoder takes as well.
fn decode(output: &[u8]) -> Option<ExecCredential> {
    if let Ok(credential) = serde_json::from_slice(output) {
        return Some(credential);
    }
    let text = std::str::from_utf8(output).ok()?;
    let value = kubectl_manifest::read_first(text).ok()??;
    serde_json::from_value(value).ok()
}
