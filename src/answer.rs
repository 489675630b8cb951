//! What a replica answered to one question, whichever way it was asked.

use std::time::Duration;

use bytes::Bytes;
use http::StatusCode;

/// A complete answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The HTTP status.
    pub status: StatusCode,
    /// The `Content-Type` header.
    pub content_type: Option<String>,
    /// The `Location` header of a redirect, which is never followed.
    pub location: Option<String>,
    /// The SHA-256 of the body, in hexadecimal.
    pub sha256: String,
    /// The length of the body.
    pub bytes: u64,
    /// The beginning of the body, as far as it was to be kept.
    pub beginning: Bytes,
    /// From the request's first byte to the body's last.
    pub latency: Duration,
}

impl Answer {
    /// The whole body, when all of it was kept.
    #[must_use]
    pub fn body(&self) -> Option<&Bytes> {
        (self.beginning.len() as u64 == self.bytes).then_some(&self.beginning)
    }
}
