//! The answer of one replica to one request, over either transport.

use crate::figures::duration;
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
    /// The `Content-Encoding` header; the body is never decoded.
    pub content_encoding: Option<String>,
    /// The `Location` header of a redirect, which is never followed.
    pub location: Option<String>,
    /// The SHA-256 of the body, in hexadecimal.
    pub sha256: String,
    /// The length of the body.
    pub bytes: u64,
    /// The beginning of the body, up to the limit of the request.
    pub beginning: Bytes,
    /// The time from the first byte of the request to the last byte of the body.
    pub latency: Duration,
}

impl Answer {
    /// The whole body, when all of it was kept.
    #[must_use]
    pub fn body(&self) -> Option<&Bytes> {
        (self.beginning.len() as u64 == self.bytes).then_some(&self.beginning)
    }
}

/// An answer that began but has no proven end. It still counts as an answer: the bytes that arrived may
/// be enough to prove it wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fragment {
    /// The HTTP status, if it arrived and certainly comes from the pod.
    pub status: Option<StatusCode>,
    /// The rest of the head, if all of it arrived.
    pub head: Option<FragmentHead>,
    /// How many bytes of the body arrived.
    pub bytes: u64,
    /// The beginning of the body, as far as it arrived, up to the limit of the request.
    pub beginning: Bytes,
    /// Why the rest is missing.
    pub cut: Cut,
}

/// The head of an answer without a proven end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FragmentHead {
    /// The `Content-Type` header.
    pub content_type: Option<String>,
    /// The `Location` header.
    pub location: Option<String>,
    /// The length that the head announces.
    pub length: Option<u64>,
}

/// Why an answer has no proven end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cut {
    /// It broke off.
    Broken(String),
    /// It ended, but its end does not prove that it is complete.
    Unproven(&'static str),
    /// An intermediary rewrote it: these are not the bytes that the pod sent.
    Rewritten(&'static str),
    /// It is larger than this limit, in bytes.
    TooLarge(u64),
    /// It was not complete within this time.
    TimedOut(Duration),
}

impl std::fmt::Display for Cut {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Broken(reason) => formatter.write_str(reason),
            Self::Unproven(reason) | Self::Rewritten(reason) => formatter.write_str(reason),
            Self::TooLarge(limit) => write!(formatter, "the answer is larger than {limit} bytes"),
            Self::TimedOut(time) => write!(
                formatter,
                "the answer was not complete within {}",
                duration(*time)
            ),
        }
    }
}

/// How a fragment is proven to belong to different content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Contradiction {
    /// The bytes at this offset differ.
    At(u64),
    /// It is longer than the other content.
    Longer,
    /// Its head announces a different length, in bytes.
    Promised(u64),
}

impl Fragment {
    /// Why this cannot be part of the content with this length and beginning; `None` if it can.
    #[must_use]
    pub fn contradicts(&self, bytes: u64, beginning: &[u8]) -> Option<Contradiction> {
        if let Some(offset) = self.differs_at(beginning) {
            return Some(Contradiction::At(offset));
        }
        if self.bytes > bytes {
            return Some(Contradiction::Longer);
        }
        let promised = self.head.as_ref()?.length?;
        (promised != bytes).then_some(Contradiction::Promised(promised))
    }

    /// Why two fragments cannot belong to the same content; `None` if they can.
    #[must_use]
    pub fn contradicts_fragment(&self, other: &Self) -> Option<Contradiction> {
        if let Some(offset) = self.differs_at(&other.beginning) {
            return Some(Contradiction::At(offset));
        }
        let promised = |fragment: &Self| fragment.head.as_ref().and_then(|head| head.length);
        match (promised(self), promised(other)) {
            (Some(mine), Some(theirs)) if mine != theirs => Some(Contradiction::Promised(mine)),
            (Some(mine), None) if other.bytes > mine => Some(Contradiction::Promised(mine)),
            (None, Some(theirs)) if self.bytes > theirs => Some(Contradiction::Longer),
            _ => None,
        }
    }

    fn differs_at(&self, beginning: &[u8]) -> Option<u64> {
        let mut pairs = self.beginning.iter().zip(beginning);
        pairs.position(|(a, b)| a != b).map(|offset| offset as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fragment(beginning: &'static str, length: Option<u64>) -> Fragment {
        Fragment {
            status: Some(StatusCode::OK),
            head: Some(FragmentHead {
                content_type: None,
                location: None,
                length,
            }),
            bytes: beginning.len() as u64,
            beginning: Bytes::from_static(beginning.as_bytes()),
            cut: Cut::Broken("it broke off".to_owned()),
        }
    }

    #[test]
    fn a_fragment_is_another_content_only_when_that_is_proven() {
        let table = [
            (fragment("1\n2", None), None),
            (fragment("1\n2", Some(6)), None),
            (fragment("", None), None),
            (fragment("1\n9", None), Some(Contradiction::At(2))),
            (fragment("1\n2\n3\n4", None), Some(Contradiction::Longer)),
            (fragment("1\n2", Some(9)), Some(Contradiction::Promised(9))),
        ];
        for (fragment, expected) in table {
            assert_eq!(
                fragment.contradicts(6, b"1\n2\n3\n"),
                expected,
                "{fragment:?}"
            );
        }
    }

    #[test]
    fn two_fragments_are_of_one_content_unless_the_opposite_is_proven() {
        let table = [
            (fragment("1\n2", None), fragment("1\n", None), None),
            (fragment("1\n2", Some(9)), fragment("1\n", Some(9)), None),
            (
                fragment("1\n2", Some(9)),
                fragment("1\n", Some(8)),
                Some(Contradiction::Promised(9)),
            ),
            (
                fragment("1\n2", Some(4)),
                fragment("1\n2\n3", None),
                Some(Contradiction::Promised(4)),
            ),
            (
                fragment("1\n2\n3", None),
                fragment("1\n2", Some(4)),
                Some(Contradiction::Longer),
            ),
            (
                fragment("2", None),
                fragment("1\n2", None),
                Some(Contradiction::At(0)),
            ),
        ];
        for (first, second, expected) in table {
            assert_eq!(
                first.contradicts_fragment(&second),
                expected,
                "{first:?} {second:?}"
            );
        }
    }
}
