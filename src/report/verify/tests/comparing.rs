use super::*;

/// The first finding: its kind, its offset and its sentence.
fn first(report: &VerifyReport) -> (FindingKind, Option<u64>, &str) {
    let finding = &report.findings[0];
    (finding.kind, finding.first_difference, &finding.message)
}

#[test]
fn differences_are_told_apart_in_words() {
    let (a, b) = (&digest("one\n")[..12], &digest("two\n")[..12]);
    let c = &digest("six\n")[..12];
    let table: [(&[&str], FindingKind, u64, String); 11] = [
        (
            &["one\n", "two\n"],
            FindingKind::Differ,
            0,
            format!("the replicas disagree: replica 0 {a} (4 bytes); replica 1 {b} (4 bytes); the first difference is at offset 0"),
        ),
        (
            &["one\n", "one\n", "two\n", "one\n"],
            FindingKind::OneDiffers,
            0,
            format!("replica 2 differs from all others: replicas 0, 1, 3 {a} (4 bytes); replica 2 {b} (4 bytes); the first difference is at offset 0"),
        ),
        (
            &["one\n", "two\n", "six\n"],
            FindingKind::AllDiffer,
            0,
            format!("no two of the 3 replicas agree: replica 0 {a} (4 bytes); replica 1 {b} (4 bytes); replica 2 {c} (4 bytes); the first difference is at offset 0"),
        ),
        (
            &["one\n", "one\n", "two\n", "two\n"],
            FindingKind::Differ,
            0,
            format!("the replicas disagree: replicas 0, 1 {a} (4 bytes); replicas 2, 3 {b} (4 bytes); the first difference is at offset 0"),
        ),
        (
            &["1234", "12"],
            FindingKind::Partial,
            2,
            "replica 1 serves only the first 2 of the 4 bytes that replica 0 serves".to_owned(),
        ),
        (
            &["12", "12", "12", "12\n"],
            FindingKind::Partial,
            2,
            "replicas 0-2 serve only the first 2 of the 3 bytes that replica 3 serves: only the final line ending is missing".to_owned(),
        ),
        (
            &["12\r\n", "12"],
            FindingKind::Partial,
            2,
            "replica 1 serves only the first 2 of the 4 bytes that replica 0 serves: only the final line ending is missing".to_owned(),
        ),
        (
            &["12", "", "12"],
            FindingKind::Empty,
            0,
            "replica 1 serves nothing, but replicas 0, 2 serve 2 bytes".to_owned(),
        ),
        (
            &["12", "\u{feff}12"],
            FindingKind::Differ,
            0,
            format!(
                "the replicas disagree: replica 0 {} (2 bytes); replica 1 {} (5 bytes); the first difference is at offset 0; only the data of replica 1 begins with a byte-order mark",
                &digest("12")[..12],
                &digest("\u{feff}12")[..12]
            ),
        ),
        (
            &["aX", "aY", "aY"],
            FindingKind::OneDiffers,
            1,
            format!(
                "replica 0 differs from all others: replica 0 {} (2 bytes); replicas 1, 2 {} (2 bytes); the first difference is at offset 1",
                &digest("aX")[..12],
                &digest("aY")[..12]
            ),
        ),
        (
            &["abX", "abY", "aZ!"],
            FindingKind::AllDiffer,
            1,
            format!(
                "no two of the 3 replicas agree: replica 0 {} (3 bytes); replica 1 {} (3 bytes); replica 2 {} (3 bytes); the first difference is at offset 1",
                &digest("abX")[..12],
                &digest("abY")[..12],
                &digest("aZ!")[..12]
            ),
        ),
    ];
    for (bodies, kind, offset, message) in table {
        let report = of_bodies(bodies);
        assert_eq!(first(&report), (kind, Some(offset), message.as_str()));
        assert_eq!(report.verdict, Outcome::Unhealthy, "{bodies:?}");
        assert_eq!(report.agreed_sha256(), None, "{bodies:?}");
    }
}

#[test]
fn among_several_groups_each_partial_one_is_named_too() {
    let report = of_bodies(&["1234", "12", "9"]);
    assert_eq!(first(&report).0, FindingKind::AllDiffer);
    assert_eq!(report.findings[1].kind, FindingKind::Partial);
    assert_eq!(
        report.findings[1].message,
        "replica 1 serves only the first 2 of the 4 bytes that replica 0 serves"
    );
    assert_eq!(report.findings.len(), 2);
}

#[test]
fn what_was_not_kept_is_not_said() {
    let (one, two) = ("a".repeat(2 << 20), format!("{}b", "a".repeat(2 << 20)));
    let report = of_bodies(&[&one, &two]);
    let (kind, offset, message) = first(&report);
    assert_eq!((kind, offset), (FindingKind::Differ, None));
    assert!(
        message.ends_with("; their first 1048576 bytes are equal, and the rest was not kept"),
        "{message}"
    );
    let nothing_kept = self::report(vec![answer(0, "1234"), answer(1, "12")]);
    let (kind, offset, message) = first(&nothing_kept);
    assert_eq!((kind, offset), (FindingKind::Differ, None));
    assert!(message.ends_with("(2 bytes)"), "{message}");
}

#[test]
fn equal_bytes_with_other_content_types_are_not_the_same_answer() {
    let typed = |ordinal, content_type: Option<&str>| ReplicaAnswer {
        content_type: content_type.map(str::to_owned),
        ..answer(ordinal, "{}")
    };
    let report = report(vec![
        typed(0, Some("text/plain")),
        typed(1, Some("application/json")),
        typed(2, Some("text/plain")),
        typed(3, None),
    ]);
    assert_eq!(report.verdict, Outcome::Unhealthy);
    assert_eq!(
        first(&report),
        (
            FindingKind::ContentTypes,
            None,
            "the same 2 bytes come with different content types: replicas 0, 2 as `text/plain`, replica 1 as `application/json`, replica 3 without a content type"
        )
    );
    assert!(
        report
            .summary
            .starts_with("all 4 replicas serve the same 2 bytes (1 answer each), but the same"),
        "{}",
        report.summary
    );
}

#[test]
fn a_content_type_that_the_proxy_may_have_added_is_not_held_against_a_replica() {
    let by_proxy = ReplicaAnswer {
        transport: Transport::PodProxy,
        content_type: Some("text/plain; charset=utf-8".to_owned()),
        ..answer(1, "a")
    };
    let report = report(vec![answer(0, "a"), by_proxy]);
    assert_eq!(report.verdict, Outcome::Success);
}

#[test]
fn content_is_shown_only_when_it_is_asked_for() {
    let secret = "0123456789abcdefghijklmnopqrstuvwxyz";
    let other = "0123456789abcdefghijKlmnopqrstuvwxyz\n";
    let hidden = of_bodies(&[secret, other]);
    let text = serde_json::to_string(&hidden).unwrap();
    assert!(
        !text.contains("excerpt") && !text.contains("56789"),
        "{text}"
    );

    let kept = contents(&[secret, other]);
    let shown = VerifyReport::weigh(Evidence {
        shows_content: true,
        ..evidence(&kept, vec![answer(0, secret), answer(1, other)])
    });
    let excerpt = shown.groups[1].excerpt.clone().unwrap();
    assert_eq!(excerpt.offset, 4, "16 bytes before offset 20");
    assert_eq!(excerpt.text, "456789abcdefghijKlmnopqrstuvwxyz");
    assert!(excerpt.hex.starts_with("34353637"), "{}", excerpt.hex);
    assert!(excerpt.words().starts_with("from offset 4: 34 35 36 37 "));

    let kept = contents(&["a\nb"]);
    let same = VerifyReport::weigh(Evidence {
        shows_content: true,
        ..evidence(&kept, vec![answer(0, "a\nb"), answer(1, "a\nb")])
    });
    let excerpt = same.groups[0].excerpt.clone().unwrap();
    assert_eq!(excerpt.words(), "from offset 0: 61 0a 62  |a.b|");
}
