//! Asks one replica again and again, on a connection of its own.
//!
//! A probe to which an old connection brings no byte is repeated at once on a new one: only that says
//! whether the replica or the connection was gone. What has begun is an answer, and never asked for
//! again. A replica that the API server shows as absent or not running is silent without being asked;
//! while the API server itself is silent nothing is known.

use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until, timeout};

use super::judge::{Judge, Judgement};
use super::record::{Record, Sample};
use crate::answer::Answer;
use crate::cluster::{AskError, Cluster, ClusterError, Conversation, Question};
use crate::expectation::Expectation;
use crate::report::{ProbeState, Via};
use crate::status::PodRun;

/// An old connection is not waited for alone when it takes so many times longer than usual, and this
/// long.
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
    /// The length of the body.
    pub(super) bytes: Option<u64>,
    /// The content type.
    pub(super) content_type: Option<String>,
    /// The content encoding.
    pub(super) content_encoding: Option<String>,
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
    pub(super) judge: Judge,
    pub(super) record: Arc<Record>,
    pub(super) conversation: Option<(PodRun, Conversation)>,
    /// How long the last answer took.
    pub(super) usual: Duration,
    /// When the last question was asked, in milliseconds since the run began.
    pub(super) asked_ms: u64,
    /// When it was last asked whether the API server answers, and whether it did.
    pub(super) confirmed: Option<(Instant, bool)>,
    /// Questions on old connections whose answers may still come.
    pub(super) late: JoinSet<()>,
}

/// A question on an old connection.
type Asking = BoxFuture<'static, (Conversation, Result<Answer, AskError>)>;

/// What became of a question on an old connection.
enum Kept {
    /// An answer began.
    Answered(Judgement),
    /// It brought no byte, as a client of the replica would have seen it too.
    Lost,
    /// It brought no byte, and the link to the replica is what broke.
    Unlinked,
    /// None yet, and the pod's usual time for it is over.
    Late(Asking),
}

impl Probed {
    /// Probes for ever.
    pub(super) async fn probe(mut self) {
        let mut next = Instant::now();
        loop {
            sleep_until(next).await;
            while self.late.try_join_next().is_some() {}
            let began_ms = self.record.now_ms();
            self.asked_ms = began_ms;
            let run = self.run();
            let judgement = self.sample(run.as_ref()).await;
            let asked_ms = self.asked_ms;
            let (pod, record) = (&self.judge.right.pod, &self.record);
            add(record, pod, run, judgement, (began_ms, asked_ms));
            // A probe that was due while the last one went on is not made up for.
            next = (next + self.judge.probing.interval).max(Instant::now());
        }
    }

    /// The run that the pod is in, as far as is known.
    fn run(&self) -> Option<PodRun> {
        let pods = self.judge.pods.current()?;
        pods.iter()
            .find(|pod| pod.metadata.name.as_deref() == Some(&self.judge.right.pod))
            .map(PodRun::of)
    }

    async fn sample(&mut self, run: Option<&PodRun>) -> Judgement {
        let Some(run) = run.filter(|run| run.is_running()) else {
            self.conversation = None;
            if !self.is_current().await {
                return Judgement::unknown("the API server does not answer");
            }
            return Judgement::silent(match run {
                Some(_) => "its containers do not run",
                None => "there is no such pod",
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

    /// Asks on a connection that is kept, with little patience: when a process dies, the node does not
    /// end the connection to it at once, and only a new one shows that nobody listens.
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
            Err(_) if self.cluster().is_silent() => Kept::Unlinked,
            Err(_) => Kept::Lost,
        }
    }

    /// Waits for an answer that is late while the probing goes on: it is an answer whenever it comes.
    fn follow(&mut self, run: &PodRun, asking: Asking, is_right: bool) {
        let (judge, record, run) = (self.judge.clone(), Arc::clone(&self.record), run.clone());
        let began_ms = record.now_ms();
        self.late.spawn(async move {
            let (_, answer) = asking.await;
            let pod = judge.right.pod.clone();
            let judgement = match answer {
                Ok(answer) => judge.answer(&answer),
                Err(error) if error.has_begun() => judge.error(&error),
                Err(AskError::LinkBroken) => return,
                Err(_) => {
                    if is_right && !judge.cluster.is_silent() {
                        record.reconnected(&pod);
                    }
                    return;
                }
            };
            if judgement.state != ProbeState::Right {
                add(&record, &pod, Some(run), judgement, (began_ms, began_ms));
            }
        });
    }

    /// Whether the API server answers now, so that what the watch shows of a pod that does not run is
    /// not old: asked once a second, by a forward that cannot lead anywhere.
    async fn is_current(&mut self) -> bool {
        if self.cluster().is_silent() {
            return false;
        }
        if let Some((at, is_current)) = self.confirmed
            && at.elapsed() < CONFIRMATION
        {
            return is_current;
        }
        let is_current = match self.judge.right.via {
            Via::PodProxy => true,
            Via::PortForward => {
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

    /// Asks on a new connection.
    async fn ask_anew(&mut self, run: &PodRun) -> Judgement {
        self.asked_ms = self.record.now_ms();
        let asked = match self.judge.right.via {
            Via::PortForward => self.ask_by_forward(run).await,
            Via::PodProxy => self.ask_by_proxy().await,
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

/// Adds a probe that began, and whose question was asked, at these moments.
fn add(
    record: &Record,
    pod: &str,
    run: Option<PodRun>,
    judgement: Judgement,
    (began_ms, asked_ms): (u64, u64),
) {
    let sample = Sample {
        state: judgement.state,
        run,
        began_ms,
        ended_ms: record.now_ms(),
        asked_ms,
        detail: judgement.detail,
        is_cut: judgement.is_cut,
        is_answered: judgement.is_answered,
    };
    record.add(pod, sample);
}
