//! Judges the result of a probe against the replica's answer in the steady state.

use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use k8s_openapi::api::core::v1::Pod;

use super::probe::{Probing, Right};
use super::template::Templates;
use crate::answer::{Answer, Contradiction, Cut, Fragment};
use crate::cluster::{AskError, Cluster, ClusterError, Sight};
use crate::figures::duration;
use crate::report::ProbeState;

/// The judged result of a probe.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Judgement {
    pub(super) state: ProbeState,
    /// The answer in words, or why there is none.
    pub(super) detail: Option<String>,
    /// Whether an answer began but has no proven end, so its content is unknown.
    pub(super) is_cut: bool,
    /// Whether a complete answer arrived, even if it cannot be judged.
    pub(super) is_answered: bool,
}

impl Judgement {
    fn of(state: ProbeState, detail: impl Into<String>) -> Self {
        Self {
            state,
            detail: Some(detail.into()),
            is_cut: false,
            is_answered: false,
        }
    }

    /// The replica did not answer.
    pub(super) fn silent(words: impl Into<String>) -> Self {
        Self::of(ProbeState::Silent, words)
    }

    /// The replica could not be probed.
    pub(super) fn unknown(words: impl Into<String>) -> Self {
        Self::of(ProbeState::Unknown, words)
    }

    fn cut(words: impl Into<String>) -> Self {
        Self {
            is_cut: true,
            ..Self::unknown(words)
        }
    }
}

/// The SHA-256 and the beginning of the steady-state content, known after the first right answer. All
/// replicas share it, because they serve the same content.
#[derive(Clone, Default)]
pub(super) struct KnownContent(Arc<OnceLock<(String, Bytes)>>);

impl KnownContent {
    fn learn(&self, answer: &Answer) {
        self.0
            .get_or_init(|| (answer.sha256.clone(), answer.beginning.clone()));
    }

    fn beginning(&self, sha256: &str) -> &[u8] {
        let known = self.0.get().filter(|(of, _)| of == sha256);
        known.map_or(&[], |(_, beginning)| beginning)
    }
}

/// Judges the answers of one replica.
#[derive(Clone)]
pub(super) struct Judge {
    pub(super) cluster: Cluster,
    pub(super) probing: Probing,
    pub(super) pods: Sight<Pod>,
    pub(super) right: Right,
    /// Whether the replica is probed at other endpoints, too.
    pub(super) is_one_of_several: bool,
    pub(super) known: KnownContent,
    /// Tells whether the pod has a different template revision now.
    pub(super) templates: Templates,
}

impl Judge {
    /// Judges a complete answer.
    pub(super) fn answer(&self, answer: &Answer) -> Judgement {
        self.located(self.of_this_template(self.of_answer(answer)))
    }

    /// Judges a probe without a complete answer.
    pub(super) fn error(&self, error: &AskError) -> Judgement {
        self.located(self.of_this_template(self.of_error(error)))
    }

    /// Names the endpoint where there are several.
    fn located(&self, mut judgement: Judgement) -> Judgement {
        if self.is_one_of_several
            && let Some(detail) = &mut judgement.detail
        {
            detail.push_str(", at ");
            detail.push_str(&self.probing.question.path);
        }
        judgement
    }

    /// A different answer is unknown, not wrong, if the pod has a different template revision.
    fn of_this_template(&self, judgement: Judgement) -> Judgement {
        let is_other = judgement.state == ProbeState::Wrong;
        if !is_other || self.templates.remade(&self.right.pod).is_none() {
            return judgement;
        }
        let words = judgement.detail.unwrap_or_default();
        Judgement {
            is_answered: true,
            ..Judgement::unknown(format!(
                "the pod answers with {words}, but at a different revision"
            ))
        }
    }

    fn of_answer(&self, answer: &Answer) -> Judgement {
        let expectation = &self.probing.expectation;
        if answer.status != expectation.status {
            return failing(answer.status);
        }
        let Some(sha256) = expectation.compared_sha256(answer) else {
            return Judgement::unknown("the answer could not be compared");
        };
        if sha256 != self.right.sha256 {
            let digest = sha256.get(..12).unwrap_or(&sha256);
            let words = format!("different content: {} bytes, {digest}", answer.bytes);
            return Judgement::of(ProbeState::Wrong, words);
        }
        if answer.content_type != self.right.content_type {
            return other("content type", answer.content_type.as_deref());
        }
        if answer.content_encoding != self.right.content_encoding {
            return other("content encoding", answer.content_encoding.as_deref());
        }
        self.known.learn(answer);
        Judgement {
            state: ProbeState::Right,
            detail: None,
            is_cut: false,
            is_answered: true,
        }
    }

    fn of_error(&self, error: &AskError) -> Judgement {
        match error {
            AskError::Unfinished(fragment) => self.fragment(fragment),
            AskError::NotHttp { .. } => Judgement::cut(error.to_string()),
            AskError::NotListening | AskError::NotListeningOutside => {
                Judgement::silent(error.to_string())
            }
            AskError::NotForwarded(words) => Judgement::silent(words.clone()),
            AskError::TimedOut => self.late("no answer"),
            AskError::NoSuchPod => Judgement::silent(error.to_string()),
            // The node no longer has the pod, but the API server still shows it as terminating.
            AskError::NotOpened(ClusterError::Refused {
                code: 404 | 500,
                message,
                ..
            }) if self.is_terminating() => Judgement::silent(message.clone()),
            AskError::NotOpened(source) | AskError::NotProxied(source) => {
                Judgement::unknown(source.to_string())
            }
            AskError::NotOpenedInTime
            | AskError::NotUpgraded(_)
            | AskError::NotReached(_)
            | AskError::Closed(_)
            | AskError::LinkBroken => Judgement::unknown(error.to_string()),
        }
    }

    /// Judges an answer without a proven end: the bytes that arrived may be enough.
    fn fragment(&self, fragment: &Fragment) -> Judgement {
        let expectation = &self.probing.expectation;
        if let Some(status) = fragment.status
            && status != expectation.status
        {
            return failing(status);
        }
        if let Some(head) = &fragment.head
            && head.content_type != self.right.content_type
        {
            return other("content type", head.content_type.as_deref());
        }
        // If parts are ignored in the comparison, neither offset nor length proves anything.
        let length = self.right.bytes.filter(|_| expectation.ignore.is_empty());
        let contradiction = length.and_then(|length| {
            fragment.contradicts(length, self.known.beginning(&self.right.sha256))
        });
        let words = match (contradiction, &fragment.cut) {
            // Slow, but not wrong so far: a client would give up without an answer.
            (None, Cut::TimedOut(_)) => return self.late("no complete answer"),
            (None, cut) => return Judgement::cut(format!("an answer began, but {cut}")),
            (Some(_), Cut::TooLarge(limit)) => format!("more than {limit} bytes"),
            (Some(Contradiction::At(offset)), cut) => {
                format!("it differs at offset {offset}; {cut}")
            }
            (Some(Contradiction::Longer), cut) => {
                format!("at least {} bytes; {cut}", fragment.bytes)
            }
            (Some(Contradiction::Promised(promised)), cut) => {
                format!("it announced {promised} bytes; {cut}")
            }
        };
        Judgement::of(ProbeState::Wrong, format!("different content: {words}"))
    }

    /// No answer in time: an outage, unless the API server is unresponsive, which leaves it unknown.
    fn late(&self, what: &str) -> Judgement {
        let time = duration(self.probing.question.timeout);
        let words = format!("{what} within {time}");
        if self.cluster.is_unresponsive() {
            return Judgement::unknown(words);
        }
        Judgement::silent(words)
    }

    fn is_terminating(&self) -> bool {
        let pods = self.pods.current().unwrap_or_default();
        pods.iter()
            .find(|pod| pod.metadata.name.as_deref() == Some(&self.right.pod))
            .is_none_or(|pod| pod.metadata.deletion_timestamp.is_some())
    }
}

fn failing(status: http::StatusCode) -> Judgement {
    Judgement::of(ProbeState::Failing, format!("status {}", status.as_u16()))
}

fn other(what: &str, given: Option<&str>) -> Judgement {
    let given = given.unwrap_or("none");
    Judgement::of(ProbeState::Wrong, format!("a different {what}: `{given}`"))
}
