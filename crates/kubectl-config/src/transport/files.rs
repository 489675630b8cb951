//! The certificates that a kubeconfig names: read, and read again, since others renew them.

use std::io;
use std::path::Path;

use super::trust::Trust;
use crate::identity::ClientCertificate;
use crate::kubeconfig::{ClusterEntry, KubeconfigError, UserEntry, credential_file};
use crate::secret::Secret;

/// Where trust comes from.
pub(crate) struct TrustFiles {
    cluster: ClusterEntry,
    user: UserEntry,
}

impl TrustFiles {
    pub(crate) fn new(cluster: &ClusterEntry, user: &UserEntry) -> Self {
        Self {
            cluster: cluster.clone(),
            user: user.clone(),
        }
    }

    /// What the files hold now.
    pub(crate) fn read(&self) -> Result<Trust, KubeconfigError> {
        let (cluster, user) = (&self.cluster, &self.user);
        let authority = data_or_file(
            "certificate authority",
            &cluster.certificate_authority_data,
            &cluster.certificate_authority,
        )?;
        let certificate = data_or_file(
            "client certificate",
            &user.client_certificate_data,
            &user.client_certificate,
        )?;
        let key = data_or_file(
            "client key",
            user.client_key_data.expose().as_bytes(),
            &user.client_key,
        )?;
        let certificate = match (certificate, key) {
            (Some(certificate), Some(key)) => Some(ClientCertificate {
                certificate,
                key: Secret::new(String::from_utf8_lossy(&key).into_owned()),
            }),
            _ => None,
        };
        Ok(Trust {
            authority,
            insecure: cluster.insecure_skip_tls_verify,
            server_name: Some(cluster.tls_server_name.clone()).filter(|name| !name.is_empty()),
            certificate,
        })
    }
}

fn data_or_file(
    what: &'static str,
    data: &[u8],
    file: &str,
) -> Result<Option<Vec<u8>>, KubeconfigError> {
    if !data.is_empty() {
        return Ok(Some(data.to_vec()));
    }
    if file.is_empty() {
        return Ok(None);
    }
    let failed = |source: io::Error| KubeconfigError::File {
        what,
        path: Path::new(file).to_owned(),
        source,
    };
    credential_file(Path::new(file)).map(Some).map_err(failed)
}
