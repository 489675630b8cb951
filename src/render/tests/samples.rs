//! Recorded runs, as a real cluster gives them.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use crate::diagnose::{Cause, Diagnosis};
use crate::event::{
    Action, Conclusion, ErrorText, Event, EventKind, PlannedStep, RecoveryPhase, RunDescription,
    WriteResult,
};
use crate::exit::{ExitStatus, Outcome};
use crate::object::ObjectRef;
use crate::report::{
    Applied, ChaosReport, DiffReport, DownReport, Kept, Kill, ObjectDiff, Problem, ReplicaAnswer,
    Report, RolloutReport, UpReport, VerifyReport, Via, Waited,
};
use crate::status::{PodSummary, ReplicaProgress, RolloutProgress, RolloutState, State, Status};

const NAMESPACE: Option<&str> = Some("logaiter");
const KEYS: &str = "1f8b8c3e0d2a4b6f7c9d0e1f2a3b4c5d6e7f8091a2b3c4d5e6f708192a3b4c5d";
const OTHER_KEYS: &str = "9c4e21ab77d0f3e58a6b1c2d3e4f5061728394a5b6c7d8e9f00112233445566a";

/// An event so many milliseconds after the beginning.
pub(super) fn at(elapsed_ms: u64, kind: EventKind) -> Event {
    let beginning: Timestamp = "2026-11-23T10:00:00Z".parse().unwrap();
    let elapsed = SignedDuration::from_millis(i64::try_from(elapsed_ms).unwrap());
    Event {
        time: beginning + elapsed,
        elapsed_ms,
        kind,
    }
}

pub(super) fn started(command: &str) -> Event {
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

pub(super) fn finished(elapsed_ms: u64, status: ExitStatus, report: Option<Report>) -> Event {
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

pub(super) fn stateful_set() -> ObjectRef {
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
        .map(|(object, action)| PlannedStep { object, action })
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

/// A pod, created so many milliseconds after the beginning.
pub(super) fn pod(
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

pub(super) fn replica(ordinal: i32, pod: Option<PodSummary>, ready: bool) -> ReplicaProgress {
    ReplicaProgress {
        ordinal,
        revision: pod.as_ref().map(|_| "68d8b8b6bb".to_owned()),
        up_to_date: pod.is_some(),
        pod,
        ready,
    }
}

pub(super) fn progress(replicas: Vec<ReplicaProgress>, state: RolloutState) -> RolloutProgress {
    RolloutProgress {
        revision: Some("cryptoserver-68d8b8b6bb".into()),
        desired: i32::try_from(replicas.len()).unwrap(),
        ready: i32::try_from(replicas.iter().filter(|replica| replica.ready).count()).unwrap(),
        replicas,
        state,
    }
}

pub(super) fn rollout(progress: &RolloutProgress) -> EventKind {
    EventKind::Rollout {
        object: stateful_set(),
        progress: progress.clone(),
    }
}

pub(super) fn waits(message: &str) -> RolloutState {
    RolloutState::Progressing {
        message: message.into(),
        suspicion: None,
    }
}

fn up_plan() -> Vec<(ObjectRef, Action)> {
    vec![
        (namespace(), Action::Create),
        (claim(), Action::Create),
        (service(), Action::Create),
        (budget(), Action::Keep),
        (stateful_set(), Action::Create),
    ]
}

pub(super) fn up() -> Vec<Event> {
    let ready = |ordinal| replica(ordinal, Some(pod(ordinal, "u", 1, "Running", 300)), true);
    let on_its_way =
        |ordinal, status| replica(ordinal, Some(pod(ordinal, "u", 0, status, 300)), false);
    let absent = |ordinal| replica(ordinal, None, false);
    let complete = progress(vec![ready(0), ready(1)], RolloutState::Complete);
    let bound = Status {
        state: State::Ready,
        message: "Bound".into(),
    };
    let pending = Status {
        state: State::InProgress,
        message: "Pending: waits for its first pod".into(),
    };
    let report = UpReport {
        objects: up_plan()
            .into_iter()
            .map(|(object, action)| Applied { object, action })
            .collect(),
        rollouts: vec![RolloutReport {
            object: stateful_set(),
            progress: complete.clone(),
            duration_ms: 6_300,
        }],
        waited: vec![Waited {
            object: claim(),
            status: bound.clone(),
        }],
        dry_run: false,
    };
    let mut events = vec![started("up"), at(20, planned(up_plan()))];
    for (index, (object, action)) in (0..).zip(up_plan()) {
        if action != Action::Keep {
            events.push(at(30 + index * 10, write_started(object.clone(), action)));
            events.push(at(35 + index * 10, written(object, action)));
        }
    }
    let steps = [
        (
            100,
            vec![absent(0), absent(1)],
            waits("its controller has not seen it yet"),
        ),
        (
            310,
            vec![on_its_way(0, "Pending"), absent(1)],
            waits("replica 0 is not Ready (Pending)"),
        ),
        (
            1_200,
            vec![on_its_way(0, "Init:0/1"), absent(1)],
            waits("replica 0 is not Ready (Init:0/1)"),
        ),
        (
            3_100,
            vec![on_its_way(0, "Running"), absent(1)],
            waits("replica 0 is not Ready (Running)"),
        ),
        (
            4_000,
            vec![ready(0), on_its_way(1, "Pending")],
            waits("replica 1 is not Ready (Pending)"),
        ),
        (
            5_000,
            vec![ready(0), on_its_way(1, "Running")],
            waits("replica 1 is not Ready (Running)"),
        ),
    ];
    events.push(at(
        90,
        EventKind::Waiting {
            object: claim(),
            status: pending,
        },
    ));
    for (elapsed, replicas, state) in steps {
        events.push(at(elapsed, rollout(&progress(replicas, state))));
    }
    events.push(at(
        1_300,
        EventKind::Waiting {
            object: claim(),
            status: bound,
        },
    ));
    events.push(at(6_300, rollout(&complete)));
    events.push(finished(
        6_310,
        ExitStatus::Success,
        Some(Report::Up(report)),
    ));
    events.sort_by_key(|event| event.elapsed_ms);
    events
}

pub(super) fn up_with_bad_image() -> Vec<Event> {
    let broken = || replica(1, Some(pod(1, "u", 0, "ImagePullBackOff", 300)), false);
    let ready = || replica(0, Some(pod(0, "v", 1, "Running", -900_000)), true);
    let cause = Diagnosis {
        cause: Cause::ImagePull,
        object: ObjectRef::new("", "Pod", NAMESPACE, "cryptoserver-1"),
        container: Some("api".into()),
        message: "the image `quay.io/k8sexercices/fileserver:v9` cannot be pulled".into(),
        evidence: vec![
            "failed to resolve reference: not found\nsecond line\u{1b}[31m in red".into(),
        ],
        next: vec!["kubectl describe pod/cryptoserver-1 -n logaiter".into()],
        is_final: true,
    };
    let suspicion = Diagnosis {
        is_final: false,
        ..cause.clone()
    };
    let first = RolloutState::Progressing {
        message: "replica 1 is not Ready (ErrImagePull)".into(),
        suspicion: Some(suspicion),
    };
    let pulling = replica(1, Some(pod(1, "u", 0, "ErrImagePull", 300)), false);
    let failed = progress(vec![ready(), broken()], RolloutState::Failed { cause });
    let report = UpReport {
        objects: vec![Applied {
            object: stateful_set(),
            action: Action::Change,
        }],
        rollouts: vec![RolloutReport {
            object: stateful_set(),
            progress: failed.clone(),
            duration_ms: 3_000,
        }],
        waited: Vec::new(),
        dry_run: false,
    };
    vec![
        started("up"),
        at(20, planned(vec![(stateful_set(), Action::Change)])),
        at(25, write_started(stateful_set(), Action::Change)),
        at(30, written(stateful_set(), Action::Change)),
        at(900, rollout(&progress(vec![ready(), pulling], first))),
        at(3_000, rollout(&failed)),
        finished(3_010, ExitStatus::Unhealthy, Some(Report::Up(report))),
    ]
}

pub(super) fn up_interrupted() -> Vec<Event> {
    let broken_off = WriteResult::Unknown {
        reason: "interrupted before the answer came".into(),
    };
    vec![
        started("up"),
        at(20, planned(up_plan())),
        at(30, write_started(namespace(), Action::Create)),
        at(40, written(namespace(), Action::Create)),
        at(41, write_started(claim(), Action::Create)),
        at(
            60,
            EventKind::WriteFinished {
                object: claim(),
                action: Action::Create,
                result: broken_off,
            },
        ),
        finished(70, ExitStatus::Interrupted, None),
    ]
}

pub(super) fn up_refused() -> Vec<Event> {
    let mut last = finished(60, ExitStatus::Failed, None);
    if let EventKind::Finished(conclusion) = &mut last.kind {
        conclusion.error = Some(ErrorText {
            message: "failed to apply `statefulset/cryptoserver` in namespace `logaiter`".into(),
            causes: vec![
                "field `.spec.replicas` is owned by `kubectl-edit` (live 3, ours 2)".into(),
            ],
            hints: vec!["keep theirs with `--yield .spec.replicas`, or take it with `--take .spec.replicas`".into()],
        });
    }
    let refused = WriteResult::Refused {
        reason: "conflict with `kubectl-edit`".into(),
    };
    vec![
        started("up"),
        at(
            20,
            planned(vec![
                (service(), Action::Change),
                (stateful_set(), Action::Change),
            ]),
        ),
        at(25, write_started(service(), Action::Change)),
        at(30, written(service(), Action::Change)),
        at(35, write_started(stateful_set(), Action::Change)),
        at(
            50,
            EventKind::WriteFinished {
                object: stateful_set(),
                action: Action::Change,
                result: refused,
            },
        ),
        last,
    ]
}

pub(super) fn answer(ordinal: i32, sha256: &str) -> ReplicaAnswer {
    ReplicaAnswer {
        pod: format!("cryptoserver-{ordinal}"),
        ordinal,
        uid: Some(format!("uid-{ordinal}")),
        node: Some("worker".into()),
        status: Some(200),
        sha256: Some(sha256.into()),
        bytes: Some(27),
        content_type: Some("text/plain".into()),
        latency_ms: Some(12),
        via: Via::PortForward,
        repeats: 0,
        error: None,
    }
}

pub(super) fn no_answer(ordinal: i32, error: Problem) -> ReplicaAnswer {
    let status = match error {
        Problem::WrongStatus { status } => Some(status),
        _ => None,
    };
    ReplicaAnswer {
        status,
        sha256: None,
        bytes: None,
        content_type: None,
        latency_ms: None,
        error: Some(error),
        ..answer(ordinal, KEYS)
    }
}

fn verification(elapsed_ms: u64, answers: &[ReplicaAnswer]) -> (Vec<Event>, VerifyReport) {
    let mut events = vec![at(
        elapsed_ms,
        EventKind::Verifying {
            object: stateful_set(),
            port: 80,
            path: "/keys".into(),
            replicas: u32::try_from(answers.len()).unwrap(),
        },
    )];
    for (index, answer) in (1..).zip(answers) {
        let kind = EventKind::Answered {
            object: stateful_set(),
            answer: answer.clone(),
        };
        events.push(at(elapsed_ms + index, kind));
    }
    let report = VerifyReport::new(
        stateful_set(),
        80,
        "/keys".into(),
        answers.to_vec(),
        Vec::new(),
    );
    (events, report)
}

pub(super) fn verify(answers: &[ReplicaAnswer]) -> Vec<Event> {
    let (mut events, report) = verification(10, answers);
    events.insert(0, started("verify"));
    events.push(finished(
        31,
        report.outcome().into(),
        Some(Report::Verify(report)),
    ));
    events
}

pub(super) fn verify_ok() -> Vec<Event> {
    verify(&[answer(1, KEYS), answer(0, KEYS)])
}

pub(super) fn verify_disagreeing() -> Vec<Event> {
    verify(&[
        answer(0, KEYS),
        answer(1, OTHER_KEYS),
        no_answer(2, Problem::WrongStatus { status: 500 }),
        no_answer(3, Problem::NoAnswer { after_ms: 10_000 }),
        no_answer(
            4,
            Problem::NotRunning {
                state: "CrashLoopBackOff".into(),
            },
        ),
    ])
}

fn recovery() -> Vec<Event> {
    let old = |status| pod(0, "old", 1, status, -522_000);
    let new = |ready, status| pod(0, "new", ready, status, 1_300);
    let phase = |phase, after_ms| EventKind::Phase {
        pod: "cryptoserver-0".into(),
        phase,
        after_ms,
    };
    vec![
        at(100, write_started(pod_object(), Action::Delete)),
        at(110, written(pod_object(), Action::Delete)),
        at(
            115,
            EventKind::PodChanged {
                pod: old("Terminating"),
            },
        ),
        at(116, phase(RecoveryPhase::Terminating, 6)),
        at(1_290, phase(RecoveryPhase::Gone, 1_180)),
        at(
            1_310,
            EventKind::PodChanged {
                pod: new(0, "Pending"),
            },
        ),
        at(1_311, phase(RecoveryPhase::Replaced, 1_201)),
        at(
            1_320,
            EventKind::PodChanged {
                pod: new(0, "Init:0/1"),
            },
        ),
        at(1_321, phase(RecoveryPhase::Scheduled, 1_211)),
        at(
            3_010,
            EventKind::PodChanged {
                pod: new(0, "Running"),
            },
        ),
        at(3_011, phase(RecoveryPhase::Started, 2_901)),
    ]
}

fn kill(phases: &[(RecoveryPhase, u64)]) -> Kill {
    Kill {
        fault: "delete".into(),
        pod: "cryptoserver-0".into(),
        uid_before: "old".into(),
        uid_after: Some("new".into()),
        phases: phases.iter().copied().collect::<BTreeMap<_, _>>(),
    }
}

pub(super) fn chaos_survived() -> Vec<Event> {
    let (before, before_report) = verification(10, &[answer(0, KEYS), answer(1, KEYS)]);
    let (after, after_report) = verification(5_100, &[answer(0, KEYS), answer(1, KEYS)]);
    let ready = EventKind::PodChanged {
        pod: pod(0, "new", 1, "Running", 1_300),
    };
    let phase = EventKind::Phase {
        pod: "cryptoserver-0".into(),
        phase: RecoveryPhase::Ready,
        after_ms: 4_912,
    };
    let kills = vec![kill(&[
        (RecoveryPhase::Gone, 1_180),
        (RecoveryPhase::Ready, 4_912),
    ])];
    let report = ChaosReport::new(before_report, kills, Some(after_report), None);
    let mut events = vec![started("chaos")];
    events.extend(before);
    events.extend(recovery());
    events.extend([at(5_021, ready), at(5_022, phase)]);
    events.extend(after);
    events.push(finished(
        5_200,
        ExitStatus::Success,
        Some(Report::Chaos(Box::new(report))),
    ));
    events
}

pub(super) fn chaos_failed() -> Vec<Event> {
    let (before, before_report) = verification(10, &[answer(0, KEYS), answer(1, KEYS)]);
    let mut crashing = pod(0, "new", 0, "CrashLoopBackOff", 1_300);
    crashing.restarts = 2;
    let cause = Diagnosis {
        cause: Cause::CrashLoop,
        object: pod_object(),
        container: Some("api".into()),
        message: "the container keeps ending, last with exit code 134".into(),
        evidence: vec![
            "Unhandled exception. System.InvalidOperationException: Keys file /srv/data/keys.txt already exists and create param was passed".into(),
            "   at Program.Main(String[] args)".into(),
        ],
        next: vec!["kubectl logs pod/cryptoserver-0 -n logaiter --previous".into()],
        is_final: true,
    };
    let kills = vec![kill(&[(RecoveryPhase::Gone, 1_180)])];
    let report = ChaosReport::new(before_report, kills, None, Some(cause));
    let mut events = vec![started("chaos")];
    events.extend(before);
    events.extend(recovery());
    events.push(at(21_000, EventKind::PodChanged { pod: crashing }));
    events.push(finished(
        21_010,
        ExitStatus::Unhealthy,
        Some(Report::Chaos(Box::new(report))),
    ));
    events
}

pub(super) fn diff() -> Vec<Event> {
    let patch = "--- live/logaiter/statefulset/cryptoserver\n+++ planned/logaiter/statefulset/cryptoserver\n@@ -10,3 +10,3 @@\n spec:\n-  replicas: 3\n+  replicas: 2\n   serviceName: cryptoserver\n";
    let object = |object, action, patch: &str| ObjectDiff {
        object,
        action,
        patch: patch.into(),
    };
    let report = DiffReport {
        objects: vec![
            object(claim(), Action::Keep, ""),
            object(stateful_set(), Action::Change, patch),
        ],
    };
    vec![
        started("diff"),
        finished(61, ExitStatus::Different, Some(Report::Diff(report))),
    ]
}

pub(super) fn down() -> Vec<Event> {
    let plan = || {
        vec![
            (stateful_set(), Action::Delete),
            (service(), Action::Delete),
        ]
    };
    let report = DownReport {
        deleted: vec![stateful_set(), service()],
        remaining: Vec::new(),
        absent: vec![budget()],
        kept: vec![Kept {
            object: claim(),
            reason: "it holds the data; `--delete-data` deletes it".into(),
        }],
    };
    let mut events = vec![started("down"), at(20, planned(plan()))];
    for (object, action) in plan() {
        events.push(at(25, write_started(object.clone(), action)));
        events.push(at(30, written(object, action)));
    }
    events.push(finished(
        1_900,
        ExitStatus::Success,
        Some(Report::Down(report)),
    ));
    events
}

pub(super) fn rollout_status() -> Vec<Event> {
    let ready = |ordinal| {
        replica(
            ordinal,
            Some(pod(ordinal, "u", 1, "Running", -522_000)),
            true,
        )
    };
    let stuck = ReplicaProgress {
        revision: Some("5b6c7d8e9f".into()),
        up_to_date: false,
        ..replica(1, Some(pod(1, "v", 0, "ContainerCreating", -30_000)), false)
    };
    let state = progress(
        vec![ready(0), stuck],
        waits("replica 1 still has its old revision (ContainerCreating)"),
    );
    let report = RolloutReport {
        object: stateful_set(),
        progress: state.clone(),
        duration_ms: 300_000,
    };
    vec![
        started("rollout status"),
        at(20, rollout(&state)),
        at(
            9_000,
            EventKind::ServerSilent {
                reason: "connection refused".into(),
            },
        ),
        at(
            21_300,
            EventKind::ServerAnswers {
                silent_for_ms: 12_300,
            },
        ),
        finished(
            300_020,
            ExitStatus::Undecided,
            Some(Report::Rollout(report)),
        ),
    ]
}

pub(super) fn logs() -> Vec<Event> {
    let line = |ordinal: i32, container: &str, line: &str| EventKind::LogLine {
        pod: format!("cryptoserver-{ordinal}"),
        ordinal,
        container: container.into(),
        line: line.into(),
    };
    let report = Report::Logs {
        pods: vec!["cryptoserver-0".into()],
        unread: vec!["cryptoserver-1: container `api` waits to start".into()],
    };
    vec![
        started("logs"),
        at(12, line(0, "api", "Starting API Host.")),
        at(13, line(0, "api", "\u{1b}]0;owned\u{7}::error::not mine\r")),
        at(14, line(0, "sidecar", "hello")),
        at(
            15,
            EventKind::Warning {
                message: "the log of `cryptoserver-1` begins in the middle".into(),
            },
        ),
        finished(40, Outcome::Undecided.into(), Some(report)),
    ]
}

/// Every run, by name.
pub(super) fn all() -> Vec<(&'static str, Vec<Event>)> {
    vec![
        ("up", up()),
        ("up-with-bad-image", up_with_bad_image()),
        ("up-interrupted", up_interrupted()),
        ("up-refused", up_refused()),
        ("verify-ok", verify_ok()),
        ("verify-disagreeing", verify_disagreeing()),
        ("chaos-survived", chaos_survived()),
        ("chaos-failed", chaos_failed()),
        ("diff", diff()),
        ("down", down()),
        ("rollout-status", rollout_status()),
        ("logs", logs()),
    ]
}
