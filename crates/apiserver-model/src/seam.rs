//! The server as a tower service: what `kube::Client::new` takes.

use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use futures::FutureExt;
use futures::future::BoxFuture;
use http::{HeaderValue, Request, Response, header};
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use kube::client::Body;
use tower::{BoxError, Service};

use super::state::Shared;
use super::{listener, requests};

/// A connection-less way to the server, with the token of one user.
#[derive(Debug, Clone)]
pub struct Seam {
    shared: Arc<Shared>,
    token: HeaderValue,
}

impl Seam {
    pub(super) fn new(shared: &Arc<Shared>, token: &str) -> Self {
        Self {
            shared: Arc::clone(shared),
            token: format!("Bearer {token}").parse().unwrap(),
        }
    }
}

impl Service<Request<Body>> for Seam {
    type Response = Response<requests::Body>;
    type Error = BoxError;
    type Future = BoxFuture<'static, Result<Self::Response, BoxError>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, mut request: Request<Body>) -> Self::Future {
        request
            .headers_mut()
            .entry(header::AUTHORIZATION)
            .or_insert(self.token.clone());
        let shared = Arc::clone(&self.shared);
        if request.headers().contains_key(header::UPGRADE) {
            upgrade(shared, request).boxed()
        } else {
            async move { Ok(requests::handle(shared, request).await?) }.boxed()
        }
    }
}

/// Only hyper can make the upgraded stream that the client asks a response for: so a real connection, but in memory.
async fn upgrade(
    shared: Arc<Shared>,
    request: Request<Body>,
) -> Result<Response<requests::Body>, BoxError> {
    let (near, far) = tokio::io::duplex(64 * 1024);
    tokio::spawn(listener::serve(far, shared));
    let (mut sender, connection) = http1::handshake(TokioIo::new(near)).await?;
    tokio::spawn(connection.with_upgrades());
    let (mut parts, body) = request.into_parts();
    parts
        .headers
        .entry(header::HOST)
        .or_insert(HeaderValue::from_static("model"));
    let body: Bytes = body.collect().await?.to_bytes();
    let response = sender
        .send_request(Request::from_parts(parts, Full::new(body)))
        .await?;
    Ok(response.map(|body| body.map_err(std::io::Error::other).boxed_unsync()))
}
