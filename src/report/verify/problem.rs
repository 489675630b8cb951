//! Why a replica's answer does not count as right, and how sure that makes us.

use serde::{Deserialize, Serialize};

use crate::figures::took_both;

/// How sure a problem makes us.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Certainty {
    /// The replica answered wrongly, or provably cannot answer.
    Wrong,
    /// The question could not be asked, or its answer not be read to the end.
    Unknown,
}

/// Why a replica's answer does not count as right.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "problem", rename_all = "snake_case")]
pub enum Problem {
    /// No pod of that name exists.
    Missing,
    /// The pod of that name does not belong to the workload.
    NotOwned,
    /// The pod is being deleted.
    Terminating,
    /// The container does not run.
    NotRunning {
        /// Its state, in the words of `kubectl get pods`.
        state: String,
    },
    /// Nothing listens on the port.
    NotListening,
    /// Another HTTP status than the expected one.
    WrongStatus {
        /// The status.
        status: u16,
        /// The status that was expected.
        expected: u16,
        /// Where a redirect leads, which is not followed.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        location: Option<String>,
        /// Whether the answer speaks of TLS, as servers do that want it.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        may_want_tls: bool,
    },
    /// The expected status with nothing in it.
    Empty,
    /// The body does not match what it must match.
    NotMatching {
        /// The HTTP status.
        status: u16,
        /// The regular expression.
        pattern: String,
    },
    /// What is compared has another digest than the expected one.
    WrongDigest {
        /// The SHA-256 that was expected, in hexadecimal.
        expected: String,
        /// The SHA-256 of what is compared.
        sha256: String,
    },
    /// Another content type than the expected one.
    WrongContentType {
        /// The expected media type.
        expected: String,
        /// The `Content-Type` header, when there is one.
        content_type: Option<String>,
    },
    /// A right answer that took too long.
    TooSlow {
        /// From the request's first byte to the body's last, in milliseconds.
        latency_ms: u64,
        /// The longest time that an answer may take, in milliseconds.
        limit_ms: u64,
    },
    /// A right answer of a pod that no Service leads to.
    NotReady,
    /// The pod was replaced, or its container restarted, while it was asked.
    ChangedMeanwhile {
        /// What changed.
        what: String,
    },
    /// The answer did not come to its proven end.
    Incomplete {
        /// What is missing.
        reason: String,
    },
    /// The answer is larger than this program reads.
    TooLarge {
        /// The limit in bytes.
        limit: u64,
    },
    /// The answer came, but proves nothing.
    NotProven {
        /// Why.
        reason: String,
    },
    /// No answer in time.
    NoAnswer {
        /// The time given, in milliseconds.
        after_ms: u64,
    },
    /// The replica could not be asked.
    NotAsked {
        /// Why.
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

    /// Whether the problem is the pod's, whatever it is asked.
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

    /// Whether something answered, and was judged by what it said: also where it did not say all.
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

    /// The problem in words, as the end of a sentence that names the replica.
    #[must_use]
    pub fn words(&self) -> String {
        match self {
            Self::Missing => "does not exist".to_owned(),
            Self::NotOwned => "exists, but does not belong to the workload".to_owned(),
            Self::Terminating => "is being deleted".to_owned(),
            Self::NotRunning { state } => format!("does not run: {state}"),
            Self::NotListening => "runs, but nothing listens on the port".to_owned(),
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
                    "; its text speaks of TLS, and the port was asked in plain HTTP"
                } else {
                    ""
                };
                format!("answered with status {status} instead of {expected}{redirect}{tls}")
            }
            Self::Empty => "answered with nothing".to_owned(),
            Self::NotMatching { status, pattern } => {
                format!("answered {status}, but its body does not match `{pattern}`")
            }
            Self::WrongDigest { expected, sha256 } => format!(
                "answered with other data than expected: SHA-256 {} instead of {}",
                short(sha256),
                short(expected)
            ),
            Self::WrongContentType {
                expected,
                content_type: Some(given),
            } => format!("answered with the content type `{given}` instead of `{expected}`"),
            Self::WrongContentType {
                expected,
                content_type: None,
            } => format!("answered without a content type instead of with `{expected}`"),
            Self::TooSlow {
                latency_ms,
                limit_ms,
            } => {
                let (latency, limit) = took_both(*latency_ms, *limit_ms);
                format!("answered after {latency}, which is more than {limit}")
            }
            Self::NotReady => {
                "gave a right answer, but is not Ready: no Service sends it requests".to_owned()
            }
            Self::ChangedMeanwhile { what } => format!("changed while it was asked: {what}"),
            Self::Incomplete { reason } => format!("did not answer to the end: {reason}"),
            Self::TooLarge { limit } => format!("answered with more than {limit} bytes"),
            Self::NotProven { reason } => format!("answered, but that proves nothing: {reason}"),
            Self::NoAnswer { after_ms } => {
                format!("did not answer within {} s", after_ms.div_ceil(1000))
            }
            Self::NotAsked { reason } => format!("could not be asked: {reason}"),
        }
    }
}

/// The beginning of a digest: enough for a person to compare.
pub(super) fn short(sha256: &str) -> &str {
    sha256.get(..12).unwrap_or(sha256)
}
