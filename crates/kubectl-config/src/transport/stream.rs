//! The streams that connections are made of: nothing comes in that the process has no room for, whatever
//! protocol it would be of.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures::FutureExt;
use futures::future::BoxFuture;
use http::Uri;
use hyper::rt::{Read, ReadBufCursor, Write};
use hyper_util::client::legacy::connect::{Connected, Connection};
use tower::{BoxError, Service};

/// Makes connections; with a proxy that is sent whole URLs, which is how plain HTTP goes through one
/// (RFC 9112, section 3.2.2), to that proxy, wherever a request goes.
#[derive(Clone)]
pub(crate) struct Connecting<C> {
    proxy: Option<Uri>,
    connector: C,
    before_read: fn() -> io::Result<()>,
}

impl<C> Connecting<C> {
    pub(crate) fn new(
        proxy: Option<Uri>,
        connector: C,
        before_read: fn() -> io::Result<()>,
    ) -> Self {
        Self {
            proxy,
            connector,
            before_read,
        }
    }
}

impl<C> Service<Uri> for Connecting<C>
where
    C: Service<Uri>,
    C::Future: Send + 'static,
    C::Error: Into<BoxError>,
{
    type Response = Stream<C::Response>;
    type Error = BoxError;
    type Future = BoxFuture<'static, Result<Self::Response, BoxError>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.connector.poll_ready(context).map_err(Into::into)
    }

    fn call(&mut self, server: Uri) -> Self::Future {
        let is_proxied = self.proxy.is_some();
        let before_read = self.before_read;
        let connecting = self.connector.call(self.proxy.clone().unwrap_or(server));
        async move {
            let inner = connecting.await.map_err(Into::into)?;
            Ok(Stream {
                inner,
                is_proxied,
                before_read,
            })
        }
        .boxed()
    }
}

/// A connection.
pub(crate) struct Stream<S> {
    inner: S,
    /// Makes the client send whole URLs.
    is_proxied: bool,
    before_read: fn() -> io::Result<()>,
}

impl<S: Connection> Connection for Stream<S> {
    fn connected(&self) -> Connected {
        let connected = self.inner.connected();
        if self.is_proxied {
            connected.proxy(true)
        } else {
            connected
        }
    }
}

impl<S: Read + Unpin> Read for Stream<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        if let Err(refused) = (self.before_read)() {
            return Poll::Ready(Err(refused));
        }
        Pin::new(&mut self.inner).poll_read(context, buffer)
    }
}

impl<S: Write + Unpin> Write for Stream<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(context)
    }
}
