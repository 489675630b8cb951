//! What every replica is expected to answer at one endpoint, and how an answer is judged. Pure.

use std::time::Duration;

use http::StatusCode;
use regex::bytes::Regex;
use sha2::{Digest, Sha256};

use crate::answer::Answer;
use crate::report::Problem;

/// What every replica is expected to answer at one endpoint.
#[derive(Debug, Clone)]
pub struct Expectation {
    /// The port of the pods; the only one that the pod template names, when not given.
    pub port: Option<u16>,
    /// The path, with a leading slash.
    pub path: String,
    /// The HTTP status.
    pub status: StatusCode,
    /// Whether all replicas must give the same bytes with the same content type.
    pub equal: bool,
    /// Whether an answer without a body is wrong.
    pub non_empty: bool,
    /// What the body must match.
    pub matches: Option<Regex>,
    /// The SHA-256 that the compared bytes must have, in lower-case hexadecimal.
    pub sha256: Option<String>,
    /// The media type that the answer must have; parameters count only where they are named here.
    pub content_type: Option<String>,
    /// The longest time that an answer may take.
    pub largest_latency: Option<Duration>,
    /// What is cut out of a body before it is compared, such as time stamps.
    pub ignore: Vec<Regex>,
}

impl Expectation {
    /// A complete, non-empty 200 that is the same everywhere.
    #[must_use]
    pub fn of_path(path: impl Into<String>) -> Self {
        Self {
            port: None,
            path: path.into(),
            status: StatusCode::OK,
            equal: true,
            non_empty: true,
            matches: None,
            sha256: None,
            content_type: None,
            largest_latency: None,
            ignore: Vec::new(),
        }
    }

    /// Whether the whole body has to be at hand for judging it.
    #[must_use]
    pub fn needs_body(&self) -> bool {
        self.matches.is_some() || !self.ignore.is_empty()
    }

    /// The SHA-256 of what is compared: the body without what is to be ignored. `None` when the
    /// body was not kept as far as that needs.
    #[must_use]
    pub fn compared_sha256(&self, answer: &Answer) -> Option<String> {
        if self.ignore.is_empty() {
            return Some(answer.sha256.clone());
        }
        let mut body = answer.body()?.to_vec();
        for pattern in &self.ignore {
            body = pattern.replace_all(&body, &b""[..]).into_owned();
        }
        Some(hexadecimal(&Sha256::digest(&body)))
    }

    /// What is wrong with an answer by itself; whether all replicas agree is another question.
    #[must_use]
    pub fn problem(&self, answer: &Answer) -> Option<Problem> {
        if answer.status != self.status {
            return Some(Problem::WrongStatus {
                status: answer.status.as_u16(),
            });
        }
        if self.non_empty && answer.bytes == 0 {
            return Some(Problem::Empty);
        }
        None
    }
}

/// Bytes in lower-case hexadecimal.
#[must_use]
pub fn hexadecimal(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
