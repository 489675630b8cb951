//! The server's certificate, made once for all tests of a process.

use std::sync::{Arc, LazyLock};

use rustls::ServerConfig;
use rustls::pki_types::PrivateKeyDer;
use tokio_rustls::TlsAcceptor;

/// How the server proves who it is, and what makes a client believe it.
struct Encryption {
    authority: String,
    server: Arc<ServerConfig>,
}

static ENCRYPTION: LazyLock<Encryption> = LazyLock::new(|| {
    let rcgen::CertifiedKey { cert, signing_key } =
        rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
    let key = PrivateKeyDer::try_from(signing_key.serialize_der()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let server = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![cert.der().clone()], key)
        .unwrap();
    Encryption {
        authority: cert.pem(),
        server: Arc::new(server),
    }
});

/// The certificate to trust, as PEM.
pub(super) fn authority() -> &'static str {
    &ENCRYPTION.authority
}

/// The server's side of a connection.
pub(super) fn acceptor() -> TlsAcceptor {
    TlsAcceptor::from(Arc::clone(&ENCRYPTION.server))
}
