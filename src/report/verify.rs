//! The report of `verify`: whether all replicas serve the same data.

mod baseline;
mod compare;
mod contents;
mod encoding;
mod finding;
mod fragment;
mod group;
mod problem;
mod summary;
mod words;

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

pub use self::baseline::{Baseline, BaselineAnswer, BaselineMismatch};
pub use self::contents::{Content, Contents, Difference};
pub use self::finding::{Finding, FindingKind};
pub use self::group::{AnswerGroup, Excerpt};
pub use self::problem::{Certainty, Problem};
pub use self::words::replicas as replicas_in_words;

use crate::exit::Outcome;
use crate::figures::hexadecimal;
use crate::object::ObjectRef;

/// The transport to a replica.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Transport {
    /// A port-forward of its own, inside this process.
    PortForward,
    /// The API server's pod proxy, where port-forwards are not allowed or do not work.
    PodProxy,
}

/// A port and a path at which replicas are checked.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Endpoint {
    /// The port of the pods.
    pub port: u16,
    /// The path, with a leading slash.
    pub path: String,
}

impl std::fmt::Display for Endpoint {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "`GET {}` on port {}", self.path, self.port)
    }
}

/// The answer of one replica, or why there is none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReplicaAnswer {
    /// The pod's name.
    pub pod: String,
    /// Its ordinal.
    pub ordinal: i32,
    /// The pod's UID, if it exists.
    pub uid: Option<String>,
    /// The node it runs on.
    pub node: Option<String>,
    /// The endpoint.
    #[serde(flatten)]
    pub endpoint: Endpoint,
    /// The HTTP status.
    pub status: Option<u16>,
    /// The SHA-256 of the body, in hexadecimal.
    pub sha256: Option<String>,
    /// The SHA-256 of the compared content, if parts of the body are ignored.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub compared_sha256: Option<String>,
    /// The length of the body.
    pub bytes: Option<u64>,
    /// The `Content-Type` header.
    pub content_type: Option<String>,
    /// The `Content-Encoding` header, if any; bodies are compared without decoding.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content_encoding: Option<String>,
    /// The time from the first byte of the request to the last byte of the body, in milliseconds.
    pub latency_ms: Option<u64>,
    /// The transport to the replica.
    pub transport: Transport,
    /// How often the request was repeated because the transport failed.
    pub repeats: u32,
    /// Why the answer is not right.
    pub error: Option<Problem>,
}

impl ReplicaAnswer {
    /// The SHA-256 of the compared content.
    #[must_use]
    pub fn compared(&self) -> Option<&str> {
        self.compared_sha256.as_deref().or(self.sha256.as_deref())
    }
}

/// The outcomes of a repeated verification.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rounds {
    /// All verifications.
    pub count: u32,
    /// Successful verifications.
    pub success: u32,
    /// Unhealthy verifications.
    pub unhealthy: u32,
    /// Undecided verifications, including those that were cut short.
    pub undecided: u32,
    /// How often the outcome changed from one verification to the next.
    pub changes: u32,
}

impl Rounds {
    /// The worst outcome of all: a later right answer does not undo a wrong one.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        if self.unhealthy > 0 {
            Outcome::Unhealthy
        } else if self.undecided > 0 || self.success == 0 {
            Outcome::Undecided
        } else {
            Outcome::Success
        }
    }
}

/// All observations of a verification; the report weighs them.
#[derive(Debug, Clone)]
pub struct Evidence<'a> {
    /// The workload.
    pub object: ObjectRef,
    /// The endpoints at which every replica was checked.
    pub endpoints: Vec<Endpoint>,
    /// The endpoints at which replicas may answer differently.
    pub may_differ: Vec<Endpoint>,
    /// The answers.
    pub replicas: Vec<ReplicaAnswer>,
    /// Findings that do not come from the answers.
    pub findings: Vec<Finding>,
    /// Notes, which do not affect the verdict.
    pub notes: Vec<String>,
    /// The beginnings of the bodies.
    pub contents: &'a Contents,
    /// Whether to show excerpts of the contents.
    pub shows_content: bool,
    /// The answers of an earlier run.
    pub baseline: Option<&'a Baseline>,
}

/// The answers of every replica and the verdict.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VerifyReport {
    /// The workload.
    pub object: ObjectRef,
    /// The endpoints at which every replica was checked.
    pub endpoints: Vec<Endpoint>,
    /// The endpoints at which replicas may answer differently.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub may_differ: Vec<Endpoint>,
    /// One entry for every replica that should exist and every endpoint, by ordinal.
    pub replicas: Vec<ReplicaAnswer>,
    /// The different right answers; one for each endpoint if all replicas agree.
    pub groups: Vec<AnswerGroup>,
    /// The problems of the workload or of the proof.
    pub findings: Vec<Finding>,
    /// Notes, which do not affect the verdict, for example about repeated requests.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
    /// The outcomes of all rounds, if this is the last report of a repeated verification.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rounds: Option<Rounds>,
    /// The outcome.
    pub verdict: Outcome,
    /// The verdict in one sentence, with the sample size.
    pub summary: String,
}

impl VerifyReport {
    /// Weighs the answers of every replica that should exist, without their bodies.
    #[must_use]
    pub fn new(
        object: ObjectRef,
        endpoints: Vec<Endpoint>,
        replicas: Vec<ReplicaAnswer>,
        findings: Vec<Finding>,
    ) -> Self {
        Self::weigh(Evidence {
            object,
            endpoints,
            may_differ: Vec::new(),
            replicas,
            findings,
            notes: Vec::new(),
            contents: &Contents::default(),
            shows_content: false,
            baseline: None,
        })
    }

    /// Weighs the evidence.
    ///
    /// A wrong answer outweighs an unknown one: a proven failure does not become undecided because
    /// another replica could not be checked.
    #[must_use]
    pub fn weigh(evidence: Evidence<'_>) -> Self {
        let Evidence {
            object,
            endpoints,
            may_differ,
            mut replicas,
            findings: beside,
            mut notes,
            contents,
            shows_content,
            baseline,
        } = evidence;
        let place = |endpoint: &Endpoint| endpoints.iter().position(|other| other == endpoint);
        replicas.sort_by_key(|answer| (answer.ordinal, place(&answer.endpoint)));
        let mut groups = group::groups(&endpoints, &replicas, contents);
        if shows_content {
            group::add_excerpts(&mut groups, contents);
        }
        let mut findings = Vec::new();
        if let Some(baseline) = baseline {
            findings.extend(baseline.findings(&groups, &replicas, contents));
            findings.extend(fragment::against_baseline(baseline, &replicas, contents));
        }
        for endpoint in endpoints.iter().filter(|one| !may_differ.contains(one)) {
            let of_endpoint: Vec<&AnswerGroup> = groups
                .iter()
                .filter(|group| group.endpoint == *endpoint)
                .collect();
            let mut found = compare::differences(&of_endpoint, contents);
            if let Some(first) = found.first_mut()
                && let Some(words) = encoding::words(&of_endpoint, &replicas, contents)
            {
                first.message = format!("{}; {words}", first.message);
            }
            let labels = of_endpoint
                .iter()
                .flat_map(|group| compare::labels(group, &replicas));
            found.extend(labels);
            let fragments = fragment::contradictions(endpoint, &of_endpoint, &replicas, contents);
            found.extend(fragments);
            if endpoints.len() > 1 {
                for finding in &mut found {
                    finding.message = format!("{endpoint}: {}", finding.message);
                }
            }
            findings.extend(found);
        }
        findings.extend(beside);
        findings.extend(of_replicas(&endpoints, &replicas));
        notes.extend(repeats(&replicas));
        let asked = ordinals(&replicas) * endpoints.len();
        let verdict = verdict(asked, &replicas, &groups, &findings);
        let mut report = Self {
            object,
            endpoints,
            may_differ,
            replicas,
            groups,
            findings,
            notes,
            rounds: None,
            verdict,
            summary: String::new(),
        };
        report.summary = summary::summary(&report, baseline.is_some());
        report
    }

    /// The outcome; for a repeated verification, the worst one.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        self.rounds.as_ref().map_or(self.verdict, Rounds::outcome)
    }

    /// The digest of the answer on which all replicas agree, if they do. For several endpoints, it is the
    /// digest of one line `PORT PATH DIGEST` for each endpoint at which they must agree.
    #[must_use]
    pub fn agreed_sha256(&self) -> Option<String> {
        if self.verdict != Outcome::Success {
            return None;
        }
        let agreed: Vec<&AnswerGroup> = self
            .groups
            .iter()
            .filter(|group| !self.may_differ.contains(&group.endpoint))
            .collect();
        match agreed.as_slice() {
            [] => None,
            [group] if self.endpoints.len() == 1 => Some(group.sha256.clone()),
            groups => {
                let mut hash = Sha256::new();
                for AnswerGroup {
                    endpoint, sha256, ..
                } in groups
                {
                    hash.update(format!("{} {} {sha256}\n", endpoint.port, endpoint.path));
                }
                Some(hexadecimal(&hash.finalize()))
            }
        }
    }

    /// The same report as the last one of several rounds.
    #[must_use]
    pub fn with_rounds(mut self, rounds: Rounds) -> Self {
        self.summary = summary::of_rounds(&rounds, &self.summary);
        self.rounds = Some(rounds);
        self
    }

    /// The number of replicas that should exist.
    #[must_use]
    pub fn expected_replicas(&self) -> usize {
        ordinals(&self.replicas)
    }
}

/// The number of different replicas among the answers.
fn ordinals(replicas: &[ReplicaAnswer]) -> usize {
    let ordinals: BTreeSet<i32> = replicas.iter().map(|answer| answer.ordinal).collect();
    ordinals.len()
}

/// The findings about single replicas. A problem of the pod itself is reported once, not once for each
/// endpoint.
fn of_replicas(endpoints: &[Endpoint], replicas: &[ReplicaAnswer]) -> Vec<Finding> {
    let mut findings: Vec<Finding> = Vec::new();
    for answer in replicas {
        let Some(problem) = &answer.error else {
            continue;
        };
        let place = if endpoints.len() > 1 && !problem.is_of_the_pod() {
            format!(" ({})", answer.endpoint)
        } else {
            String::new()
        };
        let message = format!("`{}` {}{place}", answer.pod, problem.words());
        let finding = Finding::of_pod(FindingKind::Replica, &answer.pod, message);
        if !findings.contains(&finding) {
            findings.push(finding);
        }
    }
    findings
}

fn repeats(replicas: &[ReplicaAnswer]) -> Option<String> {
    let count: u32 = replicas.iter().map(|answer| answer.repeats).sum();
    match count {
        0 => None,
        1 => Some("1 request was repeated because its transport failed".to_owned()),
        count => Some(format!(
            "{count} requests were repeated because their transport failed"
        )),
    }
}

/// `asked` is the number of expected answers: one of each replica at each endpoint.
fn verdict(
    asked: usize,
    replicas: &[ReplicaAnswer],
    groups: &[AnswerGroup],
    findings: &[Finding],
) -> Outcome {
    let problems = replicas
        .iter()
        .filter_map(|answer| answer.error.as_ref())
        .map(Problem::certainty);
    let found = findings
        .iter()
        .filter_map(|finding| finding.kind.certainty());
    let certainties: Vec<Certainty> = problems.chain(found).collect();
    if certainties.contains(&Certainty::Wrong) {
        return Outcome::Unhealthy;
    }
    let counted: usize = groups.iter().map(|group| group.ordinals.len()).sum();
    if asked == 0 || counted != asked || !certainties.is_empty() {
        Outcome::Undecided
    } else {
        Outcome::Success
    }
}

#[cfg(test)]
mod tests;
