//! Whom to trust, and which certificate to show, in a TLS connection.

use http::Uri;
use hyper_util::client::legacy::connect::Connection;
use kube::Config;
use kube::client::ConfigExt;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use serde_json::json;
use thiserror::Error;
use tower::BoxError;

use crate::cluster::identity::ClientCertificate;

/// The sides of a TLS connection.
#[derive(Clone, Default, PartialEq, Eq)]
pub(crate) struct Trust {
    /// PEM certificates; without any, the machine's own.
    pub(crate) authority: Option<Vec<u8>>,
    /// Believe whoever answers.
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
    pub(super) fn https<H>(
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
            let certificates: Vec<Vec<u8>> = CertificateDer::pem_slice_iter(authority)
                .filter_map(Result::ok)
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
                "client-certificate-data": encode(&certificate.certificate),
                "client-key-data": encode(certificate.key.expose().as_bytes()),
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
