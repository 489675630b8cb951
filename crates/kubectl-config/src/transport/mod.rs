//! Carries requests to the API server as somebody: adds the credentials, renews them once when they
//! are rejected, and connects anew when certificates have changed.

mod channel;
mod files;
mod no_proxy;
mod route;
mod stream;
mod trust;

use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use futures::FutureExt;
use futures::future::BoxFuture;
use http::{HeaderValue, Request, Response, StatusCode, header};
use hyper::body::Incoming;
use kube::client::Body;
use thiserror::Error;
use tokio::time::Instant;
use tower::{BoxError, Service};

pub(crate) use self::channel::{Channel, http_client};
use self::files::TrustFiles;
pub(crate) use self::route::Route;
pub(crate) use self::trust::{Trust, TrustError};
use super::identity::{Credentials, Identity, IdentityError};
use super::kubeconfig::{KubeconfigError, Resolved};
use super::settings::Settings;
use crate::failure;

/// Certificate files are looked at again after this long, and at once when a connection is refused.
const FRESH: Duration = Duration::from_secs(30);

/// A connection that a proxy was to make.
#[derive(Debug, Error)]
#[error("through the proxy `{proxy}`: {}", failure::innermost(source))]
pub struct ProxyError {
    proxy: String,
    source: hyper_util::client::legacy::Error,
}

/// The way to one API server as one identity; clones share it.
#[derive(Clone)]
pub struct Transport(Arc<Shared>);

struct Shared {
    identity: Identity,
    files: TrustFiles,
    route: Route,
    user_agent: HeaderValue,
    connect_timeout: Duration,
    before_read: fn() -> io::Result<()>,
    current: Mutex<Current>,
}

/// The pool that is in use, and what it was built from.
struct Current {
    trust: Trust,
    looked_at: Instant,
    channel: Channel<Body>,
}

impl Transport {
    pub(crate) fn new(
        resolved: &Resolved,
        identity: Identity,
        route: Route,
        settings: &Settings,
    ) -> Result<Self, KubeconfigError> {
        let files = TrustFiles::new(&resolved.cluster, &resolved.user);
        let trust = files.read()?;
        let channel = http_client(
            &trust,
            &route,
            settings.connect_timeout,
            settings.before_read,
        )
        .map_err(|error| KubeconfigError::Unusable(error.to_string()))?;
        let current = Current {
            trust,
            looked_at: Instant::now(),
            channel,
        };
        Ok(Self(Arc::new(Shared {
            identity,
            files,
            route,
            user_agent: settings.user_agent.clone(),
            connect_timeout: settings.connect_timeout,
            before_read: settings.before_read,
            current: Mutex::new(current),
        })))
    }

    /// Obtains the credentials, which may take a person's time and is no request's business.
    ///
    /// # Errors
    /// [`IdentityError`].
    pub async fn log_in(&self) -> Result<(), IdentityError> {
        self.0.identity.credentials().await.map(|_| ())
    }

    /// Uses no connection from before any more.
    pub fn reconnect(&self) {
        self.0.reconnect();
    }
}

impl Shared {
    async fn carry(&self, request: Request<Body>) -> Result<Response<Incoming>, BoxError> {
        let credentials = self.identity.credentials().await?;
        let (head, body) = request.into_parts();
        // Only a streamed body, which we never send, cannot be sent again.
        let again = body
            .try_clone()
            .map(|body| Request::from_parts(head.clone(), body));
        let request = Request::from_parts(head, body);
        let answer = self.send(request, &credentials, false).await;
        let Some(again) = again else { return answer };
        match answer {
            Ok(response) if response.status() == StatusCode::UNAUTHORIZED => {
                // 401 comes before any handler: nothing was executed, whatever was asked.
                match self.identity.renewed(&credentials).await? {
                    Some(renewed) => self.send(again, &renewed, true).await,
                    None if self.has_new_files(&credentials) => {
                        self.send(again, &credentials, false).await
                    }
                    None => Ok(response),
                }
            }
            Err(error) if is_untrusted(&*error) && self.has_new_files(&credentials) => {
                self.send(again, &credentials, false).await
            }
            other => other,
        }
    }

    async fn send(
        &self,
        mut request: Request<Body>,
        credentials: &Credentials,
        look_now: bool,
    ) -> Result<Response<Incoming>, BoxError> {
        let channel = self.channel(credentials, look_now);
        let headers = request.headers_mut();
        headers.insert(header::USER_AGENT, self.user_agent.clone());
        for (name, value) in self.identity.impersonation() {
            headers.append(name, value.clone());
        }
        if let Some(value) = &credentials.authorization {
            headers.insert(header::AUTHORIZATION, value.clone());
        }
        if let Route::Forward {
            authorization: Some(value),
            ..
        } = &self.route
        {
            headers.insert(header::PROXY_AUTHORIZATION, value.clone());
        }
        channel
            .request(request)
            .await
            .map_err(|error| match self.route.proxy() {
                Some(proxy) if error.is_connect() => Box::new(ProxyError {
                    proxy: proxy.to_string().trim_end_matches('/').to_owned(),
                    source: error,
                }),
                _ => BoxError::from(error),
            })
    }

    /// The pool for these credentials, built anew when a certificate is another one.
    fn channel(&self, credentials: &Credentials, look_now: bool) -> Channel<Body> {
        let mut current = self.lock();
        let mut trust = current.trust.clone();
        if look_now || current.looked_at.elapsed() > FRESH {
            current.looked_at = Instant::now();
            // While a file is being replaced, what was read before still counts.
            if let Ok(read) = self.files.read() {
                trust = read;
            }
        }
        if let Some(certificate) = &credentials.certificate {
            trust.certificate = Some(certificate.clone());
        }
        if trust != current.trust {
            // What cannot be used, such as half of a file, does not replace what can.
            if let Ok(channel) = self.connect(&trust) {
                current.channel = channel;
                current.trust = trust;
            }
        }
        current.channel.clone()
    }

    fn connect(&self, trust: &Trust) -> Result<Channel<Body>, TrustError> {
        http_client(trust, &self.route, self.connect_timeout, self.before_read)
    }

    /// Forgets all connections.
    fn reconnect(&self) {
        let mut current = self.lock();
        if let Ok(channel) = self.connect(&current.trust) {
            current.channel = channel;
        }
    }

    /// Whether looking at the files again changes what a connection is made with.
    fn has_new_files(&self, credentials: &Credentials) -> bool {
        let before = self.lock().trust.clone();
        self.channel(credentials, true);
        self.lock().trust != before
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Current> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether TLS kept the connection from being made, so that nothing was sent.
fn is_untrusted(error: &(dyn std::error::Error + 'static)) -> bool {
    failure::was_connecting(error) && failure::find::<rustls::Error>(error).is_some()
}

impl Service<Request<Body>> for Transport {
    type Response = Response<Incoming>;
    type Error = BoxError;
    type Future = BoxFuture<'static, Result<Self::Response, BoxError>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let shared = Arc::clone(&self.0);
        async move { shared.carry(request).await }.boxed()
    }
}
