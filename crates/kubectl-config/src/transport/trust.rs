//! Whom to trust, and which certificate to show, in a TLS connection.

use http::Uri;
use hyper_util::client::legacy::connect::Connection;
use kube::Config;
use kube::client::ConfigExt;
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use serde_json::json;
use thiserror::Error;
use tower::BoxError;

use crate::identity::ClientCertificate;

/// The sides of a TLS connection.
#[derive(Clone, Default, PartialEq, Eq)]
pub(crate) struct Trust {
    /// PEM certificates; without any, the machine's own.
    pub(crate) authority: Option<Vec<u8>>,
    /// Check no certificate: the connection can be intercepted.
    pub(crate) insecure: bool,
    /// The name that the server's certificate must be for, if not the address's.
    pub(crate) server_name: Option<String>,
    /// What we show.
    pub(crate) certificate: Option<ClientCertificate>,
}

/// Certificates or a key that cannot be used.
#[derive(Debug, Error)]
pub(crate) enum TrustError {
    #[error(
        "the certificate authority (`certificate-authority` or `certificate-authority-data`) holds no certificate in PEM form"
    )]
    Authority,
    #[error("the client certificate and its key cannot be read, or do not belong together")]
    Certificate,
    #[error("the TLS settings cannot be used: {0}")]
    Tls(String),
}

impl Trust {
    /// Whether the certificates and keys can be used at all.
    pub(crate) fn check(&self) -> Result<(), TrustError> {
        self.https(hyper_util::client::legacy::connect::HttpConnector::new())
            .map(|_| ())
    }

    /// Adds TLS to a way of connecting.
    pub(crate) fn https<H>(
        &self,
        connector: H,
    ) -> Result<hyper_rustls::HttpsConnector<H>, TrustError>
    where
        H: tower::Service<Uri> + Send,
        H::Error: Into<BoxError>,
        H::Future: Send + 'static,
        H::Response: hyper::rt::Read + hyper::rt::Write + Connection + Unpin + Send + 'static,
    {
        // The address is not used for TLS settings.
        let mut config = Config::new(Uri::from_static("https://unused"));
        if let Some(authority) = &self.authority {
            // What is no certificate is passed over, as Go does, as long as there is one.
            let certificates: Vec<Vec<u8>> = CertificateDer::pem_slice_iter(authority)
                .filter_map(Result::ok)
                .filter(|certificate| RootCertStore::empty().add(certificate.clone()).is_ok())
                .map(|certificate| certificate.to_vec())
                .collect();
            if certificates.is_empty() {
                return Err(TrustError::Authority);
            }
            config.root_cert = Some(certificates);
        }
        config.accept_invalid_certs = self.insecure;
        config.tls_server_name.clone_from(&self.server_name);
        if let Some(certificate) = &self.certificate {
            use base64::Engine;
            let encode = |bytes: &[u8]| base64::engine::general_purpose::STANDARD.encode(bytes);
            config.auth_info = serde_json::from_value(json!({
                "client-certificate-data": encode(&blocks(&certificate.certificate, "CERTIFICATE")),
                "client-key-data": encode(&blocks(certificate.key.expose().as_bytes(), "PRIVATE KEY")),
            }))
            .map_err(|_| TrustError::Certificate)?;
        }
        config
            .rustls_https_connector_with_connector(connector)
            .map_err(|error| match error {
                kube::Error::RustlsTls(_) if self.certificate.is_some() => TrustError::Certificate,
                other => TrustError::Tls(other.to_string()),
            })
    }
}

/// The PEM blocks of a kind, without what else is in the file: a key beside the certificate, a
/// certificate beside the key, or text.
fn blocks(pem: &[u8], kind: &str) -> Vec<u8> {
    let text = String::from_utf8_lossy(pem);
    let mut kept = String::new();
    let mut is_inside = false;
    for line in text.lines() {
        is_inside |=
            line.starts_with("-----BEGIN ") && line.trim_end().ends_with(&format!("{kind}-----"));
        if is_inside {
            kept.push_str(line);
            kept.push('\n');
        }
        is_inside &= !line.starts_with("-----END ");
    }
    kept.into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_blocks_of_the_kind_are_kept() {
        let both = "text\n-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n\
                    -----BEGIN EC PRIVATE KEY-----\nBBBB\n-----END EC PRIVATE KEY-----\n";
        let certificate = String::from_utf8(blocks(both.as_bytes(), "CERTIFICATE")).unwrap();
        assert!(certificate.contains("AAAA") && !certificate.contains("BBBB"));
        let key = String::from_utf8(blocks(both.as_bytes(), "PRIVATE KEY")).unwrap();
        assert!(key.contains("BBBB") && !key.contains("AAAA") && !key.contains("text"));
    }
}
