use super::*;

fn answer(ordinal: i32, body: &str) -> ReplicaAnswer {
    ReplicaAnswer {
        pod: format!("web-{ordinal}"),
        ordinal,
        uid: Some(format!("uid-{ordinal}")),
        node: None,
        endpoint: endpoint(),
        status: Some(200),
        sha256: Some(format!("{body:0>64}")),
        compared_sha256: None,
        bytes: Some(body.len() as u64),
        content_type: None,
        latency_ms: Some(1),
        via: Via::PortForward,
        repeats: 0,
        error: None,
    }
}

fn endpoint() -> Endpoint {
    Endpoint {
        port: 80,
        path: "/keys".to_owned(),
    }
}

fn wrong(ordinal: i32, problem: Problem) -> ReplicaAnswer {
    ReplicaAnswer {
        error: Some(problem),
        ..answer(ordinal, "a")
    }
}

fn report(replicas: Vec<ReplicaAnswer>) -> VerifyReport {
    let object = ObjectRef::new("apps", "StatefulSet", Some("logaiter"), "web");
    VerifyReport::new(object, vec![endpoint()], replicas, Vec::new())
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
}

#[test]
fn one_different_byte_is_unhealthy() {
    let report = report(vec![answer(0, "a"), answer(1, "b")]);
    assert_eq!(report.verdict, Outcome::Unhealthy);
    assert!(
        report.findings[0]
            .message
            .starts_with("the replicas disagree")
    );
    assert_eq!(report.agreed_sha256(), None);
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
    let same = || Problem::WrongStatus { status: 500 };
    assert_eq!(
        report(vec![wrong(0, same()), wrong(1, same())]).verdict,
        Outcome::Unhealthy
    );
    let empty = || Problem::Empty;
    assert_eq!(
        report(vec![wrong(0, empty()), wrong(1, empty())]).verdict,
        Outcome::Unhealthy
    );
}

#[test]
fn what_could_not_be_asked_is_undecided() {
    let unasked = wrong(
        1,
        Problem::NotAsked {
            reason: "no route".into(),
        },
    );
    assert_eq!(
        report(vec![answer(0, "a"), unasked]).verdict,
        Outcome::Undecided
    );
}

#[test]
fn a_proven_fault_outweighs_an_unasked_replica() {
    let unasked = wrong(
        1,
        Problem::NotAsked {
            reason: "no route".into(),
        },
    );
    let report = report(vec![wrong(0, Problem::Missing), unasked]);
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
