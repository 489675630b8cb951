//! Probes one replica at one endpoint, again and again, on a connection of its own.
//!
//! If a kept connection returns no byte, the probe is repeated at once on a new one: only that tells a
//! dead replica from a dead connection. An answer that has begun counts and is never requested again. A
//! replica that the API server shows as missing or not running is silent without a request; while the
//! API server itself is unresponsive, the state of a replica is unknown.

use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout};

use super::judge::{Judge, Judgement};
use super::record::{Record, Sample};
use crate::answer::Answer;
use crate::cluster::{AskError, Cluster, ClusterError, Conversation, Question};
use crate::expectation::Expectation;
use crate::report::{ProbeState, Transport};
use crate::status::PodRun;

/// After so many times its usual latency, and at least [`SHORTEST_PATIENCE`], a kept connection gets
/// company from a new one.
const HASTE: u32 = 4;
const SHORTEST_PATIENCE: Duration = Duration::from_millis(250);
/// How long a response of the API server confirms that a pod is not running.
const CONFIRMATION: Duration = Duration::from_secs(1);

/// The right answer of one replica.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Right {
    /// The pod's name.
    pub(super) pod: String,
    /// The SHA-256 of the compared content.
    pub(super) sha256: String,
    /// The length of the body.
    pub(super) bytes: Option<u64>,
    /// The content type.
    pub(super) content_type: Option<String>,
    /// The content encoding.
    pub(super) content_encoding: Option<String>,
    /// The transport that worked in the steady state.
    pub(super) transport: Transport,
}

/// The request of every probe at one endpoint, and what is expected there.
#[derive(Debug, Clone)]
pub(super) struct Probing {
    pub(super) namespace: String,
    pub(super) expectation: Expectation,
    pub(super) question: Question,
}

/// The probes of one replica at one endpoint.
pub(super) struct Probe {
    judge: Judge,
    record: Arc<Record>,
    conversation: Option<(PodRun, Conversation)>,
    /// The latency of the last answer.
    usual: Duration,
    /// When the last request was sent, in milliseconds since the start of the run.
    asked_ms: u64,
    /// When the API server was last checked, and whether it responded.
    confirmed: Option<(Instant, bool)>,
    /// Requests on kept connections whose answers may still arrive.
    late: JoinSet<()>,
}

/// The result of one probe at one endpoint.
pub(super) struct Probed {
    pub(super) judgement: Judgement,
    /// How long the answer took, or was waited for, in milliseconds.
    pub(super) took_ms: u64,
}

/// A request on a kept connection.
type Asking = BoxFuture<'static, (Conversation, Result<Answer, AskError>)>;

/// The result of a request on a kept connection.
enum Kept {
    /// An answer began.
    Answered(Judgement),
    /// No byte arrived; a client of the replica would have seen the same.
    Lost,
    /// No byte arrived, because the link to the replica broke.
    Unlinked,
    /// No byte arrived within the pod's usual latency, but one still may.
    Late(Asking),
}

impl Probe {
    pub(super) fn new(judge: Judge, record: Arc<Record>) -> Self {
        Self {
            judge,
            record,
            conversation: None,
            usual: Duration::ZERO,
            asked_ms: 0,
            confirmed: None,
            late: JoinSet::new(),
        }
    }

    /// Probes once.
    pub(super) async fn once(&mut self, run: Option<&PodRun>) -> Probed {
        while self.late.try_join_next().is_some() {}
        self.asked_ms = self.record.now_ms();
        let judgement = self.sample(run).await;
        Probed {
            judgement,
            took_ms: self.record.now_ms().saturating_sub(self.asked_ms),
        }
    }

    /// The current run of the pod, if known.
    pub(super) fn run(&self) -> Option<PodRun> {
        let pods = self.judge.pods.current()?;
        pods.iter()
            .find(|pod| pod.metadata.name.as_deref() == Some(&self.judge.right.pod))
            .map(PodRun::of)
    }

    async fn sample(&mut self, run: Option<&PodRun>) -> Judgement {
        let Some(run) = run.filter(|run| run.is_running()) else {
            self.conversation = None;
            if !self.is_current().await {
                return Judgement::unknown("the API server is unresponsive");
            }
            return Judgement::silent(match run {
                Some(_) => "its containers do not run",
                None => "the pod does not exist",
            });
        };
        self.confirmed = None;
        let kept = match self.conversation.take() {
            Some((of, conversation)) if of == *run && !conversation.is_over() => {
                Some(self.ask_again(run, conversation).await)
            }
            _ => None,
        };
        match kept {
            None | Some(Kept::Unlinked) => self.ask_anew(run).await,
            Some(Kept::Answered(judgement)) => judgement,
            Some(Kept::Lost) => {
                let judgement = self.ask_anew(run).await;
                if judgement.state == ProbeState::Right {
                    self.record.reconnected(&self.judge.right.pod);
                }
                judgement
            }
            Some(Kept::Late(asking)) => {
                let judgement = self.ask_anew(run).await;
                self.follow(run, asking, judgement.state == ProbeState::Right);
                judgement
            }
        }
    }

    /// Probes on the kept connection, with little patience: when a process dies, the node does not close
    /// its connections at once, and only a new one shows that nothing listens.
    async fn ask_again(&mut self, run: &PodRun, mut conversation: Conversation) -> Kept {
        let question = self.judge.probing.question.clone();
        let patience = (self.usual * HASTE)
            .max(SHORTEST_PATIENCE)
            .min(question.timeout);
        let beginning = conversation.beginning();
        let mut asking: Asking = Box::pin(async move {
            let answer = conversation.ask(&question).await;
            (conversation, answer)
        });
        let (conversation, answer) = match timeout(patience, &mut asking).await {
            Ok(asked) => asked,
            Err(_) if beginning.has_come() => asking.await,
            Err(_) => return Kept::Late(asking),
        };
        match answer {
            Ok(answer) => {
                self.usual = answer.latency;
                self.conversation = Some((run.clone(), conversation));
                Kept::Answered(self.judge.answer(&answer))
            }
            Err(error) if error.has_begun() => Kept::Answered(self.judge.error(&error)),
            Err(AskError::LinkBroken) => Kept::Unlinked,
            Err(_) if self.cluster().is_unresponsive() => Kept::Unlinked,
            Err(_) => Kept::Lost,
        }
    }

    /// Waits for a late answer while the probing continues: it counts whenever it arrives.
    fn follow(&mut self, run: &PodRun, asking: Asking, is_right: bool) {
        let (judge, record, run) = (self.judge.clone(), Arc::clone(&self.record), run.clone());
        let began_ms = record.now_ms();
        self.late.spawn(async move {
            let (_, answer) = asking.await;
            let pod = judge.right.pod.clone();
            let judgement = match answer {
                Ok(answer) => Some(judge.answer(&answer)),
                Err(error) if error.has_begun() => Some(judge.error(&error)),
                Err(AskError::LinkBroken) => return,
                Err(_) => None,
            };
            match judgement.filter(|judgement| judgement.state != ProbeState::Silent) {
                None if is_right && !judge.cluster.is_unresponsive() => record.reconnected(&pod),
                Some(judgement) if judgement.state != ProbeState::Right => {
                    let times = (began_ms, record.now_ms());
                    let took_ms = times.1.saturating_sub(began_ms);
                    record.add(&pod, Sample::new(judgement, Some(run), times, took_ms));
                }
                _ => {}
            }
        });
    }

    /// Whether the API server responds now, so that the watch's view of a stopped pod is current. Checked
    /// once a second, with a port-forward that must fail.
    async fn is_current(&mut self) -> bool {
        if self.cluster().is_unresponsive() {
            return false;
        }
        if let Some((at, is_current)) = self.confirmed
            && at.elapsed() < CONFIRMATION
        {
            return is_current;
        }
        let is_current = match self.judge.right.transport {
            Transport::PodProxy => true,
            Transport::PortForward => {
                let opened = self.open().await;
                match opened {
                    Err(AskError::NotOpenedInTime) => false,
                    Err(AskError::NotOpened(error)) => {
                        matches!(error, ClusterError::Refused { .. })
                    }
                    _ => true,
                }
            }
        };
        self.confirmed = Some((Instant::now(), is_current));
        is_current
    }

    fn cluster(&self) -> &Cluster {
        &self.judge.cluster
    }

    async fn open(&mut self) -> Result<Conversation, AskError> {
        let Probing {
            namespace,
            question,
            ..
        } = &self.judge.probing;
        let until = Instant::now() + question.timeout;
        self.cluster()
            .converse(namespace, &self.judge.right.pod, question.port, until)
            .await
    }

    /// Probes on a new connection.
    async fn ask_anew(&mut self, run: &PodRun) -> Judgement {
        self.asked_ms = self.record.now_ms();
        let asked = match self.judge.right.transport {
            Transport::PortForward => self.ask_by_forward(run).await,
            Transport::PodProxy => self.ask_by_proxy().await,
        };
        match asked {
            Ok(answer) => self.judge.answer(&answer),
            Err(error) => self.judge.error(&error),
        }
    }

    async fn ask_by_forward(&mut self, run: &PodRun) -> Result<Answer, AskError> {
        let mut conversation = self.open().await?;
        let answer = conversation.ask(&self.judge.probing.question).await?;
        self.usual = answer.latency;
        self.conversation = Some((run.clone(), conversation));
        Ok(answer)
    }

    async fn ask_by_proxy(&mut self) -> Result<Answer, AskError> {
        let Probing {
            namespace,
            question,
            ..
        } = &self.judge.probing;
        self.cluster()
            .ask_by_proxy(namespace, &self.judge.right.pod, question)
            .await
    }
}
