//! Asks one replica again and again, on a connection of its own.
//!
//! A probe that fails on an old connection is repeated at once on a new one: only that says whether
//! the replica or the connection was gone. A replica that the API server shows as absent or not
//! running is silent without being asked; while the API server itself is silent nothing is known.

use std::sync::Arc;
use std::time::Duration;

use k8s_openapi::api::core::v1::Pod;
use tokio::time::{Instant, sleep_until};

use super::record::{Record, Sample};
use crate::answer::Answer;
use crate::cluster::{AskError, Cluster, ClusterError, Conversation, Question, Sight};
use crate::expectation::Expectation;
use crate::report::{ProbeState, Via};
use crate::status::PodRun;

/// An old connection is given up when it takes so many times longer than usual, and this long.
const HASTE: u32 = 4;
const SHORTEST_PATIENCE: Duration = Duration::from_millis(250);
/// How long the API server's word for it is enough that a pod does not run.
const CONFIRMATION: Duration = Duration::from_secs(1);

/// What one replica answers when all is well.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Right {
    /// The pod's name.
    pub(super) pod: String,
    /// The SHA-256 of what is compared.
    pub(super) sha256: String,
    /// The content type.
    pub(super) content_type: Option<String>,
    /// How it could be reached in the steady state.
    pub(super) via: Via,
}

/// What is asked, and how often.
#[derive(Debug, Clone)]
pub(super) struct Probing {
    pub(super) namespace: String,
    pub(super) expectation: Expectation,
    pub(super) question: Question,
    pub(super) interval: Duration,
}

/// One replica that is probed.
pub(super) struct Probed {
    pub(super) cluster: Cluster,
    pub(super) probing: Probing,
    pub(super) pods: Sight<Pod>,
    pub(super) right: Right,
    pub(super) conversation: Option<(PodRun, Conversation)>,
    /// How long the last answer took.
    pub(super) usual: Duration,
    /// When it was last asked whether the API server answers, and whether it did.
    pub(super) confirmed: Option<(Instant, bool)>,
}

impl Probed {
    /// Probes for ever.
    pub(super) async fn probe(mut self, record: Arc<Record>) {
        let mut next = Instant::now();
        loop {
            sleep_until(next).await;
            let began_ms = record.now_ms();
            let run = self.run();
            let (state, detail) = self.sample(run.as_ref()).await;
            let sample = Sample {
                state,
                run,
                began_ms,
                ended_ms: record.now_ms(),
                detail,
            };
            record.add(&self.right.pod, sample);
            // A probe that was due while the last one went on is not made up for.
            next = (next + self.probing.interval).max(Instant::now());
        }
    }

    /// The run that the pod is in, as far as is known.
    fn run(&self) -> Option<PodRun> {
        let pods = self.pods.current()?;
        pods.iter()
            .find(|pod| pod.metadata.name.as_deref() == Some(&self.right.pod))
            .map(PodRun::of)
    }

    fn is_terminating(&self) -> bool {
        let pods = self.pods.current().unwrap_or_default();
        pods.iter()
            .find(|pod| pod.metadata.name.as_deref() == Some(&self.right.pod))
            .is_none_or(|pod| pod.metadata.deletion_timestamp.is_some())
    }

    async fn sample(&mut self, run: Option<&PodRun>) -> (ProbeState, Option<String>) {
        let Some(run) = run.filter(|run| run.is_running()) else {
            self.conversation = None;
            if !self.is_current().await {
                return unknown("the API server does not answer");
            }
            let words = match run {
                Some(_) => "its containers do not run",
                None => "there is no such pod",
            };
            return (ProbeState::Silent, Some(words.to_owned()));
        };
        self.confirmed = None;
        if let Some((of, mut conversation)) = self.conversation.take()
            && of == *run
            && !conversation.is_over()
            && let Ok(answer) = conversation.ask(&self.hasty()).await
        {
            self.usual = answer.latency;
            self.conversation = Some((of, conversation));
            return self.judge(&answer);
        }
        let asked = match self.right.via {
            Via::PortForward => self.ask_anew(run).await,
            Via::PodProxy => self.ask_by_proxy().await,
        };
        match asked {
            Ok(answer) => self.judge(&answer),
            Err(error) => self.explain(&error),
        }
    }

    /// Whether the API server answers now, so that what the watch shows of a pod that does not run is
    /// not old: asked once a second, by a forward that cannot lead anywhere.
    async fn is_current(&mut self) -> bool {
        if self.cluster.is_silent() {
            return false;
        }
        if let Some((at, is_current)) = self.confirmed
            && at.elapsed() < CONFIRMATION
        {
            return is_current;
        }
        let is_current = match self.right.via {
            Via::PodProxy => true,
            Via::PortForward => {
                let opened = self.open().await;
                match opened {
                    Err(AskError::NotOpenedInTime) => false,
                    Err(AskError::NotOpened(error)) => {
                        error.is_not_found() || matches!(error, ClusterError::Refused { .. })
                    }
                    _ => true,
                }
            }
        };
        self.confirmed = Some((Instant::now(), is_current));
        is_current
    }

    /// The question with little patience: when a process dies, the node does not end the connection
    /// to it at once, and only a new one shows that nobody listens.
    fn hasty(&self) -> Question {
        let question = self.probing.question.clone();
        let timeout = (self.usual * HASTE).max(SHORTEST_PATIENCE);
        Question {
            timeout: timeout.min(question.timeout),
            ..question
        }
    }

    async fn ask_by_proxy(&mut self) -> Result<Answer, AskError> {
        let Probing {
            namespace,
            question,
            ..
        } = &self.probing;
        self.cluster
            .ask_by_proxy(namespace, &self.right.pod, question)
            .await
    }

    async fn open(&mut self) -> Result<Conversation, AskError> {
        let Probing {
            namespace,
            question,
            ..
        } = &self.probing;
        let until = Instant::now() + question.timeout;
        self.cluster
            .converse(namespace, &self.right.pod, question.port, until)
            .await
    }

    async fn ask_anew(&mut self, run: &PodRun) -> Result<Answer, AskError> {
        let mut conversation = self.open().await?;
        let answer = conversation.ask(&self.probing.question).await?;
        self.usual = answer.latency;
        self.conversation = Some((run.clone(), conversation));
        Ok(answer)
    }

    fn judge(&self, answer: &Answer) -> (ProbeState, Option<String>) {
        let status = answer.status.as_u16();
        if answer.status != self.probing.expectation.status {
            return (ProbeState::Failing, Some(format!("status {status}")));
        }
        let Some(sha256) = self.probing.expectation.compared_sha256(answer) else {
            return unknown("the answer could not be compared");
        };
        if sha256 != self.right.sha256 {
            let digest = sha256.get(..12).unwrap_or(&sha256);
            let words = format!("with other content: {} bytes, {digest}", answer.bytes);
            return (ProbeState::Wrong, Some(words));
        }
        if answer.content_type != self.right.content_type {
            let given = answer.content_type.as_deref().unwrap_or("none");
            let words = format!("with another content type: `{given}`");
            return (ProbeState::Wrong, Some(words));
        }
        (ProbeState::Right, None)
    }

    fn explain(&self, error: &AskError) -> (ProbeState, Option<String>) {
        let silent = |words: String| (ProbeState::Silent, Some(words));
        match error {
            AskError::NotListening => silent("nothing listens on the port".to_owned()),
            AskError::NotForwarded(words) => silent(words.clone()),
            AskError::TimedOut if !self.cluster.is_silent() => silent(format!(
                "no answer within {} ms",
                self.probing.question.timeout.as_millis()
            )),
            AskError::NotOpened(ClusterError::NotFound { .. }) => {
                silent("there is no such pod".to_owned())
            }
            // The node has forgotten a pod that the API server still shows as terminating.
            AskError::NotOpened(ClusterError::Refused {
                code: 404 | 500,
                message,
                ..
            }) if self.is_terminating() => silent(message.clone()),
            AskError::TooLarge(limit) => {
                let words = format!("with other content: more than {limit} bytes");
                (ProbeState::Wrong, Some(words))
            }
            // Whatever its end is, a status that is not the expected one is enough.
            AskError::NoProvenEnd { status, .. } | AskError::Rewritten { status, .. }
                if *status != self.probing.expectation.status =>
            {
                let words = format!("status {}", status.as_u16());
                (ProbeState::Failing, Some(words))
            }
            AskError::NotOpened(source) | AskError::NotProxied(source) => {
                unknown(&source.to_string())
            }
            AskError::NotOpenedInTime
            | AskError::BrokenOff(_)
            | AskError::NotHttp
            | AskError::NotUpgraded(_)
            | AskError::NoProvenEnd { .. }
            | AskError::Rewritten { .. }
            | AskError::TimedOut => unknown(&error.to_string()),
        }
    }
}

fn unknown(words: &str) -> (ProbeState, Option<String>) {
    (ProbeState::Unknown, Some(words.to_owned()))
}
