//! What happens during a run, as typed events: the only thing that work and display share.
//!
//! Every report can be rebuilt from these events, and `-o json` prints them as they are; their
//! written contract is `docs/events.md`. Status events are sent on change, never per poll.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tokio::sync::{Semaphore, mpsc};
use tokio::time::Instant;

use crate::action::Action;
use crate::exit::{ExitStatus, Outcome};
use crate::object::ObjectRef;
use crate::recording::Recording;
use crate::report::{
    Endpoint, Experiment, Fault, ProbeCounts, ProbeState, RecoveryPhase, ReplicaAnswer, Report,
};
use crate::status::{PodSummary, RolloutProgress, Status};

/// One thing that happened, on the run's own clock.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Event {
    /// When, by the wall clock of this machine.
    pub time: Timestamp,
    /// Milliseconds since the run began, by a clock that never jumps.
    pub elapsed_ms: u64,
    /// What.
    #[serde(flatten)]
    pub kind: EventKind,
}

/// Everything that can happen.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum EventKind {
    /// The first event: what runs, and against which cluster.
    Started(RunDescription),
    /// What will be done, before the first write.
    Planned {
        /// Every object, in the order of the work.
        steps: Vec<PlannedStep>,
    },
    /// A write is about to be sent.
    WriteStarted {
        /// The object written.
        object: ObjectRef,
        /// What is done to it.
        action: Action,
    },
    /// A write was accepted, refused, or left unsaid.
    WriteFinished {
        /// The object written.
        object: ObjectRef,
        /// What was done to it.
        action: Action,
        /// How it ended.
        result: WriteResult,
    },
    /// The state of an object that is being waited for has changed.
    Waiting {
        /// The object.
        object: ObjectRef,
        /// Its state now.
        status: Status,
    },
    /// The state of a rollout, or of one of its replicas, has changed.
    Rollout {
        /// The workload.
        object: ObjectRef,
        /// Its state now.
        progress: RolloutProgress,
    },
    /// Every replica of a workload is about to be asked.
    Verifying {
        /// The workload.
        object: ObjectRef,
        /// Where every replica is asked.
        endpoints: Vec<Endpoint>,
        /// Those of the endpoints at which replicas may answer differently.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        may_differ: Vec<Endpoint>,
        /// The number of replicas that should exist.
        replicas: u32,
    },
    /// A replica was asked.
    Answered {
        /// The workload.
        object: ObjectRef,
        /// What came back, or why nothing did.
        answer: ReplicaAnswer,
    },
    /// A pod changed, in the words of `kubectl get pods`.
    PodChanged {
        /// The row to show.
        pod: PodSummary,
    },
    /// What an experiment will do, before anything is touched.
    Experiment {
        /// The workload.
        object: ObjectRef,
        /// What will be done, and to whom.
        experiment: Experiment,
        /// The pods that are probed, by ordinal.
        replicas: Vec<String>,
        /// What will be done, as the end of "this will …".
        #[serde(default)]
        what: String,
        /// How far it reaches, a sentence each.
        #[serde(default)]
        reach: Vec<String>,
    },
    /// A fault is about to be sent.
    Fault {
        /// Its number, from 1.
        number: u32,
        /// What is done.
        fault: Fault,
        /// The pods that it takes.
        pods: Vec<String>,
    },
    /// The answers of a replica have changed.
    Probe {
        /// The pod's name.
        pod: String,
        /// What probes come to from now on.
        state: ProbeState,
        /// Since when, in milliseconds since the run began.
        at_ms: u64,
        /// What was answered, or why nothing was.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        detail: Option<String>,
    },
    /// How often every replica was probed by now.
    Probes {
        /// By pod.
        counts: BTreeMap<String, ProbeCounts>,
        /// The longest time during which a replica was not probed, in milliseconds.
        largest_gap_ms: u64,
    },
    /// The ready endpoints of a Service have changed.
    Endpoints {
        /// The Service's name.
        service: String,
        /// The pods that it leads to.
        ready: Vec<String>,
        /// Since when, in milliseconds since the run began.
        at_ms: u64,
    },
    /// A repeated verification came to another answer than the one before.
    Round {
        /// Its number, from 1.
        number: u32,
        /// Its outcome.
        verdict: Outcome,
        /// Its outcome in one sentence.
        summary: String,
    },
    /// A phase of a fault's recovery was seen.
    Phase {
        /// The number of the fault, from 1.
        number: u32,
        /// The pod's name.
        pod: String,
        /// What was seen.
        phase: RecoveryPhase,
        /// Milliseconds since the fault was sent.
        after_ms: u64,
    },
    /// A line of a container's log.
    LogLine {
        /// The pod's name.
        pod: String,
        /// The pod's ordinal.
        ordinal: i32,
        /// The container's name.
        container: String,
        /// The line, without its end.
        line: String,
    },
    /// Something that the user should know, and that stops nothing.
    Warning {
        /// A sentence.
        message: String,
    },
    /// The API server does not answer; work goes on when it does.
    ServerSilent {
        /// Why, as far as it can be told from here.
        reason: String,
    },
    /// The API server answers again.
    ServerAnswers {
        /// Milliseconds without an answer.
        silent_for_ms: u64,
    },
    /// The last event.
    Finished(Conclusion),
}

/// What runs, and against which cluster.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RunDescription {
    /// This program's version.
    pub version: String,
    /// The command, such as `up`.
    pub command: String,
    /// The kubeconfig's context, when one was used.
    pub context: Option<String>,
    /// The API server's URL.
    pub server: String,
    /// The namespace of the workload; where there is not one, that for objects that name none.
    pub namespace: String,
}

/// One object of a plan.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct PlannedStep {
    /// The object.
    pub object: ObjectRef,
    /// What will be done to it.
    pub action: Action,
}

/// How a write ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "result", rename_all = "snake_case")]
pub enum WriteResult {
    /// The API server accepted it.
    Done,
    /// The API server refused it, or it was never sent: nothing has changed.
    Refused {
        /// Why.
        reason: String,
    },
    /// It was sent and its answer was lost, or the run was interrupted meanwhile.
    Unknown {
        /// Why.
        reason: String,
    },
}

/// How the run ended.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Conclusion {
    /// The process's exit status, by name.
    pub status: ExitStatus,
    /// The number that the shell sees.
    pub exit_code: u8,
    /// The command's answer, when it came to one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outcome: Option<Outcome>,
    /// What the command found out, when it came to an end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub report: Option<Report>,
    /// Why the command did not come to an end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<ErrorText>,
}

/// An error as a person reads it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrorText {
    /// What failed.
    pub message: String,
    /// Why, from the outermost cause to the innermost.
    pub causes: Vec<String>,
    /// What to do next: commands to paste, or sentences.
    pub hints: Vec<String>,
}

/// Bytes of log lines that may wait for whoever renders them before [`Emitter::send_when_read`] waits as
/// well.
const BACKLOG: u32 = 2 << 20;

/// Stamps events and hands them to whoever renders them.
#[derive(Debug, Clone)]
pub struct Emitter {
    sender: mpsc::UnboundedSender<Event>,
    room: Arc<Semaphore>,
    started: Instant,
    recording: Option<Recording>,
}

impl Emitter {
    /// A new clock, and the events that are sent on it.
    #[must_use]
    pub fn new() -> (Self, Events) {
        let (sender, receiver) = mpsc::unbounded_channel();
        let room = Arc::new(Semaphore::new(BACKLOG as usize));
        let events = Events {
            receiver,
            room: Arc::clone(&room),
        };
        (
            Self {
                sender,
                room,
                started: Instant::now(),
                recording: None,
            },
            events,
        )
    }

    /// The same clock, with every event kept from now on.
    #[must_use]
    pub fn recorded(self, recording: Recording) -> Self {
        Self {
            recording: Some(recording),
            ..self
        }
    }

    /// Milliseconds since the run began.
    #[must_use]
    pub fn elapsed_ms(&self) -> u64 {
        milliseconds(self.started.elapsed())
    }

    /// Sends an event; a renderer that is gone is no reason to stop working.
    pub fn send(&self, kind: EventKind) {
        let event = Event {
            time: Timestamp::now(),
            elapsed_ms: self.elapsed_ms(),
            kind,
        };
        if let Some(recording) = &self.recording {
            recording.keep(&event);
        }
        // The receiver only goes away at the end of the run.
        let _ = self.sender.send(event);
    }

    /// Sends a log line once there is room for it: a log may be endless, and its reader slow.
    pub async fn send_when_read(&self, kind: EventKind) {
        if let Ok(room) = self.room.acquire_many(size(&kind)).await {
            room.forget();
            self.send(kind);
        }
    }
}

/// The events of a run, as they arrive.
#[derive(Debug)]
pub struct Events {
    receiver: mpsc::UnboundedReceiver<Event>,
    room: Arc<Semaphore>,
}

impl Events {
    /// The events of a run that is over.
    pub fn recorded(events: impl IntoIterator<Item = Event>) -> Self {
        let (sender, receiver) = mpsc::unbounded_channel();
        for event in events {
            // The receiver is at hand.
            let _ = sender.send(event);
        }
        Self {
            receiver,
            room: Arc::new(Semaphore::new(0)),
        }
    }

    /// Waits for events and appends up to `most` of them; returns how many, 0 at the end.
    pub async fn receive(&mut self, batch: &mut Vec<Event>, most: usize) -> usize {
        let count = self.receiver.recv_many(batch, most).await;
        let arrived = batch.iter().rev().take(count);
        let sizes = arrived.map(|event| size(&event.kind) as usize);
        self.room.add_permits(sizes.sum());
        count
    }
}

/// What a log line takes of the backlog; nothing else is endless.
fn size(kind: &EventKind) -> u32 {
    match kind {
        EventKind::LogLine { line, .. } => {
            let size = line.len() + size_of::<Event>();
            u32::try_from(size).unwrap_or(BACKLOG).min(BACKLOG)
        }
        _ => 0,
    }
}

/// Whole milliseconds, saturating.
#[must_use]
pub fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
