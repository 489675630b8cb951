use super::*;

/// Bodies, whether the baseline has its content, and the finding: kind, offset, sentence.
type Case = (
    &'static [&'static str],
    bool,
    FindingKind,
    Option<u64>,
    String,
);

const TIME: &str = "2026-11-23T10:00:00Z";

fn endpoint() -> Endpoint {
    Endpoint {
        port: 80,
        path: "/keys".to_owned(),
    }
}

fn web() -> ObjectRef {
    ObjectRef::new("apps", "StatefulSet", Some("logaiter"), "web")
}

fn digest(body: &str) -> String {
    hexadecimal(&Sha256::digest(body))
}

fn answer(ordinal: i32, body: &str) -> ReplicaAnswer {
    ReplicaAnswer {
        pod: format!("web-{ordinal}"),
        ordinal,
        uid: None,
        node: None,
        endpoint: endpoint(),
        status: Some(200),
        sha256: Some(digest(body)),
        compared_sha256: None,
        bytes: Some(body.len() as u64),
        content_type: Some("text/plain".to_owned()),
        content_encoding: None,
        latency_ms: Some(1),
        transport: Transport::PortForward,
        repeats: 0,
        error: None,
    }
}

fn baseline(body: &str, keeps_content: bool) -> Baseline {
    let (report, contents) = verification(&[body, body], None);
    let time = TIME.parse().unwrap();
    Baseline::of(&report, &contents, |_| Vec::new(), time, keeps_content).unwrap()
}

fn verification(bodies: &[&str], baseline: Option<&Baseline>) -> (VerifyReport, Contents) {
    let mut contents = Contents::default();
    for body in bodies {
        let beginning = Bytes::copy_from_slice(body.as_bytes());
        contents.keep(&endpoint(), &digest(body), body.len() as u64, &beginning);
    }
    let replicas = (0..)
        .zip(bodies)
        .map(|(ordinal, body)| answer(ordinal, body));
    let report = VerifyReport::weigh(super::super::Evidence {
        object: web(),
        endpoints: vec![endpoint()],
        may_differ: Vec::new(),
        replicas: replicas.collect(),
        findings: Vec::new(),
        notes: Vec::new(),
        contents: &contents,
        shows_content: false,
        baseline,
    });
    (report, contents)
}

#[test]
fn todays_answers_are_told_apart_from_yesterdays_in_words() {
    let (then, now) = (&digest("1\n22\n")[..12], &digest("1\n33\n")[..12]);
    let shorter = &digest("1\n2")[..12];
    let regenerated = format!(
        "all 2 replicas serve different data than the baseline of {TIME}: {now} (5 bytes) instead of {then} (5 bytes)"
    );
    let table: [Case; 8] = [
        (
            &["1\n33\n", "1\n33\n"],
            false,
            FindingKind::Regenerated,
            None,
            regenerated.clone(),
        ),
        (
            &["1\n33\n", "1\n33\n"],
            true,
            FindingKind::Regenerated,
            Some(2),
            format!("{regenerated}; the first difference is at offset 2"),
        ),
        (
            &["1\n22\n", "1\n22\n", "1\n33\n", "1\n22\n"],
            false,
            FindingKind::StaleReplica,
            None,
            format!(
                "replicas 0, 1, 3 still serve the baseline of {TIME}, but replica 2 serves different data"
            ),
        ),
        (
            &["1\n33\n", "1\n22\n", "1\n33\n", "1\n33\n"],
            false,
            FindingKind::StaleReplica,
            None,
            format!(
                "replica 1 still serves the baseline of {TIME}, but replicas 0, 2, 3 serve different data"
            ),
        ),
        (
            &["1\n33\n", "1\n44\n"],
            false,
            FindingKind::Regenerated,
            None,
            format!("no replica serves the baseline of {TIME}: {then} (5 bytes)"),
        ),
        (
            &["", ""],
            false,
            FindingKind::Empty,
            Some(0),
            format!("all 2 replicas serve nothing, but the baseline of {TIME} has 5 bytes"),
        ),
        (
            &["1\n2", "1\n2"],
            true,
            FindingKind::Partial,
            Some(3),
            format!(
                "all 2 replicas serve only the first 3 of the 5 bytes of the baseline of {TIME}"
            ),
        ),
        (
            &["1\n2", "1\n2"],
            false,
            FindingKind::Regenerated,
            None,
            format!(
                "all 2 replicas serve different data than the baseline of {TIME}: {shorter} (3 bytes) instead of {then} (5 bytes); this is shorter than the baseline and may be its beginning, but the baseline was saved without its content"
            ),
        ),
    ];
    for (bodies, keeps_content, kind, offset, message) in table {
        let baseline = baseline("1\n22\n", keeps_content);
        let (report, _) = verification(bodies, Some(&baseline));
        let finding = &report.findings[0];
        assert_eq!(finding.message, message);
        assert_eq!((finding.kind, finding.first_difference), (kind, offset));
        assert_eq!(report.verdict, Outcome::Unhealthy, "{bodies:?}");
    }
}

#[test]
fn the_same_data_is_success_and_says_what_it_was_held_against() {
    let baseline = baseline("1\n", false);
    let (report, _) = verification(&["1\n", "1\n"], Some(&baseline));
    assert_eq!(report.verdict, Outcome::Success);
    assert_eq!(
        report.summary,
        "all 2 replicas serve the same 2 bytes (1 answer each), as in the baseline"
    );
}

#[test]
fn another_content_type_or_status_is_another_answer() {
    let mut typed = baseline("1\n", false);
    typed.endpoints[0].content_type = Some("application/json".to_owned());
    let (report, _) = verification(&["1\n", "1\n"], Some(&typed));
    assert_eq!(report.verdict, Outcome::Unhealthy);
    assert_eq!(
        report.findings[0].message,
        "replicas 0, 1 serve the data of the baseline, but with `text/plain` instead of `application/json`"
    );
    let mut created = baseline("1\n", false);
    created.endpoints[0].status = 201;
    let (report, _) = verification(&["1\n", "1\n"], Some(&created));
    assert_eq!(
        report.findings[0].message,
        "replicas 0, 1 serve the data of the baseline, but with status 200 instead of 201"
    );
    // What the API server's proxy says of a type is not the pod's own word.
    typed.endpoints[0].transport = Transport::PodProxy;
    let (report, _) = verification(&["1\n", "1\n"], Some(&typed));
    assert_eq!(report.verdict, Outcome::Success);
}

#[test]
fn nothing_but_a_success_is_a_baseline_and_content_is_kept_only_on_request() {
    let (report, contents) = verification(&["1\n", "2\n"], None);
    let time: Timestamp = TIME.parse().unwrap();
    assert_eq!(
        Baseline::of(&report, &contents, |_| Vec::new(), time, true),
        None
    );
    assert_eq!(baseline("1\n", false).endpoints[0].content, None);
    let kept = baseline("1\n", true);
    assert_eq!(kept.endpoints[0].content.as_deref(), Some("MQo="));
    let text = serde_json::to_string(&kept).unwrap();
    assert_eq!(serde_json::from_str::<Baseline>(&text).unwrap(), kept);
}

#[test]
fn a_baseline_of_something_else_is_refused_and_both_are_named() {
    let baseline = baseline("1\n", true);
    let asked = || vec![(endpoint(), Vec::new())];
    assert_eq!(baseline.check(&web(), &asked()), Ok(()));

    let words = |result: Result<(), BaselineMismatch>| result.unwrap_err().to_string();
    let other = ObjectRef::new("apps", "StatefulSet", Some("prod"), "web");
    assert_eq!(
        words(baseline.check(&other, &asked())),
        "the baseline is of `statefulset/web` in namespace `logaiter`, not of `statefulset/web` in namespace `prod`"
    );
    let elsewhere = Endpoint {
        port: 8080,
        path: "/keys".to_owned(),
    };
    assert_eq!(
        words(baseline.check(&web(), &[(elsewhere, Vec::new())])),
        "the baseline covers `GET /keys` on port 80, not `GET /keys` on port 8080"
    );
    let ignoring = vec![(endpoint(), vec!["#.*".to_owned()])];
    assert_eq!(
        words(baseline.check(&web(), &ignoring)),
        "the baseline was saved with different expressions to ignore at `GET /keys` on port 80"
    );
    let mut forged = baseline;
    forged.endpoints[0].content = Some("Mgo=".to_owned());
    assert_eq!(
        words(forged.check(&web(), &asked())),
        "the baseline's content at `GET /keys` on port 80 does not match its digest and its length"
    );
}
