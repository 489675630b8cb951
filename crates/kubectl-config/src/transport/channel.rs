//! One pool of connections, with Nagle's algorithm off: small writes on a warm connection would
//! otherwise wait 40 ms for the peer's delayed acknowledgement.

use std::io;
use std::time::Duration;

use bytes::Bytes;
use http::Uri;
use hyper::body::Incoming;
use hyper::rt::{Read, Write};
use hyper_util::client::legacy::connect::proxy::{SocksV5, Tunnel};
use hyper_util::client::legacy::connect::{Connection, HttpConnector};
use hyper_util::client::legacy::{Client, Error};
use hyper_util::rt::TokioExecutor;
use tower::util::BoxCloneSyncService;
use tower::{BoxError, ServiceExt};

use super::route::Route;
use super::stream::Connecting;
use super::trust::{Trust, TrustError};

/// After this long without traffic the kernel asks whether the peer's machine is still there.
const KEEPALIVE: Duration = Duration::from_secs(30);

/// What is read ahead of a connection at most, more than the heads of any answers; logs of many
/// replicas come over as many connections.
const LARGEST_BUFFER: usize = 128 * 1024;

type Service<B> = BoxCloneSyncService<http::Request<B>, http::Response<Incoming>, Error>;

/// Requests in, answers out, over as many connections as needed.
pub(crate) struct Channel<B>(Service<B>);

impl<B> Clone for Channel<B> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<B> Channel<B> {
    /// Sends one request.
    pub(crate) async fn request(
        &self,
        request: http::Request<B>,
    ) -> Result<http::Response<Incoming>, Error> {
        self.0.clone().oneshot(request).await
    }
}

/// Builds a pool for one way and one trust.
pub(crate) fn http_client<B>(
    trust: &Trust,
    route: &Route,
    connect_timeout: Duration,
    before_read: fn() -> io::Result<()>,
) -> Result<Channel<B>, TrustError>
where
    B: http_body::Body<Data = Bytes> + Send + Unpin + 'static,
    B::Error: Into<BoxError>,
{
    let mut direct = HttpConnector::new();
    direct.enforce_http(false);
    direct.set_nodelay(true);
    direct.set_keepalive(Some(KEEPALIVE));
    direct.set_connect_timeout(Some(connect_timeout));
    Ok(match route {
        Route::Direct => pool(None, trust.https(direct)?, before_read),
        Route::Tunnel {
            proxy,
            authorization,
        } => {
            // Whether there is TLS to the proxy too is in its scheme; Go trusts it by the same rules.
            let mut tunnel = Tunnel::new(proxy.clone(), trust.https(direct)?);
            if let Some(value) = authorization {
                tunnel = tunnel.with_auth(value.clone());
            }
            pool(None, trust.https(tunnel)?, before_read)
        }
        Route::Forward { proxy, .. } => {
            pool(Some(proxy.clone()), trust.https(direct)?, before_read)
        }
        Route::Socks { proxy, login } => {
            let mut socks = SocksV5::new(proxy.clone(), direct);
            if let Some(login) = login {
                socks = socks.with_auth(login.user.clone(), login.password.expose().to_owned());
            }
            pool(None, trust.https(socks)?, before_read)
        }
    })
}

fn pool<C, B>(proxy: Option<Uri>, connector: C, before_read: fn() -> io::Result<()>) -> Channel<B>
where
    C: tower::Service<Uri> + Clone + Send + Sync + 'static,
    C::Response: Read + Write + Connection + Unpin + Send + 'static,
    C::Future: Send + 'static,
    C::Error: Into<BoxError>,
    B: http_body::Body<Data = Bytes> + Send + Unpin + 'static,
    B::Error: Into<BoxError>,
{
    let connecting = Connecting::new(proxy, connector, before_read);
    let client = Client::builder(TokioExecutor::new())
        .http1_max_buf_size(LARGEST_BUFFER)
        .build::<_, B>(connecting);
    Channel(BoxCloneSyncService::new(client))
}
