//! What a replica's HTTP server answers, for better or worse.

use std::time::Duration;

use bytes::Bytes;

/// How the end of a body is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Framing {
    /// `Content-Length`.
    Length,
    /// `Transfer-Encoding: chunked`.
    Chunked,
    /// By the end of the connection.
    Close,
}

/// One answer.
#[derive(Debug, Clone)]
#[must_use]
pub struct Reply {
    /// The HTTP status.
    pub status: u16,
    pub(crate) headers: Vec<(String, String)>,
    /// The body, sent `repeat` times.
    pub body: Bytes,
    pub(crate) repeat: u64,
    pub(crate) framing: Framing,
    /// Before the first byte.
    pub(crate) delay: Duration,
    /// The connection ends after so many bytes of the body, as a dying server ends it.
    pub(crate) close_after: Option<u64>,
    /// The link to the kubelet breaks after so many bytes of the body.
    pub(crate) cut_after: Option<u64>,
    /// Never answers.
    pub(crate) silent: bool,
    /// Nothing listens.
    pub(crate) refused: bool,
    /// The body is all that is sent, head included.
    pub(crate) verbatim: bool,
}

impl Reply {
    /// A complete answer.
    pub fn new(status: u16, body: impl Into<Bytes>) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body: body.into(),
            repeat: 1,
            framing: Framing::Length,
            delay: Duration::ZERO,
            close_after: None,
            cut_after: None,
            silent: false,
            refused: false,
            verbatim: false,
        }
    }

    /// These very bytes, whether they are HTTP or not; the connection ends afterwards if it is framed so.
    pub fn verbatim(bytes: impl Into<Bytes>) -> Self {
        Self {
            verbatim: true,
            ..Self::new(200, bytes)
        }
    }

    /// 200 with a body.
    pub fn ok(body: impl Into<Bytes>) -> Self {
        Self::new(200, body)
    }

    /// Accepts the connection and says nothing.
    pub fn silence() -> Self {
        Self {
            silent: true,
            ..Self::new(200, "")
        }
    }

    /// Nothing listens on the port.
    pub fn refused() -> Self {
        Self {
            refused: true,
            ..Self::new(200, "")
        }
    }

    /// How the body's end is told.
    pub fn framed(mut self, framing: Framing) -> Self {
        self.framing = framing;
        self
    }

    /// Another header.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Sends the body this many times.
    pub fn repeated(mut self, times: u64) -> Self {
        self.repeat = times;
        self
    }

    /// Answers late.
    pub fn after(mut self, delay: Duration) -> Self {
        self.delay = delay;
        self
    }

    /// Ends the connection in the middle of the body.
    pub fn closing_after(mut self, bytes: u64) -> Self {
        self.close_after = Some(bytes);
        self
    }

    /// Breaks the link, without a WebSocket close frame, in the middle of the body.
    pub fn cut_after(mut self, bytes: u64) -> Self {
        self.cut_after = Some(bytes);
        self
    }
}
