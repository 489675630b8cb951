use super::*;

fn same_status() -> Problem {
    Problem::WrongStatus {
        status: 500,
        expected: 200,
        location: None,
        may_want_tls: false,
    }
}

fn not_asked() -> Problem {
    Problem::NotAsked {
        reason: "no route".into(),
    }
}

#[test]
fn equal_answers_of_all_replicas_are_success() {
    let report = report(vec![answer(1, "a"), answer(0, "a")]);
    assert_eq!(report.verdict, Outcome::Success);
    assert_eq!(report.groups[0].ordinals, [0, 1]);
    assert!(report.findings.is_empty());
    assert_eq!(
        report.agreed_sha256(),
        Some(report.groups[0].sha256.clone())
    );
    assert_eq!(
        report.summary,
        "all 2 replicas serve the same 1 byte (1 answer each)"
    );
}

#[test]
fn one_different_byte_is_unhealthy() {
    let report = report(vec![answer(0, "a"), answer(1, "b")]);
    assert_eq!(report.verdict, Outcome::Unhealthy);
    assert_eq!(report.agreed_sha256(), None);
    assert_eq!(report.summary, "2 replicas gave 2 different answers");
}

#[test]
fn no_replicas_prove_nothing() {
    assert_eq!(report(Vec::new()).verdict, Outcome::Undecided);
}

#[test]
fn a_single_replica_says_that_there_is_nothing_to_compare() {
    let report = report(vec![answer(0, "a")]);
    assert_eq!(report.verdict, Outcome::Success);
    assert!(report.summary.contains("nothing to compare"));
}

#[test]
fn agreement_on_a_wrong_answer_is_unhealthy() {
    for problem in [same_status(), Problem::Empty, Problem::NotReady] {
        let report = report(vec![wrong(0, problem.clone()), wrong(1, problem)]);
        assert_eq!(report.verdict, Outcome::Unhealthy);
        assert_eq!(report.summary, "0 of 2 replicas gave a right answer");
    }
}

#[test]
fn what_could_not_be_asked_is_undecided() {
    let report = report(vec![answer(0, "a"), wrong(1, not_asked())]);
    assert_eq!(report.verdict, Outcome::Undecided);
    assert_eq!(report.summary, "1 of 2 replicas gave a right answer");
}

#[test]
fn a_proven_fault_outweighs_an_unasked_replica() {
    let report = report(vec![wrong(0, Problem::Missing), wrong(1, not_asked())]);
    assert_eq!(report.verdict, Outcome::Unhealthy);
    assert_eq!(report.findings.len(), 2, "both are named");
}

#[test]
fn an_answer_without_a_hash_is_never_counted_as_right() {
    let unhashed = ReplicaAnswer {
        sha256: None,
        ..answer(1, "a")
    };
    assert_eq!(
        report(vec![answer(0, "a"), unhashed]).verdict,
        Outcome::Undecided
    );
}

#[test]
fn what_is_found_beside_the_answers_weighs_by_its_kind() {
    let table = [
        (FindingKind::ExtraPod, Outcome::Unhealthy),
        (FindingKind::TerminatingPod, Outcome::Undecided),
        (FindingKind::WorkloadChanged, Outcome::Undecided),
    ];
    for (kind, verdict) in table {
        let finding = Finding::of_pod(kind, "web-7", "`web-7` is there".to_owned());
        let replicas = vec![answer(0, "a"), answer(1, "a")];
        let report = VerifyReport::new(web(), vec![endpoint()], replicas, vec![finding]);
        assert_eq!(report.verdict, verdict, "{kind:?}");
        assert_eq!(
            report.summary,
            "all 2 replicas serve the same 1 byte (1 answer each), but `web-7` is there"
        );
        assert_eq!(report.agreed_sha256(), None, "{kind:?}");
    }
}

#[test]
fn several_endpoints_are_compared_each_by_itself() {
    let both = |ordinal, keys: &str, version: &str| {
        [
            answer_at("/keys", ordinal, keys),
            answer_at("/version", ordinal, version),
        ]
    };
    let endpoints = || vec![at("/keys"), at("/version")];
    let of =
        |replicas: Vec<ReplicaAnswer>| VerifyReport::new(web(), endpoints(), replicas, Vec::new());
    let well = of([both(0, "a", "1"), both(1, "a", "1")].concat());
    assert_eq!(well.verdict, Outcome::Success);
    assert_eq!(
        well.summary,
        "all 2 replicas serve the same data (1 answer each at 2 endpoints)"
    );
    let lines = format!("80 /keys {}\n80 /version {}\n", digest("a"), digest("1"));
    assert_eq!(well.agreed_sha256(), Some(digest(&lines)));

    let differing = of([both(0, "a", "1"), both(1, "a", "2")].concat());
    assert_eq!(differing.verdict, Outcome::Unhealthy);
    assert_eq!(differing.groups.len(), 3);
    assert!(
        differing.findings[0]
            .message
            .starts_with("`GET /version` on port 80: the replicas disagree"),
        "{:?}",
        differing.findings
    );

    let [keys, version] = both(1, "a", "2");
    let one_missing = of(vec![answer_at("/keys", 0, "a"), keys, version]);
    assert_ne!(one_missing.verdict, Outcome::Success, "a hole is no answer");
}

#[test]
fn where_replicas_may_differ_they_are_not_compared() {
    let kept = Contents::default();
    let of = |may_differ: Vec<Endpoint>| {
        VerifyReport::weigh(Evidence {
            may_differ,
            ..evidence(&kept, vec![answer(0, "a"), answer(1, "b")])
        })
    };
    assert_eq!(of(Vec::new()).verdict, Outcome::Unhealthy);
    let free = of(vec![endpoint()]);
    assert_eq!(free.verdict, Outcome::Success);
    assert_eq!(
        free.summary,
        "all 2 replicas answer as expected (1 answer each)"
    );
    assert_eq!(free.agreed_sha256(), None, "nothing was agreed on");
}

#[test]
fn what_is_wrong_with_a_pod_is_said_once_and_with_an_answer_at_each_endpoint() {
    let problem = |path, problem: Problem| ReplicaAnswer {
        error: Some(problem),
        ..answer_at(path, 0, "")
    };
    let of = |first: Problem, second: Problem| {
        let replicas = vec![problem("/a", first), problem("/b", second)];
        let endpoints = vec![at("/a"), at("/b")];
        VerifyReport::new(web(), endpoints, replicas, Vec::new())
    };
    assert_eq!(of(Problem::Missing, Problem::Missing).findings.len(), 1);
    let empty = of(Problem::Empty, Problem::Empty);
    assert_eq!(empty.findings.len(), 2);
    assert_eq!(
        empty.findings[1].message,
        "`web-0` gave an empty answer (`GET /b` on port 80)"
    );
    assert_eq!(empty.summary, "0 of 1 replica gave a right answer");
}

#[test]
fn repeats_are_counted_aloud() {
    let repeated = |ordinal, repeats| ReplicaAnswer {
        repeats,
        ..answer(ordinal, "a")
    };
    let notes = |first, second| report(vec![repeated(0, first), repeated(1, second)]).notes;
    assert_eq!(notes(0, 0), Vec::<String>::new());
    assert_eq!(
        notes(1, 0),
        ["1 request was repeated because its transport failed"]
    );
    assert_eq!(
        notes(1, 2),
        ["3 requests were repeated because their transport failed"]
    );
}

#[test]
fn the_worst_round_decides_and_the_last_one_is_told() {
    let last = || report(vec![answer(0, "a"), answer(1, "a")]);
    let rounds = |success, unhealthy, undecided, changes| Rounds {
        count: success + unhealthy + undecided,
        success,
        unhealthy,
        undecided,
        changes,
    };
    let table = [
        (
            rounds(3, 0, 0, 0),
            Outcome::Success,
            "3 rounds: 3 successful; no change; last round: all 2",
        ),
        (
            rounds(2, 1, 1, 2),
            Outcome::Unhealthy,
            "4 rounds: 2 successful, 1 unhealthy, 1 undecided; 2 changes; last round: all 2",
        ),
        (
            rounds(2, 0, 1, 1),
            Outcome::Undecided,
            "3 rounds: 2 successful, 1 undecided; 1 change; last round: all 2",
        ),
        (
            rounds(0, 0, 0, 0),
            Outcome::Undecided,
            "0 rounds: 0 successful; no change",
        ),
    ];
    for (rounds, outcome, summary) in table {
        let report = last().with_rounds(rounds);
        assert_eq!(report.outcome(), outcome, "{}", report.summary);
        assert_eq!(report.verdict, Outcome::Success, "that of the last round");
        assert!(report.summary.starts_with(summary), "{}", report.summary);
    }
}
