//! Recorded runs as from a real cluster.

mod chaos;
mod deploy;
mod other;
mod play;
mod prove;
mod steering;

use jiff::{SignedDuration, Timestamp};

pub(crate) use self::chaos::{experiments, restored, survived, survived_often};
pub(crate) use self::deploy::{rollout_status, up, up_interrupted, up_refused, up_with_bad_image};
pub(crate) use self::other::{diff, down, logs};
pub(crate) use self::prove::{
    answer, chaos_failed, chaos_survived, no_answer, verify, verify_disagreeing, verify_ok,
    verify_watched,
};
use crate::action::Action;
use crate::event::{Conclusion, Event, EventKind, PlannedStep, RunDescription, WriteResult};
use crate::exit::ExitStatus;
use crate::object::ObjectRef;
use crate::report::Report;
use crate::rollout::{ReplicaProgress, RolloutProgress, RolloutState};
use crate::status::PodSummary;

const NAMESPACE: Option<&str> = Some("logaiter");
const KEYS: &str = "1f8b8c3e0d2a4b6f7c9d0e1f2a3b4c5d6e7f8091a2b3c4d5e6f708192a3b4c5d";
const OTHER_KEYS: &str = "9c4e21ab77d0f3e58a6b1c2d3e4f5061728394a5b6c7d8e9f00112233445566a";

/// An event this many milliseconds after the start.
pub(crate) fn at(elapsed_ms: u64, kind: EventKind) -> Event {
    let beginning: Timestamp = "2026-11-23T10:00:00Z".parse().unwrap();
    let elapsed = SignedDuration::from_millis(i64::try_from(elapsed_ms).unwrap());
    Event {
        time: beginning + elapsed,
        elapsed_ms,
        kind,
    }
}

pub(crate) fn started(command: &str) -> Event {
    at(
        0,
        EventKind::Started(RunDescription {
            version: "0.1.0".into(),
            command: command.into(),
            context: Some("sandbox".into()),
            server: "https://127.0.0.1:6443".into(),
            namespace: "logaiter".into(),
        }),
    )
}

pub(crate) fn finished(elapsed_ms: u64, status: ExitStatus, report: Option<Report>) -> Event {
    let outcome = report.as_ref().map(Report::outcome);
    let exit_code = status.code();
    at(
        elapsed_ms,
        EventKind::Finished(Conclusion {
            status,
            exit_code,
            outcome,
            report,
            error: None,
        }),
    )
}

pub(crate) fn stateful_set() -> ObjectRef {
    ObjectRef::new("apps", "StatefulSet", NAMESPACE, "cryptoserver")
}

fn claim() -> ObjectRef {
    ObjectRef::new("", "PersistentVolumeClaim", NAMESPACE, "fileserver-claim")
}

fn service() -> ObjectRef {
    ObjectRef::new("", "Service", NAMESPACE, "cryptoserver")
}

fn namespace() -> ObjectRef {
    ObjectRef::new("", "Namespace", None, "logaiter")
}

fn budget() -> ObjectRef {
    ObjectRef::new("policy", "PodDisruptionBudget", NAMESPACE, "cryptoserver")
}

fn pod_object() -> ObjectRef {
    ObjectRef::new("", "Pod", NAMESPACE, "cryptoserver-0")
}

fn planned(steps: Vec<(ObjectRef, Action)>) -> EventKind {
    let steps = steps
        .into_iter()
        .map(|(object, action)| PlannedStep::new(object, action))
        .collect();
    EventKind::Planned { steps }
}

fn write_started(object: ObjectRef, action: Action) -> EventKind {
    EventKind::WriteStarted { object, action }
}

fn written(object: ObjectRef, action: Action) -> EventKind {
    EventKind::WriteFinished {
        object,
        action,
        result: WriteResult::Done,
    }
}

/// A pod, created this many milliseconds after the start.
pub(crate) fn pod(
    ordinal: i32,
    uid: &str,
    ready: usize,
    status: &str,
    created_ms: i64,
) -> PodSummary {
    let beginning: Timestamp = "2026-11-23T10:00:00Z".parse().unwrap();
    PodSummary {
        pod: format!("cryptoserver-{ordinal}"),
        uid: uid.into(),
        ready: (ready, 1),
        status: status.into(),
        restarts: 0,
        created: Some(beginning + SignedDuration::from_millis(created_ms)),
        node: (status != "Pending").then(|| "worker".to_owned()),
    }
}

pub(crate) fn replica(ordinal: i32, pod: Option<PodSummary>, ready: bool) -> ReplicaProgress {
    ReplicaProgress {
        ordinal,
        revision: pod.as_ref().map(|_| "68d8b8b6bb".to_owned()),
        up_to_date: pod.is_some(),
        pod,
        is_ready: ready,
        ready,
    }
}

pub(crate) fn progress(replicas: Vec<ReplicaProgress>, state: RolloutState) -> RolloutProgress {
    RolloutProgress {
        revision: Some("cryptoserver-68d8b8b6bb".into()),
        desired: i32::try_from(replicas.len()).unwrap(),
        ready: i32::try_from(replicas.iter().filter(|replica| replica.ready).count()).unwrap(),
        updated: i32::try_from(replicas.iter().filter(|replica| replica.up_to_date).count())
            .unwrap(),
        kept: None,
        replicas,
        state,
    }
}

pub(crate) fn rollout(progress: &RolloutProgress) -> EventKind {
    EventKind::Rollout {
        object: stateful_set(),
        progress: progress.clone(),
    }
}

pub(crate) fn waits(message: &str) -> RolloutState {
    RolloutState::Progressing {
        message: message.into(),
        suspicion: None,
    }
}

/// Every run, by name.
pub(crate) fn all() -> Vec<(&'static str, Vec<Event>)> {
    vec![
        ("up", up()),
        ("up-with-bad-image", up_with_bad_image()),
        ("up-interrupted", up_interrupted()),
        ("up-refused", up_refused()),
        ("verify-ok", verify_ok()),
        ("verify-disagreeing", verify_disagreeing()),
        ("verify-watched", verify_watched()),
        ("chaos-survived", chaos_survived()),
        ("chaos-failed", chaos_failed()),
        ("experiment-survived", survived()),
        ("restored", restored()),
        ("diff", diff()),
        ("down", down()),
        ("rollout-status", rollout_status()),
        ("rollout-history", steering::history()),
        ("rollout-undo", steering::undo()),
        ("logs", logs()),
    ]
}
