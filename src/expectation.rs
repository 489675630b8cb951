//! The expected answer of every replica at one endpoint, and how an answer is judged. Pure.

mod media_type;

use std::time::Duration;

use bytes::Bytes;
use http::StatusCode;
use regex::bytes::Regex;
use sha2::{Digest, Sha256};

use crate::answer::{Answer, Cut, Fragment};
use crate::figures::{hexadecimal, milliseconds};
use crate::report::Problem;

/// The longest redirect location that is shown, in characters.
const LONGEST_LOCATION: usize = 200;
/// How many bytes of an error page are searched.
const LONGEST_PAGE: usize = 4096;

/// The expected answer of every replica at one endpoint.
#[derive(Debug, Clone)]
pub struct Expectation {
    /// The port of the pods; by default the only port in the pod template.
    pub port: Option<u16>,
    /// The path, with a leading slash.
    pub path: String,
    /// The HTTP status.
    pub status: StatusCode,
    /// Whether all replicas must give the same bytes with the same content type.
    pub equal: bool,
    /// Whether an answer without a body is wrong.
    pub non_empty: bool,
    /// The pattern that the body must match.
    pub matches: Option<Regex>,
    /// The SHA-256 that the compared bytes must have, in lower-case hexadecimal.
    pub sha256: Option<String>,
    /// The media type that the answer must have; only the parameters named here count.
    pub content_type: Option<String>,
    /// The longest time that an answer may take.
    pub largest_latency: Option<Duration>,
    /// Patterns to remove from a body before it is compared, such as time stamps.
    pub ignore: Vec<Regex>,
}

impl Expectation {
    /// A complete, non-empty answer with status 200 that is the same on every replica.
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

    /// Whether the whole body is needed to judge the answer.
    #[must_use]
    pub fn needs_body(&self) -> bool {
        self.matches.is_some() || !self.ignore.is_empty()
    }

    /// The compared content: the body without its ignored parts. `None` if too little of the body was
    /// kept.
    #[must_use]
    pub fn compared(&self, answer: &Answer) -> Option<Compared> {
        if self.ignore.is_empty() {
            return Some(Compared {
                sha256: answer.sha256.clone(),
                bytes: answer.bytes,
                beginning: answer.beginning.clone(),
            });
        }
        let mut body = answer.body()?.to_vec();
        for pattern in &self.ignore {
            body = pattern.replace_all(&body, &b""[..]).into_owned();
        }
        Some(Compared {
            sha256: hexadecimal(&Sha256::digest(&body)),
            bytes: body.len() as u64,
            beginning: Bytes::from(body),
        })
    }

    /// The SHA-256 of the compared content: the body without its ignored parts. `None` if too little of
    /// the body was kept.
    #[must_use]
    pub fn compared_sha256(&self, answer: &Answer) -> Option<String> {
        self.compared(answer).map(|compared| compared.sha256)
    }

    /// The problem of a single answer; agreement between replicas is judged elsewhere.
    ///
    /// A proven problem comes before one that leaves the answer undecided.
    #[must_use]
    pub fn problem(&self, answer: &Answer) -> Option<Problem> {
        self.wrong_head(answer)
            .or_else(|| self.wrong_body(answer))
            .or_else(|| self.too_slow(answer))
    }

    /// The problem of an answer without a proven end: a wrong head proves it wrong; otherwise it is
    /// undecided.
    #[must_use]
    pub fn fragment_problem(&self, fragment: &Fragment) -> Problem {
        let head = fragment.head.as_ref();
        let wrong = fragment
            .status
            .and_then(|status| {
                let location = head.and_then(|head| head.location.as_deref());
                self.wrong_status(status, location, &fragment.beginning)
            })
            .or_else(|| self.wrong_content_type(head?.content_type.as_deref()));
        wrong.unwrap_or_else(|| match &fragment.cut {
            Cut::Broken(reason) => Problem::Incomplete {
                reason: reason.clone(),
            },
            Cut::Unproven(reason) => Problem::Incomplete {
                reason: (*reason).to_owned(),
            },
            Cut::Rewritten(reason) => Problem::NotProven {
                reason: (*reason).to_owned(),
            },
            Cut::TooLarge(limit) => Problem::TooLarge { limit: *limit },
            cut @ Cut::TimedOut(_) => Problem::Incomplete {
                reason: cut.to_string(),
            },
        })
    }

    fn wrong_status(
        &self,
        status: StatusCode,
        location: Option<&str>,
        beginning: &[u8],
    ) -> Option<Problem> {
        (status != self.status).then(|| Problem::WrongStatus {
            status: status.as_u16(),
            expected: self.status.as_u16(),
            location: location
                .filter(|_| status.is_redirection())
                .map(|location| location.chars().take(LONGEST_LOCATION).collect()),
            may_want_tls: status == StatusCode::BAD_REQUEST && speaks_of_tls(beginning),
        })
    }

    fn wrong_content_type(&self, given: Option<&str>) -> Option<Problem> {
        let expected = self.content_type.as_ref()?;
        let is_right = given.is_some_and(|given| media_type::satisfies(given, expected));
        (!is_right).then(|| Problem::WrongContentType {
            expected: expected.clone(),
            content_type: given.map(str::to_owned),
        })
    }

    fn wrong_head(&self, answer: &Answer) -> Option<Problem> {
        self.wrong_status(answer.status, answer.location.as_deref(), &answer.beginning)
            .or_else(|| self.wrong_content_type(answer.content_type.as_deref()))
    }

    fn wrong_body(&self, answer: &Answer) -> Option<Problem> {
        if self.non_empty && answer.bytes == 0 {
            return Some(Problem::Empty);
        }
        if self.needs_body() && answer.body().is_none() {
            return Some(Problem::NotProven {
                reason: "the body is too large to be judged".to_owned(),
            });
        }
        if let (Some(pattern), Some(body)) = (&self.matches, answer.body())
            && !pattern.is_match(body)
        {
            return Some(Problem::NotMatching {
                status: answer.status.as_u16(),
                pattern: pattern.as_str().to_owned(),
            });
        }
        if self.sha256.is_none() && self.ignore.is_empty() {
            return None;
        }
        let compared = self.compared(answer)?;
        match &self.sha256 {
            Some(expected) if !expected.eq_ignore_ascii_case(&compared.sha256) => {
                Some(Problem::WrongDigest {
                    expected: expected.clone(),
                    sha256: compared.sha256,
                })
            }
            // If everything is ignored, all answers would be equal.
            None if self.equal && compared.bytes == 0 && answer.bytes > 0 => {
                Some(Problem::NotProven {
                    reason: "nothing is left to compare after the ignored parts are removed"
                        .to_owned(),
                })
            }
            _ => None,
        }
    }

    fn too_slow(&self, answer: &Answer) -> Option<Problem> {
        let limit = self.largest_latency?;
        (answer.latency > limit).then(|| Problem::TooSlow {
            latency_ms: milliseconds(answer.latency),
            limit_ms: milliseconds(limit),
        })
    }
}

/// Whether a page mentions TLS, as a TLS server does in its response to plain HTTP: Go's `net/http`
/// mentions an `HTTPS server`, nginx an `HTTPS port`, Apache an `SSL-enabled` one.
fn speaks_of_tls(page: &[u8]) -> bool {
    let page = &page[..page.len().min(LONGEST_PAGE)];
    let page = String::from_utf8_lossy(page).to_ascii_lowercase();
    let mut words = page.split(|letter: char| !letter.is_ascii_alphanumeric());
    words.any(|word| matches!(word, "tls" | "ssl" | "https"))
}

/// The compared content of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Compared {
    /// Its SHA-256, in hexadecimal.
    pub sha256: String,
    /// Its length.
    pub bytes: u64,
    /// Its beginning, as far as the body was kept.
    pub beginning: Bytes,
}

#[cfg(test)]
mod tests;
