use super::*;

fn answer(status: u16, body: &str) -> Answer {
    Answer {
        status: StatusCode::from_u16(status).unwrap(),
        content_type: Some("text/plain; charset=utf-8".to_owned()),
        content_encoding: None,
        location: None,
        sha256: hexadecimal(&Sha256::digest(body)),
        bytes: body.len() as u64,
        beginning: Bytes::copy_from_slice(body.as_bytes()),
        latency: Duration::from_millis(12),
    }
}

fn pattern(text: &str) -> Regex {
    Regex::new(text).unwrap()
}

fn plain() -> Expectation {
    Expectation::of_path("/keys")
}

fn words(expectation: &Expectation, answer: &Answer) -> Option<String> {
    expectation.problem(answer).map(|problem| problem.words())
}

#[test]
fn words_say_what_was_expected_and_what_was_given() {
    let keys = Expectation {
        matches: Some(pattern(r"^(\d+\n){2}$")),
        ..plain()
    };
    let teapot = Expectation {
        status: StatusCode::IM_A_TEAPOT,
        ..plain()
    };
    let redirect = Answer {
        location: Some("/x".to_owned()),
        ..answer(301, "")
    };
    let created = Answer {
        location: Some("/x".to_owned()),
        ..answer(201, "a")
    };
    let json = Expectation {
        content_type: Some("application/json".to_owned()),
        ..plain()
    };
    let untyped = Answer {
        content_type: None,
        ..answer(200, "a")
    };
    let quick = Expectation {
        largest_latency: Some(Duration::from_millis(11)),
        ..plain()
    };
    let exact = Expectation {
        largest_latency: Some(Duration::from_millis(12)),
        ..plain()
    };
    let optional = Expectation {
        non_empty: false,
        ..plain()
    };
    let table = [
        (&plain(), answer(200, "a"), None),
        (
            &plain(),
            answer(500, "a"),
            Some("answered with status 500 instead of 200"),
        ),
        (
            &teapot,
            answer(200, "a"),
            Some("answered with status 200 instead of 418"),
        ),
        (&teapot, answer(418, "a"), None),
        (
            &plain(),
            redirect,
            Some(
                "answered with status 301 instead of 200, a redirect to `/x`, which is not followed",
            ),
        ),
        (
            &plain(),
            created,
            Some("answered with status 201 instead of 200"),
        ),
        (&plain(), answer(200, ""), Some("gave an empty answer")),
        (&optional, answer(200, ""), None),
        (&keys, answer(200, "1\n22\n"), None),
        (
            &keys,
            answer(200, "1\n"),
            Some(r"answered with status 200, but the body does not match `^(\d+\n){2}$`"),
        ),
        (
            &json,
            answer(200, "a"),
            Some(
                "answered with content type `text/plain; charset=utf-8` instead of `application/json`",
            ),
        ),
        (
            &json,
            untyped,
            Some("answered without a content type; `application/json` was expected"),
        ),
        (
            &quick,
            answer(200, "a"),
            Some("answered after 12 ms; the limit is 11 ms"),
        ),
        (&exact, answer(200, "a"), None),
    ];
    for (expectation, answer, expected) in table {
        assert_eq!(
            words(expectation, &answer).as_deref(),
            expected,
            "{expectation:?} {answer:?}"
        );
    }
}

#[test]
fn a_digest_is_expected_of_what_is_compared() {
    let of = |text: &str| hexadecimal(&Sha256::digest(text));
    let whole = Expectation {
        sha256: Some(of("a b").to_uppercase()),
        ..plain()
    };
    assert_eq!(
        whole.problem(&answer(200, "a b")),
        None,
        "case is no matter"
    );
    let cut = Expectation {
        sha256: Some(of("a ")),
        ignore: vec![pattern("[b-z]+")],
        ..plain()
    };
    assert_eq!(cut.problem(&answer(200, "a b")), None);
    assert_eq!(cut.problem(&answer(200, "a xyz")), None);
    let problem = cut.problem(&answer(200, "ab")).unwrap();
    let expected = Problem::WrongDigest {
        expected: of("a "),
        sha256: of("a"),
    };
    assert_eq!(problem, expected);
}

#[test]
fn what_is_ignored_is_not_compared_and_what_is_left_is() {
    let expectation = Expectation {
        ignore: vec![pattern(r"\d\d:\d\d"), pattern("#.*")],
        ..plain()
    };
    let digest = |body: &str| expectation.compared_sha256(&answer(200, body));
    assert_eq!(digest("at 10:00 a # x"), digest("at 23:59 a # y"));
    assert_ne!(digest("at 10:00 a"), digest("at 10:00 b"));
}

#[test]
fn where_everything_is_ignored_equality_proves_nothing() {
    let everything = Expectation {
        ignore: vec![pattern("(?s).*")],
        ..plain()
    };
    let problem = everything.problem(&answer(200, "a")).unwrap();
    assert!(matches!(problem, Problem::NotProven { .. }), "{problem:?}");
}

#[test]
fn a_body_that_was_not_kept_cannot_be_judged() {
    let expectation = Expectation {
        matches: Some(pattern("^a")),
        ..plain()
    };
    let cut = Answer {
        bytes: 9,
        ..answer(200, "abc")
    };
    let problem = expectation.problem(&cut).unwrap();
    assert!(matches!(problem, Problem::NotProven { .. }), "{problem:?}");
    assert_eq!(plain().problem(&cut), None, "nothing needs the body");
    let wrong = Answer {
        status: StatusCode::BAD_GATEWAY,
        ..cut
    };
    let problem = expectation.problem(&wrong).unwrap();
    assert!(
        matches!(problem, Problem::WrongStatus { .. }),
        "{problem:?}"
    );
}
