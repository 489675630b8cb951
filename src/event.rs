//! What happens during a run, as typed events: the only thing that work and display share.
//!
//! Every report can be rebuilt from these events, and `-o json` prints them as they are; their
//! written contract is `docs/events.md`. Status events are sent on change, never per poll.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::action::Action;
use crate::exit::{ExitStatus, Outcome};
use crate::fault::Fault;
use crate::object::ObjectRef;
use crate::report::{
    Endpoint, Experiment, ProbeCounts, ProbeState, RecoveryPhase, ReplicaAnswer, Report,
};
use crate::rollout::RolloutProgress;
use crate::status::{PodSummary, Status};

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
        /// Milliseconds in which nothing was heard of it, from the last that was.
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
