//! Do all replicas serve the same data? Answers in, verdict out.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::exit::Outcome;
use crate::object::ObjectRef;

/// How a replica was reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Via {
    /// A port-forward of its own, inside this process.
    PortForward,
    /// The API server's pod proxy, where port-forwards are not allowed or do not work.
    PodProxy,
}

/// Where every replica is asked.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Endpoint {
    /// The port of the pods.
    pub port: u16,
    /// The path, with a leading slash.
    pub path: String,
}

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
    /// An HTTP status other than 200.
    WrongStatus {
        /// The status.
        status: u16,
    },
    /// 200 with nothing in it.
    Empty,
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
            | Self::Empty => Certainty::Wrong,
            Self::ChangedMeanwhile { .. }
            | Self::Incomplete { .. }
            | Self::TooLarge { .. }
            | Self::NoAnswer { .. }
            | Self::NotAsked { .. } => Certainty::Unknown,
        }
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
            Self::WrongStatus { status } => format!("answered with status {status}"),
            Self::Empty => "answered with nothing".to_owned(),
            Self::ChangedMeanwhile { what } => format!("changed while it was asked: {what}"),
            Self::Incomplete { reason } => format!("did not answer to the end: {reason}"),
            Self::TooLarge { limit } => format!("answered with more than {limit} bytes"),
            Self::NoAnswer { after_ms } => {
                format!("did not answer within {} s", after_ms.div_ceil(1000))
            }
            Self::NotAsked { reason } => format!("could not be asked: {reason}"),
        }
    }
}

/// What one replica answered, or why it did not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReplicaAnswer {
    /// The pod's name.
    pub pod: String,
    /// Its ordinal.
    pub ordinal: i32,
    /// The pod's UID, when it exists.
    pub uid: Option<String>,
    /// The node it runs on.
    pub node: Option<String>,
    /// Where it was asked.
    #[serde(flatten)]
    pub endpoint: Endpoint,
    /// The HTTP status.
    pub status: Option<u16>,
    /// The SHA-256 of the body, in hexadecimal.
    pub sha256: Option<String>,
    /// The SHA-256 of what is compared, where something is cut out of the body before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub compared_sha256: Option<String>,
    /// The length of the body.
    pub bytes: Option<u64>,
    /// The `Content-Type` header.
    pub content_type: Option<String>,
    /// From the request's first byte to the body's last, in milliseconds.
    pub latency_ms: Option<u64>,
    /// How the replica was reached.
    pub via: Via,
    /// How often the question was repeated because the transport failed.
    pub repeats: u32,
    /// Why the answer is not a right one.
    pub error: Option<Problem>,
}

/// Replicas that gave the same answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AnswerGroup {
    /// Where it was given.
    #[serde(flatten)]
    pub endpoint: Endpoint,
    /// The SHA-256 of what was compared.
    pub sha256: String,
    /// The length of the body.
    pub bytes: u64,
    /// Who gave it.
    pub ordinals: Vec<i32>,
}

/// What kind of thing a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FindingKind {
    /// One replica's answer is wrong or unknown: its `error` says how.
    Replica,
    /// A pod that matches the selector and should not exist.
    ExtraPod,
    /// All replicas agree on other data than the baseline.
    Regenerated,
    /// Some replicas still serve the baseline, others something else.
    StaleReplica,
    /// All replicas agree on nothing.
    Empty,
    /// An answer is only the beginning of another one, or of the baseline.
    Partial,
    /// One replica differs from all others, which agree.
    OneDiffers,
    /// No two replicas agree.
    AllDiffer,
    /// The replicas fall into several groups.
    Differ,
    /// The same bytes with different content types.
    ContentTypes,
}

/// Something that speaks against the workload, or against the proof.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// What kind of thing it is.
    pub kind: FindingKind,
    /// The offset of the first byte that differs, where it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_difference: Option<u64>,
    /// The pod concerned, unless it is all of them.
    pub pod: Option<String>,
    /// A sentence.
    pub message: String,
}

/// What every replica answered, and what follows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VerifyReport {
    /// The workload.
    pub object: ObjectRef,
    /// Where every replica was asked.
    pub endpoints: Vec<Endpoint>,
    /// One entry for every replica that should exist and every endpoint, by ordinal.
    pub replicas: Vec<ReplicaAnswer>,
    /// The different right answers; one when all is well.
    pub groups: Vec<AnswerGroup>,
    /// What speaks against the workload, or against the proof.
    pub findings: Vec<Finding>,
    /// The outcome.
    pub verdict: Outcome,
    /// The verdict in one sentence, with its sample.
    pub summary: String,
}

impl VerifyReport {
    /// Weighs the answers of every replica that should exist.
    ///
    /// A wrong answer outweighs an unknown one: what is proven does not become undecided because
    /// something else could not be asked.
    #[must_use]
    pub fn new(
        object: ObjectRef,
        endpoints: Vec<Endpoint>,
        mut replicas: Vec<ReplicaAnswer>,
        mut findings: Vec<Finding>,
    ) -> Self {
        replicas.sort_by_key(|answer| answer.ordinal);
        let groups = groups(&replicas);
        findings.extend(replicas.iter().filter_map(|answer| {
            let problem = answer.error.as_ref()?;
            Some(Finding {
                kind: FindingKind::Replica,
                first_difference: None,
                pod: Some(answer.pod.clone()),
                message: format!("`{}` {}", answer.pod, problem.words()),
            })
        }));
        if groups.len() > 1 {
            findings.push(Finding {
                kind: FindingKind::Differ,
                first_difference: None,
                pod: None,
                message: disagreement(&groups),
            });
        }
        let verdict = verdict(&replicas, &groups);
        let summary = summary(&replicas, &groups, verdict);
        Self {
            object,
            endpoints,
            replicas,
            groups,
            findings,
            verdict,
            summary,
        }
    }

    /// The outcome.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        self.verdict
    }

    /// The digest of the one answer on which all replicas agree, when they do; of several
    /// endpoints, the digest of a line `PORT PATH DIGEST` for each.
    #[must_use]
    pub fn agreed_sha256(&self) -> Option<String> {
        match (self.verdict, self.groups.as_slice()) {
            (Outcome::Success, [group]) => Some(group.sha256.clone()),
            _ => None,
        }
    }
}

fn groups(replicas: &[ReplicaAnswer]) -> Vec<AnswerGroup> {
    let mut by_hash: BTreeMap<&str, AnswerGroup> = BTreeMap::new();
    for answer in replicas.iter().filter(|answer| answer.error.is_none()) {
        if let (Some(sha256), Some(bytes)) = (&answer.sha256, answer.bytes) {
            by_hash
                .entry(sha256)
                .or_insert_with(|| AnswerGroup {
                    endpoint: answer.endpoint.clone(),
                    sha256: sha256.clone(),
                    bytes,
                    ordinals: Vec::new(),
                })
                .ordinals
                .push(answer.ordinal);
        }
    }
    let mut groups: Vec<AnswerGroup> = by_hash.into_values().collect();
    groups.sort_by_key(|group| group.ordinals.first().copied());
    groups
}

fn verdict(replicas: &[ReplicaAnswer], groups: &[AnswerGroup]) -> Outcome {
    let problems = || replicas.iter().filter_map(|answer| answer.error.as_ref());
    if groups.len() > 1 || problems().any(|problem| problem.certainty() == Certainty::Wrong) {
        return Outcome::Unhealthy;
    }
    let all_counted = groups
        .iter()
        .map(|group| group.ordinals.len())
        .sum::<usize>()
        == replicas.len();
    if replicas.is_empty() || !all_counted {
        Outcome::Undecided
    } else {
        Outcome::Success
    }
}

fn disagreement(groups: &[AnswerGroup]) -> String {
    let described: Vec<String> = groups
        .iter()
        .map(|group| {
            let ordinals: Vec<String> = group.ordinals.iter().map(ToString::to_string).collect();
            let noun = if ordinals.len() == 1 {
                "replica"
            } else {
                "replicas"
            };
            format!(
                "{noun} {} {} ({} bytes)",
                ordinals.join(", "),
                group.sha256.get(..12).unwrap_or(&group.sha256),
                group.bytes
            )
        })
        .collect();
    format!("the replicas disagree: {}", described.join("; "))
}

fn summary(replicas: &[ReplicaAnswer], groups: &[AnswerGroup], verdict: Outcome) -> String {
    let asked = replicas.len();
    match (verdict, groups) {
        (_, []) if asked == 0 => "the workload has no replicas: there is nothing to verify".into(),
        (Outcome::Success, _) if asked == 1 => {
            "the only replica answers; there is nothing to compare it with".into()
        }
        (Outcome::Success, [group]) => {
            format!(
                "all {asked} replicas serve the same {} bytes (1 answer each)",
                group.bytes
            )
        }
        _ => {
            let right: usize = groups.iter().map(|group| group.ordinals.len()).sum();
            match groups.len() {
                0 => format!("0 of {asked} replicas gave a complete, non-empty 200"),
                1 => format!("{right} of {asked} replicas gave a complete, non-empty 200"),
                count => format!("{asked} replicas gave {count} different answers"),
            }
        }
    }
}

#[cfg(test)]
mod tests;
