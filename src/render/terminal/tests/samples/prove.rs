//! Runs of `verify` and `chaos`.

use std::collections::BTreeMap;

use super::{
    KEYS, OTHER_KEYS, at, finished, pod, pod_object, started, stateful_set, write_started, written,
};
use crate::action::Action;
use crate::diagnose::{Cause, Diagnosis, Evidence, Finality};
use crate::event::{Event, EventKind};
use crate::exit::ExitStatus;
use crate::fault::Fault;
use crate::report::{
    ChaosReport, Endpoint, Experiment, ExperimentSettings, FaultRecord, Observed, Prober, Problem,
    RecoveryPhase, ReplicaAnswer, Report, Transport, VerifyReport,
};

pub(super) fn endpoint() -> Endpoint {
    Endpoint {
        port: 80,
        path: "/keys".into(),
    }
}

pub(crate) fn answer(ordinal: i32, sha256: &str) -> ReplicaAnswer {
    ReplicaAnswer {
        pod: format!("cryptoserver-{ordinal}"),
        ordinal,
        uid: Some(format!("uid-{ordinal}")),
        node: Some("worker".into()),
        endpoint: endpoint(),
        status: Some(200),
        sha256: Some(sha256.into()),
        compared_sha256: None,
        bytes: Some(27),
        content_type: Some("text/plain".into()),
        content_encoding: None,
        latency_ms: Some(12),
        transport: Transport::PortForward,
        repeats: 0,
        error: None,
    }
}

pub(crate) fn no_answer(ordinal: i32, error: Problem) -> ReplicaAnswer {
    let status = match error {
        Problem::WrongStatus { status, .. } => Some(status),
        _ => None,
    };
    ReplicaAnswer {
        status,
        sha256: None,
        bytes: None,
        content_type: None,
        content_encoding: None,
        latency_ms: None,
        error: Some(error),
        ..answer(ordinal, KEYS)
    }
}

pub(super) fn verification(
    elapsed_ms: u64,
    answers: &[ReplicaAnswer],
) -> (Vec<Event>, VerifyReport) {
    let mut events = vec![at(
        elapsed_ms,
        EventKind::Verifying {
            object: stateful_set(),
            endpoints: vec![endpoint()],
            may_differ: Vec::new(),
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
        vec![endpoint()],
        answers.to_vec(),
        Vec::new(),
    );
    (events, report)
}

pub(crate) fn verify(answers: &[ReplicaAnswer]) -> Vec<Event> {
    let (mut events, report) = verification(10, answers);
    events.insert(0, started("verify"));
    events.push(finished(
        31,
        report.outcome().into(),
        Some(Report::Verify(report)),
    ));
    events
}

pub(crate) fn verify_ok() -> Vec<Event> {
    verify(&[answer(1, KEYS), answer(0, KEYS)])
}

fn wrong_status(status: u16) -> Problem {
    Problem::WrongStatus {
        status,
        expected: 200,
        location: None,
        may_want_tls: false,
    }
}

pub(crate) fn verify_disagreeing() -> Vec<Event> {
    verify(&[
        answer(0, KEYS),
        answer(1, OTHER_KEYS),
        no_answer(2, wrong_status(500)),
        no_answer(3, Problem::NoAnswer { after_ms: 10_000 }),
        no_answer(
            4,
            Problem::NotRunning {
                state: "CrashLoopBackOff".into(),
            },
        ),
    ])
}

/// A repeated verification: the second round differs from the first.
pub(crate) fn verify_watched() -> Vec<Event> {
    let (mut events, first) = verification(10, &[answer(0, KEYS), answer(1, KEYS)]);
    let (later, second) = verification(5_010, &[answer(0, KEYS), answer(1, OTHER_KEYS)]);
    let round = |number, report: &VerifyReport| EventKind::Round {
        number,
        verdict: report.verdict,
        summary: report.summary.clone(),
    };
    events.insert(0, started("verify"));
    events.push(at(31, round(1, &first)));
    events.extend(later);
    events.push(at(5_031, round(2, &second)));
    events.push(finished(
        10_000,
        second.outcome().into(),
        Some(Report::Verify(second)),
    ));
    events
}

fn recovery() -> Vec<Event> {
    let old = |status| pod(0, "old", 1, status, -522_000);
    let new = |ready, status| pod(0, "new", ready, status, 1_300);
    let phase = |phase, after_ms| EventKind::Phase {
        number: 1,
        pod: "cryptoserver-0".into(),
        phase,
        after_ms,
    };
    vec![
        at(
            99,
            EventKind::Fault {
                number: 1,
                fault: Fault::Delete,
                pods: vec!["cryptoserver-0".into()],
            },
        ),
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

fn record(phases: &[(RecoveryPhase, u64)]) -> FaultRecord {
    FaultRecord {
        number: 1,
        fault: Fault::Delete,
        pod: "cryptoserver-0".into(),
        at_ms: 100,
        uid_before: "old".into(),
        uid_after: Some("new".into()),
        restarts_before: 0,
        restarts_after: Some(0),
        proof: Some("a new UID, and a start 2 s later".into()),
        refused: None,
        phases: phases.iter().copied().collect::<BTreeMap<_, _>>(),
        outage_ms: Some(4_700),
        wrong_answers: 0,
    }
}

fn observed(
    before: VerifyReport,
    faults: Vec<FaultRecord>,
    after: Option<VerifyReport>,
    cause: Option<Diagnosis>,
) -> ChaosReport {
    let experiment = Experiment {
        settings: ExperimentSettings {
            fault: Some(Fault::Delete),
            probe_interval_ms: 100,
            ..ExperimentSettings::default()
        },
        repeat: 1,
        pods: vec!["cryptoserver-0".into()],
        container: None,
        beside: Vec::new(),
        endpoints: vec![endpoint()],
    };
    ChaosReport::new(Observed {
        faults,
        after,
        cause,
        prober: Prober {
            interval_ms: 100,
            largest_gap_ms: 104,
        },
        ..Observed::new(experiment, before)
    })
}

pub(crate) fn chaos_survived() -> Vec<Event> {
    let (before, before_report) = verification(10, &[answer(0, KEYS), answer(1, KEYS)]);
    let (after, after_report) = verification(5_100, &[answer(0, KEYS), answer(1, KEYS)]);
    let ready = EventKind::PodChanged {
        pod: pod(0, "new", 1, "Running", 1_300),
    };
    let phase = EventKind::Phase {
        number: 1,
        pod: "cryptoserver-0".into(),
        phase: RecoveryPhase::Ready,
        after_ms: 4_912,
    };
    let faults = vec![record(&[
        (RecoveryPhase::Gone, 1_180),
        (RecoveryPhase::Ready, 4_912),
        (RecoveryPhase::AllEqual, 4_912),
    ])];
    let report = observed(before_report, faults, Some(after_report), None);
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

pub(crate) fn chaos_failed() -> Vec<Event> {
    let (before, before_report) = verification(10, &[answer(0, KEYS), answer(1, KEYS)]);
    let mut crashing = pod(0, "new", 0, "CrashLoopBackOff", 1_300);
    crashing.restarts = 2;
    let cause = Diagnosis {
        cause: Cause::CrashLoop,
        object: pod_object(),
        container: Some("api".into()),
        message: "the container keeps ending, last with exit code 134".into(),
        evidence: [
            "Unhandled exception. System.InvalidOperationException: Keys file /srv/data/keys.txt already exists and create param was passed",
            "   at Program.Main(String[] args)",
        ]
        .map(|line| Evidence::log(&pod_object(), "api", line.into()))
        .to_vec(),
        next: vec!["kubectl logs pod/cryptoserver-0 -n logaiter --previous".into()],
        finality: Finality::Final,
    };
    let faults = vec![record(&[(RecoveryPhase::Gone, 1_180)])];
    let report = observed(before_report, faults, None, Some(cause));
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
