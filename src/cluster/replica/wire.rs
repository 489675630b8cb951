//! A stream that notes what comes over it: whether an answer has begun is known from its bytes, not
//! from what the HTTP library makes of them.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use http::StatusCode;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// Enough of an answer for its status, or to tell another protocol.
const KEPT: usize = 32;

/// What has come over a stream since the last question.
#[derive(Clone, Default)]
pub(crate) struct Received(Arc<Mutex<Vec<u8>>>);

impl Received {
    /// A new question begins.
    pub(crate) fn forget(&self) {
        self.beginning().clear();
    }

    /// Whether anything has come.
    pub(crate) fn is_anything(&self) -> bool {
        !self.beginning().is_empty()
    }

    /// The final status, when the line that says it has come (RFC 9112, section 4).
    pub(crate) fn status(&self) -> Option<StatusCode> {
        let beginning = self.beginning();
        let line = beginning.strip_prefix(b"HTTP/1.")?;
        let (&version, rest) = line.split_first()?;
        let (code, rest) = rest.strip_prefix(b" ")?.split_at_checked(3)?;
        let is_line =
            version.is_ascii_digit() && matches!(rest.first(), Some(b' ' | b'\r' | b'\n'));
        let status = StatusCode::from_bytes(code).ok()?;
        (is_line && !status.is_informational()).then_some(status)
    }

    /// Whether what came is a record of TLS (RFC 8446, section 5.1): servers that speak it answer
    /// plain HTTP with an alert.
    pub(crate) fn is_tls(&self) -> bool {
        matches!(self.beginning().as_slice(), [0x14..=0x17, 3, 0..=4, ..])
    }

    fn note(&self, bytes: &[u8]) {
        let mut beginning = self.beginning();
        let room = KEPT.saturating_sub(beginning.len()).min(bytes.len());
        beginning.extend_from_slice(&bytes[..room]);
    }

    fn beginning(&self) -> MutexGuard<'_, Vec<u8>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A stream that notes what comes over it. It is shared with who made it, and stays open as long as
/// that one keeps it.
pub(crate) struct Wire<S> {
    stream: Arc<Mutex<S>>,
    received: Received,
}

impl<S> Wire<S> {
    /// Over a stream of which nothing was read yet.
    pub(crate) fn over(stream: &Arc<Mutex<S>>, received: &Received) -> Self {
        Self {
            stream: Arc::clone(stream),
            received: received.clone(),
        }
    }

    fn stream(&self) -> MutexGuard<'_, S> {
        self.stream.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Wire<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let polled = Pin::new(&mut *self.stream()).poll_read(context, buffer);
        self.received.note(&buffer.filled()[before..]);
        polled
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Wire<S> {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut *self.stream()).poll_write(context, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.stream()).poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        // Who keeps the stream ends it.
        Poll::Ready(Ok(()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn received(bytes: &[u8]) -> Received {
        let received = Received::default();
        // In pieces, as they may come.
        bytes.chunks(5).for_each(|piece| received.note(piece));
        received
    }

    #[test]
    fn a_status_is_known_from_the_whole_of_its_line() {
        let table: [(&[u8], Option<u16>); 9] = [
            (b"HTTP/1.1 500 Internal Server Error\r\n", Some(500)),
            (b"HTTP/1.0 200\r\n", Some(200)),
            (b"HTTP/1.1 404\n", Some(404)),
            (b"HTTP/1.1 50", None),
            (b"HTTP/1.1 500", None),
            (b"HTTP/1.1 103 Early Hints\r\n", None),
            (b"HTTP/2 200 \r\n", None),
            (b"ICY 200 OK\r\n", None),
            (b"", None),
        ];
        for (bytes, expected) in table {
            let status = received(bytes).status().map(|status| status.as_u16());
            assert_eq!(status, expected, "{bytes:?}");
        }
    }

    #[test]
    fn a_record_of_tls_is_told_from_other_noise() {
        assert!(received(b"\x15\x03\x01\x00\x02\x02\x46").is_tls());
        assert!(received(b"\x15\x03\x03\x00\x02\x02\x16").is_tls());
        assert!(!received(b"\x15\x03").is_tls());
        assert!(!received(b"SSH-2.0-x\r\n").is_tls());
        assert!(!received(b"").is_anything());
    }
}
