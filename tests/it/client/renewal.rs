//! Certificates and tokens that are renewed by others while a command runs.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use cryptoctl::cluster::{Cluster, ClusterError, ResourceKind, TimeLimits};
use cryptoctl::emitter::Emitter;
use http::{Request, Response, StatusCode, header};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use kubectl_config::Settings;
use rcgen::{CertifiedKey, KeyPair, generate_simple_self_signed};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use super::script::pod;

fn certificate() -> CertifiedKey<KeyPair> {
    generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap()
}

/// What the server requires and presents at the moment.
struct Now {
    config: Arc<ServerConfig>,
    /// The token, or the client certificate, that it accepts.
    token: Option<String>,
    client: Option<CertificateDer<'static>>,
    requests: usize,
}

/// An API server whose certificate and requirements change.
struct Server {
    port: u16,
    now: Arc<Mutex<Now>>,
}

impl Server {
    async fn start(shown: &CertifiedKey<KeyPair>, clients: &[&CertifiedKey<KeyPair>]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let now = Arc::new(Mutex::new(Now {
            config: config(shown, clients),
            token: None,
            client: None,
            requests: 0,
        }));
        let state = Arc::clone(&now);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let state = Arc::clone(&state);
                let acceptor = TlsAcceptor::from(Arc::clone(&state.lock().unwrap().config));
                tokio::spawn(async move {
                    let Ok(stream) = acceptor.accept(stream).await else {
                        return;
                    };
                    let client = stream.get_ref().1.peer_certificates();
                    let client = client.and_then(|chain| chain.first()).cloned();
                    let client = client.map(CertificateDer::into_owned);
                    let service = service_fn(move |request| {
                        let answer = answer(&state, client.as_ref(), &request);
                        std::future::ready(Ok::<_, std::convert::Infallible>(answer))
                    });
                    let connection = http1::Builder::new();
                    let _ = connection
                        .serve_connection(TokioIo::new(stream), service)
                        .await;
                });
            }
        });
        Self { port, now }
    }

    fn change(&self, change: impl FnOnce(&mut Now)) {
        change(&mut self.now.lock().unwrap());
    }

    fn requests(&self) -> usize {
        std::mem::take(&mut self.now.lock().unwrap().requests)
    }

    async fn connect(&self, folder: &Path, user: &str) -> Cluster {
        let path: PathBuf = folder.join("config");
        let text = format!(
            "apiVersion: v1
kind: Config
current-context: a
contexts: [{{name: a, context: {{cluster: a, user: a}}}}]
clusters: [{{name: a, cluster: {{server: 'https://127.0.0.1:{}', certificate-authority: authority}}}}]
users: [{{name: a, user: {{{user}}}}}]
",
            self.port
        );
        std::fs::write(&path, text).unwrap();
        let settings = Settings {
            kubeconfig: Some(path),
            ..Settings::default()
        };
        let (emitter, _events) = Emitter::new();
        let limits = TimeLimits {
            request: Duration::from_secs(15),
            patience: Duration::from_mins(1),
        };
        Cluster::connect(&settings, limits, emitter).await.unwrap()
    }
}

fn config(shown: &CertifiedKey<KeyPair>, clients: &[&CertifiedKey<KeyPair>]) -> Arc<ServerConfig> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .unwrap();
    let builder = if clients.is_empty() {
        builder.with_no_client_auth()
    } else {
        let mut roots = RootCertStore::empty();
        for client in clients {
            roots.add(client.cert.der().clone()).unwrap();
        }
        let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
        builder.with_client_cert_verifier(verifier.allow_unauthenticated().build().unwrap())
    };
    let key = PrivateKeyDer::try_from(shown.signing_key.serialize_der()).unwrap();
    Arc::new(
        builder
            .with_single_cert(vec![shown.cert.der().clone()], key)
            .unwrap(),
    )
}

fn answer(
    state: &Mutex<Now>,
    client: Option<&CertificateDer<'static>>,
    request: &Request<Incoming>,
) -> Response<Full<bytes::Bytes>> {
    let mut now = state.lock().unwrap();
    now.requests += 1;
    let header = request.headers().get(header::AUTHORIZATION);
    let has_token = now.token.as_ref().is_none_or(|token| {
        header.is_some_and(|value| value.as_bytes() == format!("Bearer {token}").as_bytes())
    });
    let is_accepted = has_token && (now.client.is_none() || now.client.as_ref() == client);
    let (status, body) = if is_accepted {
        (StatusCode::OK, pod("web-0", "uid-1", 1))
    } else {
        (
            StatusCode::UNAUTHORIZED,
            json!({"kind": "Status", "code": 401}),
        )
    };
    let mut response = Response::new(Full::from(body.to_string()));
    *response.status_mut() = status;
    response
}

async fn ask(cluster: &Cluster) -> Result<(), ClusterError> {
    cluster
        .get::<Value>(&ResourceKind::pod(), Some("default"), "web-0")
        .await
        .map(|_| ())
}

fn write(folder: &Path, name: &str, text: &str) {
    std::fs::write(folder.join(name), text).unwrap();
}

#[tokio::test]
async fn a_new_certificate_authority_is_trusted_once_it_is_in_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let (first, second) = (certificate(), certificate());
    let server = Server::start(&first, &[]).await;
    write(folder.path(), "authority", &first.cert.pem());
    let cluster = server.connect(folder.path(), "token: a").await;
    // Nothing was sent yet, so the next connection gets the new certificate.
    server.change(|now| now.config = config(&second, &[]));
    let error = ask(&cluster).await.unwrap_err();
    assert!(
        matches!(error, ClusterError::Certificate { .. }),
        "{error:?}"
    );
    write(folder.path(), "authority", &second.cert.pem());
    ask(&cluster).await.unwrap();
}

#[tokio::test]
async fn a_new_client_certificate_is_shown_once_the_old_one_is_rejected() {
    let folder = tempfile::tempdir().unwrap();
    let (shown, first, second) = (certificate(), certificate(), certificate());
    let server = Server::start(&shown, &[&first, &second]).await;
    server.change(|now| now.client = Some(first.cert.der().clone()));
    let place = |pair: &CertifiedKey<KeyPair>| {
        write(folder.path(), "certificate", &pair.cert.pem());
        write(folder.path(), "key", &pair.signing_key.serialize_pem());
    };
    write(folder.path(), "authority", &shown.cert.pem());
    place(&first);
    let user = "client-certificate: certificate, client-key: key";
    let cluster = server.connect(folder.path(), user).await;
    ask(&cluster).await.unwrap();

    server.change(|now| now.client = Some(second.cert.der().clone()));
    let error = ask(&cluster).await.unwrap_err();
    assert!(
        matches!(error, ClusterError::Unauthorized { .. }),
        "{error:?}"
    );
    place(&second);
    ask(&cluster).await.unwrap();
}

#[tokio::test]
async fn a_half_written_certificate_does_not_replace_the_one_that_works() {
    let folder = tempfile::tempdir().unwrap();
    let (shown, first) = (certificate(), certificate());
    let server = Server::start(&shown, &[&first]).await;
    server.change(|now| now.client = Some(first.cert.der().clone()));
    write(folder.path(), "authority", &shown.cert.pem());
    write(folder.path(), "certificate", &first.cert.pem());
    write(folder.path(), "key", &first.signing_key.serialize_pem());
    let user = "client-certificate: certificate, client-key: key";
    let cluster = server.connect(folder.path(), user).await;
    let half = first.cert.pem();
    write(folder.path(), "certificate", &half[..half.len() / 2]);
    server.change(|now| now.token = Some("never".to_owned()));
    // The rejection causes the files to be read again, but they are invalid at the moment.
    ask(&cluster).await.unwrap_err();
    server.change(|now| now.token = None);
    ask(&cluster).await.unwrap();
}

#[tokio::test]
async fn a_new_token_in_the_file_is_sent_once_the_old_one_is_rejected() {
    let folder = tempfile::tempdir().unwrap();
    let shown = certificate();
    let server = Server::start(&shown, &[]).await;
    server.change(|now| now.token = Some("first".to_owned()));
    write(folder.path(), "authority", &shown.cert.pem());
    write(folder.path(), "token", "first\n");
    let cluster = server.connect(folder.path(), "tokenFile: token").await;
    ask(&cluster).await.unwrap();
    assert_eq!(server.requests(), 1);

    server.change(|now| now.token = Some("second".to_owned()));
    let error = ask(&cluster).await.unwrap_err();
    assert!(
        matches!(error, ClusterError::Unauthorized { .. }),
        "{error:?}"
    );
    assert_eq!(server.requests(), 1, "the same token is not sent twice");
    write(folder.path(), "token", "second\n");
    ask(&cluster).await.unwrap();
    assert_eq!(server.requests(), 2);
}
