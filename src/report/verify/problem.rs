//! Why a replica's answer does not count as right, and how certain that is.

use serde::{Deserialize, Serialize};

use crate::figures::took_both;

/// How certain a problem is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Certainty {
    /// The replica answered wrongly, or provably cannot answer.
    Wrong,
    /// The request could not be sent, or its answer could not be read to the end.
    Unknown,
}

/// Why a replica's answer does not count as right.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "problem", rename_all = "snake_case")]
pub enum Problem {
    /// No pod with this name exists.
    Missing,
    /// The pod with this name does not belong to the workload.
    NotOwned,
    /// The pod is being deleted.
    Terminating,
    /// The container is not running.
    NotRunning {
        /// Its state, in the words of `kubectl get pods`.
        state: String,
    },
    /// Nothing listens on the port.
    NotListening,
    /// An unexpected HTTP status.
    WrongStatus {
        /// The status.
        status: u16,
        /// The expected status.
        expected: u16,
        /// The location of a redirect, which is not followed.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        location: Option<String>,
        /// Whether the body mentions TLS, as that of a TLS server does.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        may_want_tls: bool,
    },
    /// The expected status with an empty body.
    Empty,
    /// The body does not match the expected pattern.
    NotMatching {
        /// The HTTP status.
        status: u16,
        /// The regular expression.
        pattern: String,
    },
    /// The compared content has an unexpected digest.
    WrongDigest {
        /// The expected SHA-256, in hexadecimal.
        expected: String,
        /// The SHA-256 of the compared content.
        sha256: String,
    },
    /// An unexpected content type.
    WrongContentType {
        /// The expected media type.
        expected: String,
        /// The `Content-Type` header, if any.
        content_type: Option<String>,
    },
    /// A right answer that took too long.
    TooSlow {
        /// The time from the first byte of the request to the last byte of the body, in milliseconds.
        latency_ms: u64,
        /// The limit, in milliseconds.
        limit_ms: u64,
    },
    /// A right answer of a pod to which no Service routes.
    NotReady,
    /// The pod was replaced or its container restarted during the check.
    ChangedMeanwhile {
        /// The change, as a clause.
        what: String,
    },
    /// The answer has no proven end.
    Incomplete {
        /// Why it is incomplete.
        reason: String,
    },
    /// The answer is larger than the limit.
    TooLarge {
        /// The limit in bytes.
        limit: u64,
    },
    /// The answer is complete but proves nothing.
    NotProven {
        /// The reason.
        reason: String,
    },
    /// No answer in time.
    NoAnswer {
        /// The timeout, in milliseconds.
        after_ms: u64,
    },
    /// The replica could not be checked.
    NotAsked {
        /// The reason.
        reason: String,
    },
}

impl Problem {
    /// Whether this problem proves that the replica is wrong.
    #[must_use]
    pub fn certainty(&self) -> Certainty {
        match self {
            Self::Missing
            | Self::NotOwned
            | Self::Terminating
            | Self::NotRunning { .. }
            | Self::NotListening
            | Self::WrongStatus { .. }
            | Self::Empty
            | Self::NotMatching { .. }
            | Self::WrongDigest { .. }
            | Self::WrongContentType { .. }
            | Self::TooSlow { .. }
            | Self::NotReady => Certainty::Wrong,
            Self::ChangedMeanwhile { .. }
            | Self::Incomplete { .. }
            | Self::TooLarge { .. }
            | Self::NotProven { .. }
            | Self::NoAnswer { .. }
            | Self::NotAsked { .. } => Certainty::Unknown,
        }
    }

    /// Whether it is a problem of the pod itself, at every endpoint.
    #[must_use]
    pub fn is_of_the_pod(&self) -> bool {
        matches!(
            self,
            Self::Missing
                | Self::NotOwned
                | Self::Terminating
                | Self::NotRunning { .. }
                | Self::NotReady
                | Self::ChangedMeanwhile { .. }
        )
    }

    /// Whether the problem was found in an answer, complete or not.
    #[must_use]
    pub fn is_an_answer(&self) -> bool {
        matches!(
            self,
            Self::WrongStatus { .. }
                | Self::Empty
                | Self::NotMatching { .. }
                | Self::WrongDigest { .. }
                | Self::WrongContentType { .. }
                | Self::TooSlow { .. }
                | Self::TooLarge { .. }
                | Self::Incomplete { .. }
                | Self::NotProven { .. }
        )
    }

    /// The problem in words, to follow the name of the replica.
    #[must_use]
    pub fn words(&self) -> String {
        match self {
            Self::Missing => "does not exist".to_owned(),
            Self::NotOwned => "exists, but does not belong to the workload".to_owned(),
            Self::Terminating => "is being deleted".to_owned(),
            Self::NotRunning { state } => format!("is not running: {state}"),
            Self::NotListening => "is running, but nothing listens on the port".to_owned(),
            Self::WrongStatus {
                status,
                expected,
                location,
                may_want_tls,
            } => {
                let redirect = location.as_ref().map_or_else(String::new, |location| {
                    format!(", a redirect to `{location}`, which is not followed")
                });
                let tls = if *may_want_tls {
                    "; its text mentions TLS, but the request was plain HTTP"
                } else {
                    ""
                };
                format!("answered with status {status} instead of {expected}{redirect}{tls}")
            }
            Self::Empty => "gave an empty answer".to_owned(),
            Self::NotMatching { status, pattern } => {
                format!("answered with status {status}, but the body does not match `{pattern}`")
            }
            Self::WrongDigest { expected, sha256 } => format!(
                "answered with unexpected data: SHA-256 {} instead of {}",
                short(sha256),
                short(expected)
            ),
            Self::WrongContentType {
                expected,
                content_type: Some(given),
            } => format!("answered with content type `{given}` instead of `{expected}`"),
            Self::WrongContentType {
                expected,
                content_type: None,
            } => format!("answered without a content type; `{expected}` was expected"),
            Self::TooSlow {
                latency_ms,
                limit_ms,
            } => {
                let (latency, limit) = took_both(*latency_ms, *limit_ms);
                format!("answered after {latency}; the limit is {limit}")
            }
            Self::NotReady => {
                "gave a right answer, but is not Ready: no Service routes to it".to_owned()
            }
            Self::ChangedMeanwhile { what } => format!("changed during the check: {what}"),
            Self::Incomplete { reason } => format!("gave an incomplete answer: {reason}"),
            Self::TooLarge { limit } => format!("answered with more than {limit} bytes"),
            Self::NotProven { reason } => {
                format!("answered, but the answer proves nothing: {reason}")
            }
            Self::NoAnswer { after_ms } => {
                format!("did not answer within {} s", after_ms.div_ceil(1000))
            }
            Self::NotAsked { reason } => format!("could not be checked: {reason}"),
        }
    }
}

/// The beginning of a digest, enough for people to compare.
pub(super) fn short(sha256: &str) -> &str {
    sha256.get(..12).unwrap_or(sha256)
}
