//! The events of a run, which connect the work to the display.
//!
//! Every report can be rebuilt from these events, and `-o json` prints them unchanged; `docs/events.md`
//! is their contract. Status events are sent on change, never per poll.

use std::collections::BTreeMap;
use std::path::PathBuf;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::action::Action;
use crate::exit::{ExitStatus, Outcome};
use crate::fault::Fault;
use crate::fields::Settlement;
use crate::object::ObjectRef;
use crate::replacement::{Adoption, Replacement};
use crate::report::{
    Endpoint, Experiment, ProbeCounts, ProbeState, RecoveryPhase, ReplicaAnswer, Report,
};
use crate::rollout::RolloutProgress;
use crate::status::{PodSummary, Status};

/// One event, on the run's own clock.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Event {
    /// The wall clock time of this machine.
    pub time: Timestamp,
    /// Milliseconds since the start of the run, by a monotonic clock.
    pub elapsed_ms: u64,
    /// The kind of the event, with its data.
    #[serde(flatten)]
    pub kind: EventKind,
}

/// All kinds of events.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum EventKind {
    /// The first event: the command and the cluster.
    Started(RunDescription),
    /// The plan, before the first write.
    Planned {
        /// Every object, in apply order.
        steps: Vec<PlannedStep>,
    },
    /// A write is about to be sent.
    WriteStarted {
        /// The object.
        object: ObjectRef,
        /// The action.
        action: Action,
    },
    /// A write was accepted or refused, or its result is unknown.
    WriteFinished {
        /// The object.
        object: ObjectRef,
        /// The action.
        action: Action,
        /// The result.
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
    /// A verification of every replica is about to start.
    Verifying {
        /// The workload.
        object: ObjectRef,
        /// The endpoints at which every replica is checked.
        endpoints: Vec<Endpoint>,
        /// The endpoints at which replicas may answer differently.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        may_differ: Vec<Endpoint>,
        /// The number of replicas that should exist.
        replicas: u32,
    },
    /// A replica was checked.
    Answered {
        /// The workload.
        object: ObjectRef,
        /// The answer, or why there is none.
        answer: ReplicaAnswer,
    },
    /// A pod has changed, in the words of `kubectl get pods`.
    PodChanged {
        /// The row to show.
        pod: PodSummary,
    },
    /// The plan of an experiment, before anything is touched.
    Experiment {
        /// The workload.
        object: ObjectRef,
        /// The faults and their targets.
        experiment: Experiment,
        /// The pods that are probed, by ordinal.
        replicas: Vec<String>,
        /// The plan in words, to follow "this will".
        #[serde(default)]
        what: String,
        /// The blast radius, one sentence each.
        #[serde(default)]
        blast_radius: Vec<String>,
    },
    /// A fault is about to be sent.
    Fault {
        /// Its number, from 1.
        number: u32,
        /// The fault.
        fault: Fault,
        /// Its targets.
        pods: Vec<String>,
    },
    /// The state of a replica's probes has changed.
    Probe {
        /// The pod's name.
        pod: String,
        /// The new state.
        state: ProbeState,
        /// Its beginning, in milliseconds since the start of the run.
        at_ms: u64,
        /// The answer in words, or why there is none.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        detail: Option<String>,
    },
    /// How often every replica was probed so far.
    Probes {
        /// By pod.
        counts: BTreeMap<String, ProbeCounts>,
        /// The longest gap of any replica, in milliseconds.
        largest_gap_ms: u64,
    },
    /// The ready endpoints of a Service have changed.
    Endpoints {
        /// The Service's name.
        service: String,
        /// The pods to which it routes.
        ready: Vec<String>,
        /// The time of the change, in milliseconds since the start of the run.
        at_ms: u64,
    },
    /// The outcome of a repeated verification has changed.
    Round {
        /// Its number, from 1.
        number: u32,
        /// Its outcome.
        verdict: Outcome,
        /// The outcome in one sentence.
        summary: String,
    },
    /// A phase of a fault's recovery was seen.
    Phase {
        /// The number of the fault, from 1.
        number: u32,
        /// The pod's name.
        pod: String,
        /// The phase.
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
        /// The line, without a line ending.
        line: String,
    },
    /// What was seen before something is deleted or undone was saved.
    Evidence {
        /// The folder.
        folder: PathBuf,
    },
    /// A warning, which does not end the run.
    Warning {
        /// A sentence.
        message: String,
    },
    /// The API server is unresponsive; the work continues when it responds.
    ServerUnresponsive {
        /// The reason, as far as known.
        reason: String,
    },
    /// The API server responds again.
    ServerAnswers {
        /// Milliseconds since its last response before.
        unresponsive_for_ms: u64,
    },
    /// The last event.
    Finished(Conclusion),
}

/// The command and the cluster of a run.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RunDescription {
    /// This program's version.
    pub version: String,
    /// The command, such as `up`.
    pub command: String,
    /// The kubeconfig's context, if one was used.
    pub context: Option<String>,
    /// The API server's URL.
    pub server: String,
    /// The namespace of the workload, or else the default namespace for objects without one.
    pub namespace: String,
}

/// One object of a plan.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct PlannedStep {
    /// The object.
    pub object: ObjectRef,
    /// The action.
    pub action: Action,
    /// Why a new object takes its place, if one does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replacement: Option<Replacement>,
    /// What it takes over from an earlier object.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub adoption: Option<Adoption>,
    /// What is done about fields that other managers own.
    #[serde(flatten)]
    pub settlement: Settlement,
}

impl PlannedStep {
    /// A step that concerns no other manager.
    #[must_use]
    pub fn new(object: ObjectRef, action: Action) -> Self {
        Self {
            object,
            action,
            replacement: None,
            adoption: None,
            settlement: Settlement::default(),
        }
    }
}

/// The result of a write.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "result", rename_all = "snake_case")]
pub enum WriteResult {
    /// The API server accepted it.
    Done,
    /// The API server refused it, or it was never sent: nothing has changed.
    Refused {
        /// The reason.
        reason: String,
    },
    /// It was sent, but its response was lost or the run was interrupted.
    Unknown {
        /// The reason.
        reason: String,
    },
}

/// The end of a run.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Conclusion {
    /// The process's exit status, by name.
    pub status: ExitStatus,
    /// The exit code.
    pub exit_code: u8,
    /// The outcome, if the command reached one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outcome: Option<Outcome>,
    /// The report, if the command finished.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub report: Option<Report>,
    /// The error, if the command failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<ErrorText>,
}

/// An error as text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrorText {
    /// The error itself.
    pub message: String,
    /// Its causes, from the outermost to the innermost.
    pub causes: Vec<String>,
    /// Next steps: commands to paste, or sentences.
    pub hints: Vec<String>,
}
