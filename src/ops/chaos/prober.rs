//! Asks every replica again and again, each on a connection of its own, so that one that does not
//! answer never holds up the others.
//!
//! A probe that fails on an old connection is repeated at once on a new one: only that says whether
//! the replica or the connection was gone. A replica that the API server shows as absent or not
//! running is silent without being asked; while the API server itself is silent nothing is known.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use k8s_openapi::api::core::v1::Pod;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, sleep_until};

use crate::answer::Answer;
use crate::cluster::{AskError, Cluster, ClusterError, Conversation, Question, Sight};
use crate::event::{Emitter, EventKind};
use crate::expectation::Expectation;
use crate::report::{Availability, ProbeCounts, ProbeState, Prober as ProberReport, Timeline};
use crate::status::PodRun;

/// How often the number of probes is told.
const TALLY: Duration = Duration::from_secs(1);

/// An old connection is given up when it takes so many times longer than usual, and this long.
const HASTE: u32 = 4;
const SHORTEST_PATIENCE: Duration = Duration::from_millis(250);

/// What one replica answers when all is well.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Right {
    /// The pod's name.
    pub(super) pod: String,
    /// The SHA-256 of what is compared.
    pub(super) sha256: String,
    /// The content type.
    pub(super) content_type: Option<String>,
}

/// What is asked, and how often.
#[derive(Debug, Clone)]
pub(super) struct Probing {
    pub(super) namespace: String,
    pub(super) expectation: Expectation,
    pub(super) question: Question,
    pub(super) interval: Duration,
}

/// One probe.
#[derive(Debug, Clone)]
pub(super) struct Sample {
    pub(super) state: ProbeState,
    /// The run of the pod that was asked.
    pub(super) run: Option<PodRun>,
    /// When it began and ended, in milliseconds since the run began.
    pub(super) began_ms: u64,
    pub(super) ended_ms: u64,
    /// What was answered, or why nothing was.
    detail: Option<String>,
}

/// Probes until it is dropped.
pub(super) struct Prober {
    shared: Arc<Shared>,
    tasks: Vec<JoinHandle<()>>,
    interval: Duration,
}

struct Shared {
    emitter: Emitter,
    state: Mutex<State>,
    changes: watch::Sender<u64>,
}

#[derive(Default)]
struct State {
    timeline: Timeline,
    replicas: BTreeMap<String, Replica>,
    wrong: Vec<String>,
}

#[derive(Default)]
struct Replica {
    counts: ProbeCounts,
    latest: Option<Sample>,
    last_right_ms: Option<u64>,
    decided_until_ms: Option<u64>,
    largest_gap_ms: u64,
}

impl Prober {
    /// Begins to probe these replicas.
    pub(super) fn start(
        cluster: &Cluster,
        emitter: &Emitter,
        pods: &Sight<Pod>,
        probing: &Probing,
        replicas: Vec<Right>,
    ) -> Self {
        let names = || replicas.iter().map(|right| right.pod.clone());
        let shared = Arc::new(Shared {
            emitter: emitter.clone(),
            state: Mutex::new(State {
                timeline: Timeline::of(names()),
                replicas: names().map(|pod| (pod, Replica::default())).collect(),
                wrong: Vec::new(),
            }),
            changes: watch::Sender::new(0),
        });
        let mut tasks: Vec<JoinHandle<()>> = replicas
            .into_iter()
            .map(|right| {
                let replica = Probed {
                    cluster: cluster.clone(),
                    probing: probing.clone(),
                    pods: pods.clone(),
                    right,
                    conversation: None,
                    usual: Duration::ZERO,
                };
                tokio::spawn(replica.probe(Arc::clone(&shared)))
            })
            .collect();
        tasks.push(tokio::spawn(tally(Arc::clone(&shared))));
        Self {
            shared,
            tasks,
            interval: probing.interval,
        }
    }

    /// A handle to wait for changes with.
    pub(super) fn changes(&self) -> watch::Receiver<u64> {
        self.shared.changes.subscribe()
    }

    /// The latest probe of every replica.
    pub(super) fn latest(&self) -> BTreeMap<String, Option<Sample>> {
        let state = self.shared.state();
        let replicas = state.replicas.iter();
        replicas
            .map(|(pod, replica)| (pod.clone(), replica.latest.clone()))
            .collect()
    }

    /// Whether every replica has been probed at least so often, with any result.
    pub(super) fn has_probed_each(&self, times: u64) -> bool {
        let state = self.shared.state();
        state
            .replicas
            .values()
            .all(|replica| replica.counts.decided() + replica.counts.unknown >= times)
    }

    /// Every answer with other content so far, one sentence each.
    pub(super) fn wrong(&self) -> Vec<String> {
        self.shared.state().wrong.clone()
    }

    /// From this moment on a Service leads to these pods.
    pub(super) fn endpoints(&self) -> Endpoints {
        Endpoints(Arc::clone(&self.shared))
    }

    /// The longest time without a right answer of a replica, of what began no earlier than a moment,
    /// and ended.
    pub(super) fn outage_since(&self, pod: &str, since_ms: u64) -> Option<u64> {
        let state = self.shared.state();
        let now = self.shared.emitter.elapsed_ms();
        let is_right = state
            .replicas
            .get(pod)?
            .latest
            .as_ref()
            .is_some_and(|sample| sample.state == ProbeState::Right);
        let outages = state.timeline.outages(pod, now);
        // The last right answer before the fault may be the beginning of its outage.
        let longest = outages
            .iter()
            .filter(|(_, end)| *end >= since_ms)
            .map(|(begin, end)| end - begin)
            .max();
        is_right.then_some(longest.unwrap_or(0))
    }

    /// What was seen from a moment until now, and how well.
    pub(super) fn result(&self, from_ms: u64) -> (Availability, ProberReport) {
        let mut state = self.shared.state();
        let now = self.shared.emitter.elapsed_ms();
        let mut largest_gap_ms = 0;
        let counts: Vec<(String, ProbeCounts)> = state
            .replicas
            .iter()
            .map(|(pod, replica)| {
                largest_gap_ms = largest_gap_ms.max(replica.gap(now));
                (pod.clone(), replica.counts)
            })
            .collect();
        for (pod, counts) in counts {
            state.timeline.count(&pod, counts);
        }
        let prober = ProberReport {
            interval_ms: crate::event::milliseconds(self.interval),
            largest_gap_ms,
        };
        (state.timeline.availability(from_ms, now), prober)
    }
}

impl Drop for Prober {
    fn drop(&mut self) {
        for task in &self.tasks {
            task.abort();
        }
    }
}

/// Where changes of the Services' endpoints go.
#[derive(Clone)]
pub(super) struct Endpoints(Arc<Shared>);

impl Endpoints {
    /// From now on a Service leads to these pods.
    pub(super) fn changed(&self, service: &str, ready: Vec<String>) {
        let at_ms = self.0.emitter.elapsed_ms();
        self.0.emitter.send(EventKind::Endpoints {
            service: service.to_owned(),
            ready: ready.clone(),
            at_ms,
        });
        self.0.state().timeline.endpoints(service, ready, at_ms);
    }
}

impl Replica {
    /// The longest time during which it was not probed, until now.
    fn gap(&self, now_ms: u64) -> u64 {
        let is_unknown = self
            .latest
            .as_ref()
            .is_some_and(|sample| sample.state == ProbeState::Unknown);
        let open = self
            .decided_until_ms
            .filter(|_| is_unknown)
            .map_or(0, |until| now_ms.saturating_sub(until));
        self.largest_gap_ms.max(open)
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn record(&self, pod: &str, sample: Sample) {
        let mut guard = self.state();
        let state = &mut *guard;
        let Some(replica) = state.replicas.get_mut(pod) else {
            return;
        };
        replica.counts.add(sample.state);
        let before = replica.latest.as_ref().map(|latest| latest.state);
        if sample.state != ProbeState::Unknown {
            let idle = replica
                .decided_until_ms
                .map_or(0, |until| sample.began_ms.saturating_sub(until));
            replica.largest_gap_ms = replica.largest_gap_ms.max(idle);
            replica.decided_until_ms = Some(sample.ended_ms);
        }
        if before != Some(sample.state) {
            // An outage begins with the last right answer: what came between nobody knows.
            let at_ms = match before {
                Some(ProbeState::Right) => replica.last_right_ms.unwrap_or(sample.began_ms),
                _ => sample.ended_ms,
            };
            state.timeline.probe(pod, sample.state, at_ms);
            self.emitter.send(EventKind::Probe {
                pod: pod.to_owned(),
                state: sample.state,
                at_ms,
                detail: sample.detail.clone(),
            });
        }
        if sample.state == ProbeState::Right {
            replica.last_right_ms = Some(sample.ended_ms);
        }
        if sample.state == ProbeState::Wrong && before != Some(ProbeState::Wrong) {
            let detail = sample.detail.clone().unwrap_or_default();
            state.wrong.push(format!("`{pod}` answered {detail}"));
        }
        replica.latest = Some(sample);
        drop(guard);
        self.changes.send_modify(|number| *number += 1);
    }
}

/// One replica that is probed.
struct Probed {
    cluster: Cluster,
    probing: Probing,
    pods: Sight<Pod>,
    right: Right,
    conversation: Option<(PodRun, Conversation)>,
    /// How long the last answer took.
    usual: Duration,
}

impl Probed {
    async fn probe(mut self, shared: Arc<Shared>) {
        let mut next = Instant::now();
        loop {
            sleep_until(next).await;
            let began_ms = shared.emitter.elapsed_ms();
            let run = self.run();
            let (state, detail) = self.sample(run.as_ref()).await;
            let sample = Sample {
                state,
                run,
                began_ms,
                ended_ms: shared.emitter.elapsed_ms(),
                detail,
            };
            shared.record(&self.right.pod, sample);
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
            if self.cluster.is_silent() {
                return unknown("the API server does not answer");
            }
            let words = match run {
                Some(_) => "its containers do not run",
                None => "there is no such pod",
            };
            return (ProbeState::Silent, Some(words.to_owned()));
        };
        if let Some((of, mut conversation)) = self.conversation.take()
            && of == *run
            && !conversation.is_over()
            && let Ok(answer) = conversation.ask(&self.hasty()).await
        {
            self.usual = answer.latency;
            self.conversation = Some((of, conversation));
            return self.judge(&answer);
        }
        match self.ask_anew(run).await {
            Ok(answer) => self.judge(&answer),
            Err(error) => self.explain(&error),
        }
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

    async fn ask_anew(&mut self, run: &PodRun) -> Result<Answer, AskError> {
        let Probing {
            namespace,
            question,
            ..
        } = &self.probing;
        let until = Instant::now() + question.timeout;
        let opened = self
            .cluster
            .converse(namespace, &self.right.pod, question.port, until)
            .await;
        let mut conversation = opened?;
        let answer = conversation.ask(question).await?;
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
                code: 404, message, ..
            }) if self.is_terminating() => silent(message.clone()),
            AskError::TooLarge(limit) => {
                let words = format!("with other content: more than {limit} bytes");
                (ProbeState::Wrong, Some(words))
            }
            AskError::NotOpened(source) => unknown(&source.to_string()),
            AskError::NotOpenedInTime
            | AskError::BrokenOff(_)
            | AskError::NoProvenEnd
            | AskError::TimedOut => unknown(&error.to_string()),
        }
    }
}

fn unknown(words: &str) -> (ProbeState, Option<String>) {
    (ProbeState::Unknown, Some(words.to_owned()))
}

/// Tells how often every replica was probed.
async fn tally(shared: Arc<Shared>) {
    loop {
        sleep(TALLY).await;
        let event = {
            let state = shared.state();
            let now = shared.emitter.elapsed_ms();
            let replicas = state.replicas.iter();
            EventKind::Probes {
                counts: replicas
                    .map(|(pod, replica)| (pod.clone(), replica.counts))
                    .collect(),
                largest_gap_ms: state
                    .replicas
                    .values()
                    .map(|replica| replica.gap(now))
                    .max()
                    .unwrap_or(0),
            }
        };
        shared.emitter.send(event);
    }
}
