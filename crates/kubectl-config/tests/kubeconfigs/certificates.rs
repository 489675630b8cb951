//! The certificate authority of the recorder, its own certificate, and those of two users.

use std::sync::{Arc, OnceLock};

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};

/// The names that the recorder's certificate is valid for.
const NAMES: [&str; 6] = [
    "127.0.0.1",
    "0.0.0.0",
    "localhost",
    "cluster.example",
    "other.example",
    "*.wild.example",
];

/// A certificate and its key.
pub(crate) struct Pair {
    pub(crate) certificate: String,
    pub(crate) key: String,
    der: CertificateDer<'static>,
}

/// Made once for all tests of a process.
pub(crate) struct Certificates {
    /// Signed the recorder's certificate.
    pub(crate) authority: String,
    /// Signed nothing.
    pub(crate) stranger: String,
    pub(crate) alice: Pair,
    pub(crate) bob: Pair,
    /// What the recorder presents itself with; asks for a certificate and demands none.
    pub(crate) server: Arc<ServerConfig>,
}

impl Certificates {
    pub(crate) fn get() -> &'static Self {
        static CERTIFICATES: OnceLock<Certificates> = OnceLock::new();
        CERTIFICATES.get_or_init(Self::make)
    }

    fn make() -> Self {
        let (authority, authority_der, issuer) = authority("kubeconfigs");
        let (stranger, _, _) = authority_of_nobody();
        let recorder = sign("recorder", &issuer);
        let mut roots = RootCertStore::empty();
        roots.add(authority_der).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let verifier =
            WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider.clone())
                .allow_unauthenticated()
                .build()
                .unwrap();
        let (pair, key) = recorder;
        let server = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_client_cert_verifier(verifier)
            .with_single_cert(vec![pair.der], key)
            .unwrap();
        Self {
            authority,
            stranger,
            alice: sign("alice", &issuer).0,
            bob: sign("bob", &issuer).0,
            server: Arc::new(server),
        }
    }

    /// Whose certificate this is.
    pub(crate) fn owner(&self, certificate: &CertificateDer<'_>) -> String {
        [("alice", &self.alice), ("bob", &self.bob)]
            .into_iter()
            .find(|(_, pair)| pair.der == *certificate)
            .map_or("somebody else", |(name, _)| name)
            .to_owned()
    }
}

fn authority_of_nobody() -> (String, CertificateDer<'static>, Issuer<'static, KeyPair>) {
    authority("stranger")
}

fn authority(name: &str) -> (String, CertificateDer<'static>, Issuer<'static, KeyPair>) {
    let key = KeyPair::generate().unwrap();
    let mut parameters = CertificateParams::default();
    parameters.distinguished_name.push(DnType::CommonName, name);
    parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let certificate = parameters.self_signed(&key).unwrap();
    (
        certificate.pem(),
        certificate.der().clone(),
        Issuer::new(parameters, key),
    )
}

fn sign(name: &str, issuer: &Issuer<'static, KeyPair>) -> (Pair, PrivateKeyDer<'static>) {
    let key = KeyPair::generate().unwrap();
    let mut parameters = CertificateParams::new(NAMES.map(str::to_owned)).unwrap();
    parameters.distinguished_name.push(DnType::CommonName, name);
    let certificate = parameters.signed_by(&key, issuer).unwrap();
    let pair = Pair {
        certificate: certificate.pem(),
        key: key.serialize_pem(),
        der: certificate.der().clone(),
    };
    (pair, PrivateKeyDer::try_from(key.serialize_der()).unwrap())
}
