use super::*;
use crate::diagnose::{Cause, Finality};
use crate::fault::Fault;
use crate::report::{Endpoint, ReplicaAnswer, Transport};

fn endpoint() -> Endpoint {
    Endpoint {
        port: 80,
        path: "/".into(),
    }
}

fn verified(body: &str, verdict: Outcome) -> VerifyReport {
    let answer = ReplicaAnswer {
        pod: "web-0".into(),
        ordinal: 0,
        uid: None,
        node: None,
        endpoint: endpoint(),
        status: Some(200),
        sha256: (verdict == Outcome::Success).then(|| body.repeat(64)),
        compared_sha256: None,
        bytes: Some(1),
        content_type: None,
        content_encoding: None,
        latency_ms: None,
        transport: Transport::PortForward,
        repeats: 0,
        error: None,
    };
    let object = ObjectRef::new("apps", "StatefulSet", Some("n"), "web");
    VerifyReport::new(object, vec![endpoint()], vec![answer], Vec::new())
}

fn experiment() -> Experiment {
    Experiment {
        settings: ExperimentSettings {
            fault: Some(Fault::Delete),
            probe_interval_ms: 100,
            ..ExperimentSettings::default()
        },
        repeat: 1,
        pods: vec!["web-0".into()],
        container: None,
        beside: Vec::new(),
        endpoints: vec![endpoint()],
    }
}

fn record(proof: Option<&str>) -> FaultRecord {
    FaultRecord {
        number: 1,
        fault: Fault::Delete,
        pod: "web-0".into(),
        at_ms: 100,
        uid_before: "old".into(),
        uid_after: proof.map(|_| "new".to_owned()),
        restarts_before: 0,
        restarts_after: None,
        proof: proof.map(str::to_owned),
        refused: None,
        phases: BTreeMap::from([(RecoveryPhase::AllEqual, 5_000)]),
        outage_ms: Some(4_000),
        wrong_answers: 0,
    }
}

fn cause(finality: Finality) -> Diagnosis {
    Diagnosis {
        cause: Cause::CrashLoop,
        object: ObjectRef::new("", "Pod", Some("n"), "web-0"),
        container: None,
        message: "keeps ending".into(),
        evidence: Vec::new(),
        next: Vec::new(),
        finality,
    }
}

/// A fault that was survived.
fn survived() -> Observed {
    Observed {
        faults: vec![record(Some("a new UID"))],
        after: Some(verified("a", Outcome::Success)),
        availability: Availability {
            replicas: vec![ReplicaAvailability {
                pod: "web-0".into(),
                probes: ProbeCounts {
                    right: 60,
                    silent: 40,
                    ..ProbeCounts::default()
                },
                share: Some(0.6),
                longest_outage_ms: 4_000,
                open_outage_ms: None,
                unknown_ms: 0,
            }],
            ..Availability::default()
        },
        prober: Prober {
            interval_ms: 100,
            largest_gap_ms: 110,
        },
        ..Observed::new(experiment(), verified("a", Outcome::Success))
    }
}

#[track_caller]
fn expect(observed: Observed, verdict: ChaosVerdict, words: &str) {
    let report = ChaosReport::new(observed);
    assert_eq!(report.verdict, verdict, "{report:?}");
    assert!(
        report.reasons.iter().any(|reason| reason.contains(words)),
        "`{words}` is not in {:?}",
        report.reasons
    );
    let is_good = matches!(verdict, ChaosVerdict::Survived | ChaosVerdict::Undisturbed);
    assert_eq!(report.outcome() == Outcome::Success, is_good);
}

/// A change to what was seen, the verdict, and words of its reasons.
type Row = (fn(&mut Observed), ChaosVerdict, &'static str);

#[test]
fn survival_needs_the_fault_the_recovery_and_the_same_data() {
    use ChaosVerdict::{Failed, Inconclusive, Refused, Survived};
    expect(survived(), Survived, "same data as before");
    let with = |change: fn(&mut Observed)| {
        let mut observed = survived();
        change(&mut observed);
        observed
    };
    let table: [Row; 13] = [
        (
            |it| it.faults = vec![record(None)],
            Inconclusive,
            "never seen with a new UID",
        ),
        (
            |it| {
                it.faults[0].proof = None;
                it.faults[0].phases.insert(RecoveryPhase::Started, 900);
            },
            Inconclusive,
            "never restarted",
        ),
        (
            |it| it.faults[0].proof = None,
            Inconclusive,
            "have not started",
        ),
        (|it| it.after = None, Inconclusive, "did not recover"),
        (
            |it| it.after = Some(verified("a", Outcome::Undecided)),
            Inconclusive,
            "after the recovery",
        ),
        (
            |it| it.after = Some(verified("b", Outcome::Success)),
            Failed,
            "different data",
        ),
        (
            |it| it.cause = Some(cause(Finality::Final)),
            Failed,
            "keeps ending",
        ),
        (
            |it| {
                it.cause = Some(cause(Finality::Open));
                it.after = None;
            },
            Inconclusive,
            "keeps ending",
        ),
        (
            |it| {
                it.before = verified("a", Outcome::Undecided);
                it.faults.clear();
            },
            Refused,
            "nothing was broken",
        ),
        (
            |it| it.faults[0].refused = Some("the budget forbids it".into()),
            Inconclusive,
            "the budget forbids it",
        ),
        (|it| it.experiment.repeat = 3, Inconclusive, "1 of 3 faults"),
        (
            |it| it.not_restored.push("the node is still cordoned".into()),
            Inconclusive,
            "still cordoned",
        ),
        (
            |it| it.failures.push("`web-1` gave a wrong answer".into()),
            Failed,
            "wrong answer",
        ),
    ];
    for (change, verdict, words) in table {
        expect(with(change), verdict, words);
    }
}

#[test]
fn other_data_is_lost_data_even_when_nothing_else_is_proven() {
    let mut observed = survived();
    observed.faults = vec![record(None)];
    observed.after = Some(verified("b", Outcome::Success));
    expect(observed, ChaosVerdict::Failed, "different data");
}

#[test]
fn a_budget_is_kept_exceeded_or_not_decided() {
    let table = [
        (4_000, ChaosVerdict::Survived, "same data"),
        (3_900, ChaosVerdict::Inconclusive, "within the uncertainty"),
        (
            3_000,
            ChaosVerdict::Failed,
            "4 s; `--max-outage` allows 3 s",
        ),
    ];
    for (budget, verdict, words) in table {
        let mut observed = survived();
        observed.experiment.settings.max_outage_ms = Some(budget);
        expect(observed, verdict, words);
    }
    for (budget, verdict, words) in [
        (5_000, ChaosVerdict::Survived, "same data"),
        (4_999, ChaosVerdict::Inconclusive, "within the uncertainty"),
        (
            4_700,
            ChaosVerdict::Failed,
            "5 s; `--max-recovery` allows 4.7 s",
        ),
    ] {
        let mut observed = survived();
        observed.experiment.settings.max_recovery_ms = Some(budget);
        expect(observed, verdict, words);
    }
}

#[test]
fn an_outage_that_was_not_over_keeps_no_budget() {
    let mut observed = survived();
    observed.experiment.settings.max_outage_ms = Some(30_000);
    observed.availability.replicas[0].open_outage_ms = Some(4_000);
    expect(
        observed,
        ChaosVerdict::Inconclusive,
        "gave no right answer for at least 4 s, until the run ended; the `--max-outage` of",
    );
}

#[test]
fn a_claim_that_rests_on_a_gap_is_no_claim() {
    let mut observed = survived();
    observed.experiment.settings.max_outage_ms = Some(4_500);
    observed.prober.largest_gap_ms = 6_000;
    expect(
        observed.clone(),
        ChaosVerdict::Inconclusive,
        "not probed for 6 s",
    );
    // An outage that was seen is named beside the gap, whichever of them a busy machine makes longer.
    observed.experiment.settings.max_outage_ms = Some(500);
    expect(
        observed.clone(),
        ChaosVerdict::Inconclusive,
        "`--max-outage` allows 500 ms, but the excess is within the uncertainty",
    );
    expect(
        observed,
        ChaosVerdict::Inconclusive,
        "a replica was not probed for 6 s, so an outage of more than 500 ms may have been missed",
    );
}

#[test]
fn a_control_run_shows_noise_and_never_survival() {
    let mut observed = survived();
    observed.experiment.settings.fault = None;
    observed.experiment.repeat = 0;
    observed.faults.clear();
    expect(
        observed.clone(),
        ChaosVerdict::Failed,
        "missed 40 of 100 probes",
    );
    observed.availability.replicas[0].probes.silent = 0;
    expect(
        observed.clone(),
        ChaosVerdict::Undisturbed,
        "without any fault",
    );
    observed.availability.replicas[0].probes = ProbeCounts::default();
    expect(observed, ChaosVerdict::Inconclusive, "could not be probed");
}

#[test]
fn a_recovery_that_was_never_seen_to_end_is_no_survival() {
    let mut observed = survived();
    observed.experiment.repeat = 2;
    let mut second = record(Some("a new UID"));
    second.number = 2;
    second.phases.clear();
    observed.faults.push(second);
    observed.experiment.settings.max_recovery_ms = Some(6_000);
    expect(
        observed,
        ChaosVerdict::Inconclusive,
        "never seen all equal again",
    );
}

#[test]
fn a_replica_that_is_not_there_afterwards_is_not_the_same_as_before() {
    let mut observed = survived();
    let mut gone = observed.before.replicas[0].clone();
    gone.pod = "web-1".into();
    gone.ordinal = 1;
    let replicas = vec![observed.before.replicas[0].clone(), gone];
    let object = observed.before.object.clone();
    observed.before = VerifyReport::new(object, vec![endpoint()], replicas, Vec::new());
    expect(
        observed,
        ChaosVerdict::Inconclusive,
        "another client scaled it",
    );
}

#[test]
fn a_control_run_that_could_not_see_says_nothing() {
    let mut observed = survived();
    observed.experiment.settings.fault = None;
    observed.faults.clear();
    let replica = &mut observed.availability.replicas[0];
    replica.probes.silent = 0;
    replica.probes.unknown = 5;
    replica.unknown_ms = 5_600;
    expect(
        observed,
        ChaosVerdict::Inconclusive,
        "could not be probed for 5.6 s",
    );
}
