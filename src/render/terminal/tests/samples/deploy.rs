//! Runs of `up` and `rollout status`.

use super::{
    NAMESPACE, at, budget, claim, finished, namespace, planned, pod, progress, replica, rollout,
    service, started, stateful_set, waits, write_started, written,
};
use crate::action::Action;
use crate::diagnose::{Cause, Diagnosis, Evidence, Finality};
use crate::event::{ErrorText, Event, EventKind, WriteResult};
use crate::exit::ExitStatus;
use crate::object::ObjectRef;
use crate::report::{Applied, Report, RolloutReport, UpReport, Waited};
use crate::rollout::{ReplicaProgress, RolloutState};
use crate::status::{State, Status};

fn up_plan() -> Vec<(ObjectRef, Action)> {
    vec![
        (namespace(), Action::Create),
        (claim(), Action::Create),
        (service(), Action::Create),
        (budget(), Action::Keep),
        (stateful_set(), Action::Create),
    ]
}

pub(crate) fn up() -> Vec<Event> {
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
        saved: None,
        unstuck: Vec::new(),
        rolled_back: Vec::new(),
        removed: None,
        pruned: None,
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

pub(crate) fn up_with_bad_image() -> Vec<Event> {
    let broken = || replica(1, Some(pod(1, "u", 0, "ImagePullBackOff", 300)), false);
    let ready = || replica(0, Some(pod(0, "v", 1, "Running", -900_000)), true);
    let cause = Diagnosis {
        cause: Cause::ImageNotFound,
        object: ObjectRef::new("", "Pod", NAMESPACE, "cryptoserver-1"),
        container: Some("api".into()),
        message: "the image `quay.io/k8sexercices/fileserver:v9` cannot be pulled".into(),
        evidence: vec![Evidence::field(
            &ObjectRef::new("", "Pod", NAMESPACE, "cryptoserver-1"),
            ".status.containerStatuses[api].state.waiting",
            "failed to resolve reference: not found\nsecond line\u{1b}[31m in red",
        )],
        next: vec!["kubectl describe pod/cryptoserver-1 -n logaiter".into()],
        finality: Finality::Final,
    };
    let suspicion = Diagnosis {
        finality: Finality::Open,
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
        saved: None,
        unstuck: Vec::new(),
        rolled_back: Vec::new(),
        removed: None,
        pruned: None,
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

pub(crate) fn up_interrupted() -> Vec<Event> {
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

pub(crate) fn up_refused() -> Vec<Event> {
    let mut last = finished(60, ExitStatus::Failed, None);
    if let EventKind::Finished(conclusion) = &mut last.kind {
        conclusion.error = Some(ErrorText {
            message: "failed to apply `statefulset/cryptoserver` in namespace `logaiter`".into(),
            causes: vec![
                "field `.spec.replicas` is owned by `kubectl-edit` (live 3, ours 2)".into(),
            ],
            hints: vec!["keep the live value with `--replicas 3`".into()],
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

pub(crate) fn rollout_status() -> Vec<Event> {
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
            EventKind::ServerUnresponsive {
                reason: "connection refused".into(),
            },
        ),
        at(
            21_300,
            EventKind::ServerAnswers {
                unresponsive_for_ms: 12_300,
            },
        ),
        finished(
            300_020,
            ExitStatus::Undecided,
            Some(Report::Rollout(report)),
        ),
    ]
}
