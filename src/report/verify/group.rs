//! Replicas that gave the same answer.

use std::collections::BTreeMap;
use std::fmt::Write;

use serde::{Deserialize, Serialize};

use super::contents::{Content, Contents, Difference};
use super::{Endpoint, ReplicaAnswer};
use crate::figures::hexadecimal;

/// How many bytes are shown on either side of the first difference.
const SIDE: usize = 16;

/// Replicas that gave the same answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AnswerGroup {
    /// The endpoint.
    #[serde(flatten)]
    pub endpoint: Endpoint,
    /// The SHA-256 of the compared content.
    pub sha256: String,
    /// The length of the compared content, in bytes.
    pub bytes: u64,
    /// The ordinals of the replicas.
    pub ordinals: Vec<i32>,
    /// An excerpt of the content, if contents may be shown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub excerpt: Option<Excerpt>,
}

/// An excerpt of a content, around the first difference or from the beginning.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Excerpt {
    /// Its offset in the content.
    pub offset: u64,
    /// Its bytes in hexadecimal.
    pub hex: String,
    /// Its bytes as text; a dot stands for anything but printable ASCII.
    pub text: String,
}

impl Excerpt {
    /// The bytes of a content around an offset.
    #[must_use]
    pub fn around(content: &Content, offset: u64) -> Option<Self> {
        let beginning = content.beginning.as_ref()?;
        let offset = usize::try_from(offset).ok()?.min(beginning.len());
        let from = offset.saturating_sub(SIDE);
        let to = offset.saturating_add(SIDE).min(beginning.len());
        let piece = beginning.get(from..to)?;
        let text = piece.iter().map(|&byte| match byte {
            b' '..=b'~' => char::from(byte),
            _ => '.',
        });
        Some(Self {
            offset: from as u64,
            hex: hexadecimal(piece),
            text: text.collect(),
        })
    }

    /// The excerpt for people: the bytes in hexadecimal, then the text.
    #[must_use]
    pub fn words(&self) -> String {
        if self.hex.is_empty() {
            return format!("from offset {}: nothing", self.offset);
        }
        let mut words = format!("from offset {}:", self.offset);
        for pair in self.hex.as_bytes().chunks(2) {
            // Writing to a String cannot fail.
            let _ = write!(words, " {}", String::from_utf8_lossy(pair));
        }
        let _ = write!(words, "  |{}|", self.text);
        words
    }
}

/// The right answers, grouped by endpoint and digest; the groups of an endpoint in the order of their
/// first replicas.
pub(super) fn groups(
    endpoints: &[Endpoint],
    replicas: &[ReplicaAnswer],
    contents: &Contents,
) -> Vec<AnswerGroup> {
    let mut groups = Vec::new();
    for endpoint in endpoints {
        let mut by_hash: BTreeMap<&str, AnswerGroup> = BTreeMap::new();
        let right = replicas
            .iter()
            .filter(|answer| answer.error.is_none() && answer.endpoint == *endpoint);
        for answer in right {
            if let (Some(sha256), Some(bytes)) = (answer.compared(), answer.bytes) {
                let known = contents.of(endpoint, sha256).map(|content| content.bytes);
                by_hash
                    .entry(sha256)
                    .or_insert_with(|| AnswerGroup {
                        endpoint: endpoint.clone(),
                        sha256: sha256.to_owned(),
                        bytes: known.unwrap_or(bytes),
                        ordinals: Vec::new(),
                        excerpt: None,
                    })
                    .ordinals
                    .push(answer.ordinal);
            }
        }
        let mut of_endpoint: Vec<AnswerGroup> = by_hash.into_values().collect();
        of_endpoint.sort_by_key(|group| group.ordinals.first().copied());
        groups.extend(of_endpoint);
    }
    groups
}

/// Adds an excerpt to every group, around its first difference from another group.
pub(super) fn add_excerpts(groups: &mut [AnswerGroup], contents: &Contents) {
    let excerpts: Vec<Option<Excerpt>> = groups
        .iter()
        .map(|group| {
            let content = contents.of(&group.endpoint, &group.sha256)?;
            let offset = groups
                .iter()
                .filter(|other| other.endpoint == group.endpoint && other.sha256 != group.sha256)
                .filter_map(|other| {
                    offset(contents.difference(&group.endpoint, &group.sha256, &other.sha256))
                })
                .min();
            Excerpt::around(content, offset.unwrap_or(0))
        })
        .collect();
    for (group, excerpt) in groups.iter_mut().zip(excerpts) {
        group.excerpt = excerpt;
    }
}

/// The offset of the first difference between two contents, if known.
pub(super) fn offset(difference: Difference) -> Option<u64> {
    match difference {
        Difference::At(offset)
        | Difference::FirstIsBeginning(offset)
        | Difference::SecondIsBeginning(offset) => Some(offset),
        Difference::Beyond(_) | Difference::Unknown => None,
    }
}
