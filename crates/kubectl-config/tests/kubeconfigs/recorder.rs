//! An API server that refuses everybody and remembers who asked.
//!
//! One loopback port speaks everything, told apart by the first byte: HTTP, the same over TLS, proxying by
//! `CONNECT` or by whole URLs, and SOCKS5. A proxy leads to the recorder itself whatever it is asked for,
//! so cases can use names that nobody else resolves.

use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use rustls::{ServerConnection, StreamOwned};

use super::certificates::Certificates;
use super::identity::{Identity, Via};
use super::stream::{self, Peeked, Request, Stream};
use super::{encoding, socks};

const TLS_HANDSHAKE: u8 = 0x16;
const SOCKS_VERSION: u8 = 5;

/// One request to the API.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    pub(crate) identity: Identity,
    /// The namespace that its path names.
    pub(crate) namespace: Option<String>,
}

/// Listens until it is dropped.
pub(crate) struct Recorder {
    address: SocketAddr,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    seen: Mutex<Vec<Seen>>,
    /// Bodies of the requests for tokens.
    token_requests: Mutex<Vec<String>>,
    /// How many of the next requests are answered with 401 instead of 403.
    unauthorized: AtomicUsize,
    over: AtomicBool,
}

/// What the layers below a request said.
#[derive(Default, Clone)]
struct Layers {
    encrypted: bool,
    certificate: Option<String>,
    server_name: Option<String>,
    via: Option<Via>,
}

impl Recorder {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared::default());
        let accepting = Arc::clone(&shared);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                if accepting.over.load(Ordering::SeqCst) {
                    return;
                }
                let Ok(stream) = stream else { continue };
                let shared = Arc::clone(&accepting);
                std::thread::spawn(move || shared.serve(Box::new(stream), Layers::default()));
            }
        });
        Self { address, shared }
    }

    pub(crate) fn port(&self) -> u16 {
        self.address.port()
    }

    /// Forgets what was seen, and answers the next requests with 401.
    pub(crate) fn reset(&self, unauthorized: usize) {
        self.shared.seen.lock().unwrap().clear();
        self.shared.token_requests.lock().unwrap().clear();
        self.shared
            .unauthorized
            .store(unauthorized, Ordering::SeqCst);
    }

    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.shared.seen.lock().unwrap().clone()
    }

    pub(crate) fn token_requests(&self) -> Vec<String> {
        self.shared.token_requests.lock().unwrap().clone()
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        self.shared.over.store(true, Ordering::SeqCst);
        // Wakes the thread that accepts; without a listener there is nothing to wake.
        drop(TcpStream::connect(self.address));
    }
}

impl Shared {
    /// Speaks whatever the client speaks. Nothing at the end: clients may leave whenever they like.
    fn serve(&self, stream: Box<dyn Stream>, layers: Layers) -> Option<()> {
        let (first, mut stream) = Peeked::new(stream)?;
        match first {
            TLS_HANDSHAKE => self.serve_tls(stream, layers),
            SOCKS_VERSION => {
                let via = socks::accept(&mut stream)?;
                self.serve(
                    Box::new(stream),
                    Layers {
                        via: Some(via),
                        ..Layers::default()
                    },
                )
            }
            _ => self.serve_http(stream, layers),
        }
    }

    fn serve_tls(&self, mut stream: Peeked, layers: Layers) -> Option<()> {
        let certificates = Certificates::get();
        let mut connection = ServerConnection::new(Arc::clone(&certificates.server)).ok()?;
        while connection.is_handshaking() {
            connection.complete_io(&mut stream).ok()?;
        }
        let certificate = connection
            .peer_certificates()
            .and_then(|chain| chain.first())
            .map(|certificate| certificates.owner(certificate));
        let layers = Layers {
            encrypted: true,
            certificate,
            server_name: connection.server_name().map(str::to_owned),
            via: layers.via,
        };
        self.serve(Box::new(StreamOwned::new(connection, stream)), layers)
    }

    fn serve_http(&self, mut stream: Peeked, layers: Layers) -> Option<()> {
        let request = Request::read(&mut stream)?;
        let via = |target: &str| Via {
            kind: if layers.encrypted { "https" } else { "http" },
            target: target.to_owned(),
            credentials: request.header("proxy-authorization").map(str::to_owned),
        };
        if request.method == "CONNECT" {
            let layers = Layers {
                via: Some(via(&request.target)),
                ..Layers::default()
            };
            std::io::Write::write_all(&mut stream, b"HTTP/1.1 200 Connected\r\n\r\n").ok()?;
            std::io::Write::flush(&mut stream).ok()?;
            return self.serve(Box::new(stream), layers);
        }
        if let Some(rest) = request.target.strip_prefix("http://") {
            let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
            let layers = Layers {
                via: Some(via(host)),
                ..Layers::default()
            };
            return self.answer(&mut stream, &request, &format!("/{path}"), layers);
        }
        self.answer(&mut stream, &request, &request.target, layers)
    }

    fn answer(
        &self,
        stream: &mut Peeked,
        request: &Request,
        target: &str,
        layers: Layers,
    ) -> Option<()> {
        let path = target.split('?').next().unwrap_or(target);
        if let Some(path) = path.strip_prefix("/issuer") {
            return self.answer_login(stream, request, path);
        }
        let start = path.find("/api").unwrap_or(path.len());
        let (prefix, path) = path.split_at(start);
        self.seen
            .lock()
            .unwrap()
            .push(seen(request, prefix, path, layers));
        let unauthorized =
            self.unauthorized
                .fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| {
                    left.checked_sub(1)
                });
        let (status, body) = if unauthorized.is_ok() {
            ("401 Unauthorized", refusal(401, "Unauthorized"))
        } else {
            discovery(path).map_or_else(
                || ("403 Forbidden", refusal(403, "Forbidden")),
                |body| ("200 OK", body.to_owned()),
            )
        };
        stream::answer(stream, status, &body).ok()
    }

    /// An `OpenID` Connect provider that gives a fresh token for any other.
    fn answer_login(&self, stream: &mut Peeked, request: &Request, path: &str) -> Option<()> {
        let body = if path == "/.well-known/openid-configuration" {
            let host = request.header("host")?;
            format!(r#"{{"token_endpoint":"https://{host}/issuer/token"}}"#)
        } else if request.body.contains("revoked") {
            let body = r#"{"error":"invalid_grant"}"#;
            return stream::answer(stream, "400 Bad Request", body).ok();
        } else {
            self.token_requests
                .lock()
                .unwrap()
                .push(request.body.clone());
            let token = encoding::web_token(FRESH);
            format!(
                r#"{{"token_type":"Bearer","access_token":"s3cret-access","refresh_token":"s3cret-next","id_token":"{token}"}}"#
            )
        };
        stream::answer(stream, "200 OK", &body).ok()
    }
}

/// When the tokens end that the recorder gives out: in the year 2100.
pub(crate) const FRESH: i64 = 4_102_444_800;

fn seen(request: &Request, prefix: &str, path: &str, layers: Layers) -> Seen {
    let mut impersonation: Vec<(String, String)> = request
        .headers
        .iter()
        .filter_map(|(name, value)| {
            Some((
                name.strip_prefix("impersonate-")?.to_owned(),
                value.to_owned(),
            ))
        })
        .collect();
    impersonation.sort();
    Seen {
        identity: Identity {
            encrypted: layers.encrypted,
            authorization: request.header("authorization").map(str::to_owned),
            impersonation,
            certificate: layers.certificate,
            server_name: layers.server_name,
            via: layers.via,
            prefix: prefix.to_owned(),
        },
        namespace: path
            .split_once("/namespaces/")
            .and_then(|(_, rest)| rest.split_once('/'))
            .map(|(namespace, _)| namespace.to_owned()),
    }
}

/// The little that has to be known before pods and configuration maps can be asked for.
fn discovery(path: &str) -> Option<&'static str> {
    match path {
        "/api" => {
            Some(r#"{"kind":"APIVersions","versions":["v1"],"serverAddressByClientCIDRs":[]}"#)
        }
        "/apis" => Some(r#"{"kind":"APIGroupList","apiVersion":"v1","groups":[]}"#),
        "/api/v1" => Some(
            r#"{"kind":"APIResourceList","groupVersion":"v1","resources":[{"name":"pods","singularName":"pod","namespaced":true,"kind":"Pod","verbs":["get","list"]},{"name":"configmaps","singularName":"configmap","namespaced":true,"kind":"ConfigMap","verbs":["get","list","create","patch","delete"]}]}"#,
        ),
        _ => None,
    }
}

fn refusal(code: u16, reason: &str) -> String {
    format!(
        r#"{{"kind":"Status","apiVersion":"v1","metadata":{{}},"status":"Failure","message":"not here","reason":"{reason}","code":{code}}}"#
    )
}
