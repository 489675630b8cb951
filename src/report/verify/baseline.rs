//! The answers of all replicas at one time, to compare with a later run.

mod mismatch;

use std::fmt::Write;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

pub use self::mismatch::BaselineMismatch;

use super::contents::{Content, Contents, Difference};
use super::finding::{Finding, FindingKind};
use super::group::{AnswerGroup, offset};
use super::problem::short;
use super::words::{replicas, serve};
use super::{Endpoint, ReplicaAnswer, Transport, VerifyReport};
use crate::exit::Outcome;
use crate::figures::{count, hexadecimal};
use crate::object::ObjectRef;

/// The answers of all replicas of a workload at one time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Baseline {
    /// The version of this format.
    pub version: u32,
    /// When it was saved.
    pub time: Timestamp,
    /// The workload.
    pub object: ObjectRef,
    /// The answer at every endpoint at which replicas must agree.
    pub endpoints: Vec<BaselineAnswer>,
}

/// The answer on which all replicas agreed at one endpoint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BaselineAnswer {
    /// The endpoint.
    #[serde(flatten)]
    pub endpoint: Endpoint,
    /// The HTTP status.
    pub status: u16,
    /// The SHA-256 of the compared content, in hexadecimal.
    pub sha256: String,
    /// The length of the compared content, in bytes.
    pub bytes: u64,
    /// The `Content-Type` header.
    pub content_type: Option<String>,
    /// The `Content-Encoding` header.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content_encoding: Option<String>,
    /// The transport: the API server's proxy adds a content type if there is none.
    pub transport: Transport,
    /// The expressions whose matches were ignored.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ignore: Vec<String>,
    /// The compared content in base64, if contents may be shown and it is small enough.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content: Option<String>,
}

impl Baseline {
    /// The format version that this program reads and writes.
    pub const VERSION: u32 = 1;

    /// The baseline of a successful verification; `ignored` holds the ignored expressions by endpoint.
    /// `None` if the verification did not succeed or replicas may answer differently at every endpoint.
    #[must_use]
    pub fn of(
        report: &VerifyReport,
        contents: &Contents,
        ignored: impl Fn(&Endpoint) -> Vec<String>,
        time: Timestamp,
        keeps_content: bool,
    ) -> Option<Self> {
        if report.verdict != Outcome::Success {
            return None;
        }
        let compared = report
            .groups
            .iter()
            .filter(|group| !report.may_differ.contains(&group.endpoint));
        let endpoints = compared
            .map(|group| {
                let answer = report.replicas.iter().find(|answer| {
                    answer.endpoint == group.endpoint && group.ordinals.contains(&answer.ordinal)
                })?;
                let content = contents
                    .of(&group.endpoint, &group.sha256)
                    .and_then(Content::whole)
                    .filter(|_| keeps_content)
                    .map(|content| STANDARD.encode(content));
                Some(BaselineAnswer {
                    endpoint: group.endpoint.clone(),
                    status: answer.status?,
                    sha256: group.sha256.clone(),
                    bytes: group.bytes,
                    content_type: answer.content_type.clone(),
                    content_encoding: answer.content_encoding.clone(),
                    transport: answer.transport,
                    ignore: ignored(&group.endpoint),
                    content,
                })
            })
            .collect::<Option<Vec<_>>>()
            .filter(|endpoints| !endpoints.is_empty())?;
        Some(Self {
            version: Self::VERSION,
            time,
            object: report.object.clone(),
            endpoints,
        })
    }

    /// Checks that this baseline fits these endpoints at which replicas must agree, with their ignored
    /// expressions.
    ///
    /// # Errors
    /// [`BaselineMismatch`], which names both sides.
    pub fn check(
        &self,
        object: &ObjectRef,
        compared: &[(Endpoint, Vec<String>)],
    ) -> Result<(), BaselineMismatch> {
        if self.object != *object {
            return Err(BaselineMismatch::Workload {
                saved: Box::new(self.object.clone()),
                asked: Box::new(object.clone()),
            });
        }
        let sorted = |endpoints: &mut dyn Iterator<Item = &Endpoint>| {
            let mut endpoints: Vec<Endpoint> = endpoints.cloned().collect();
            endpoints.sort();
            endpoints
        };
        let saved = sorted(&mut self.endpoints.iter().map(|answer| &answer.endpoint));
        let asked = sorted(&mut compared.iter().map(|(endpoint, _)| endpoint));
        if saved != asked || asked.is_empty() {
            return Err(BaselineMismatch::Endpoints { saved, asked });
        }
        for answer in &self.endpoints {
            let ignores = |(endpoint, ignored): &(Endpoint, Vec<String>)| {
                *endpoint == answer.endpoint && *ignored == answer.ignore
            };
            if !compared.iter().any(ignores) {
                return Err(BaselineMismatch::Ignored {
                    endpoint: answer.endpoint.clone(),
                });
            }
            if answer.content.is_some() && answer.known().is_none() {
                return Err(BaselineMismatch::Content {
                    endpoint: answer.endpoint.clone(),
                });
            }
        }
        Ok(())
    }

    /// The differences between the current right answers and the baseline.
    pub(super) fn findings(
        &self,
        groups: &[AnswerGroup],
        replicas: &[ReplicaAnswer],
        contents: &Contents,
    ) -> Vec<Finding> {
        let several = self.endpoints.len() > 1;
        let mut findings = Vec::new();
        for answer in &self.endpoints {
            let groups: Vec<&AnswerGroup> = groups
                .iter()
                .filter(|group| group.endpoint == answer.endpoint)
                .collect();
            let asked: Vec<&ReplicaAnswer> = replicas
                .iter()
                .filter(|replica| replica.endpoint == answer.endpoint)
                .collect();
            let data = answer.other_data(&groups, asked.len(), contents, self.time);
            let mut found: Vec<Finding> = data.into_iter().collect();
            found.extend(answer.other_head(&asked));
            if several {
                for finding in &mut found {
                    finding.message = format!("{}: {}", answer.endpoint, finding.message);
                }
            }
            findings.extend(found);
        }
        findings
    }
}

impl BaselineAnswer {
    /// The saved content, if it matches its digest.
    pub(super) fn known(&self) -> Option<Content> {
        let content = STANDARD.decode(self.content.as_ref()?).ok()?;
        let is_right = content.len() as u64 == self.bytes
            && hexadecimal(&Sha256::digest(&content)) == self.sha256;
        is_right.then(|| Content {
            bytes: self.bytes,
            beginning: Some(Bytes::from(content)),
        })
    }

    fn other_data(
        &self,
        groups: &[&AnswerGroup],
        asked: usize,
        contents: &Contents,
        time: Timestamp,
    ) -> Option<Finding> {
        let (same, other): (Vec<&AnswerGroup>, Vec<&AnswerGroup>) =
            groups.iter().partition(|group| group.sha256 == self.sha256);
        if let (Some(same), [_, ..]) = (same.first(), other.as_slice()) {
            let ordinals: Vec<i32> = other
                .iter()
                .flat_map(|group| group.ordinals.iter().copied())
                .collect();
            let message = format!(
                "{} still {} the baseline of {time}, but {} {} different data",
                replicas(&same.ordinals),
                serve(&same.ordinals),
                replicas(&ordinals),
                serve(&ordinals),
            );
            return Some(Finding::of_all(FindingKind::StaleReplica, message));
        }
        match other.as_slice() {
            [] => None,
            [group] => Some(self.one_other(group, asked, contents, time)),
            _ => Some(Finding::of_all(
                FindingKind::Regenerated,
                format!(
                    "no replica serves the baseline of {time}: {} ({})",
                    short(&self.sha256),
                    count(self.bytes, "byte")
                ),
            )),
        }
    }

    /// All right answers agree, but not with the baseline.
    fn one_other(
        &self,
        group: &AnswerGroup,
        asked: usize,
        contents: &Contents,
        time: Timestamp,
    ) -> Finding {
        let who = if asked == group.ordinals.len() && asked > 1 {
            format!("all {asked} replicas")
        } else {
            replicas(&group.ordinals)
        };
        let does = serve(&group.ordinals);
        let difference = contents
            .of(&group.endpoint, &group.sha256)
            .zip(self.known())
            .map_or(Difference::Unknown, |(now, then)| now.difference(&then));
        let (kind, message) = match difference {
            _ if group.bytes == 0 => (
                FindingKind::Empty,
                format!(
                    "{who} {does} nothing, but the baseline of {time} has {}",
                    count(self.bytes, "byte")
                ),
            ),
            Difference::FirstIsBeginning(end) => (
                FindingKind::Partial,
                format!(
                    "{who} {does} only the first {end} of the {} of the baseline of {time}",
                    count(self.bytes, "byte")
                ),
            ),
            difference => {
                let mut message = format!(
                    "{who} {does} different data than the baseline of {time}: {} ({}) instead of {} ({})",
                    short(&group.sha256),
                    count(group.bytes, "byte"),
                    short(&self.sha256),
                    count(self.bytes, "byte")
                );
                if let Some(offset) = offset(difference) {
                    // Writing to a String cannot fail.
                    let _ = write!(message, "; the first difference is at offset {offset}");
                } else if group.bytes < self.bytes && self.content.is_none() {
                    message.push_str(
                        "; this is shorter than the baseline and may be its beginning, but the baseline was saved without its content",
                    );
                }
                (FindingKind::Regenerated, message)
            }
        };
        let first_difference = offset(difference).or((group.bytes == 0).then_some(0));
        Finding {
            first_difference,
            ..Finding::of_all(kind, message)
        }
    }

    /// The same data with a different status or content type.
    fn other_head(&self, asked: &[&ReplicaAnswer]) -> Option<Finding> {
        let same = asked
            .iter()
            .filter(|answer| answer.error.is_none() && answer.compared() == Some(&self.sha256));
        let mut differing = Vec::new();
        let mut words = String::new();
        for answer in same {
            let named = |header: &Option<String>, none: &str| {
                header
                    .as_ref()
                    .map_or_else(|| none.to_owned(), |name| format!("`{name}`"))
            };
            let (encoding, saved) = (&answer.content_encoding, &self.content_encoding);
            if answer.status != Some(self.status) {
                let status = answer.status.unwrap_or_default();
                words = format!("status {status} instead of {}", self.status);
            } else if answer.transport == self.transport && answer.content_type != self.content_type
            {
                words = format!(
                    "{} instead of {}",
                    named(&answer.content_type, "no content type"),
                    named(&self.content_type, "no content type")
                );
            } else if encoding != saved {
                words = format!(
                    "{} instead of {}",
                    named(encoding, "no content encoding"),
                    named(saved, "no content encoding")
                );
            } else {
                continue;
            }
            differing.push(answer.ordinal);
        }
        (!differing.is_empty()).then(|| {
            let message = format!(
                "{} {} the data of the baseline, but with {words}",
                replicas(&differing),
                serve(&differing)
            );
            Finding::of_all(FindingKind::ContentTypes, message)
        })
    }
}

#[cfg(test)]
mod tests;
