use super::{Format, render, runs, samples};
use crate::event::{Event, EventKind};
use crate::exit::ExitStatus;

fn junit(events: &[Event]) -> String {
    render(Format::JUnit, events).unwrap()
}

fn status(events: &[Event]) -> ExitStatus {
    match &events.last().unwrap().kind {
        EventKind::Finished(end) => end.status,
        other => panic!("{other:?}"),
    }
}

fn count(text: &str, words: &str) -> usize {
    text.matches(words).count()
}

#[test]
fn a_build_is_green_exactly_when_the_run_was_a_success() {
    for (name, events) in runs() {
        let text = junit(&events);
        let bad = count(&text, "<failure ") + count(&text, "<error ");
        assert_eq!(
            bad == 0,
            status(&events) == ExitStatus::Success,
            "{name}\n{text}"
        );
        // Nothing is called proven wrong where the run itself does not say so.
        if status(&events) != ExitStatus::Unhealthy {
            assert_eq!(count(&text, "<failure "), 0, "{name}\n{text}");
        }
    }
}

#[test]
fn the_numbers_are_those_of_the_cases() {
    for (name, events) in runs() {
        let text = junit(&events);
        for (attribute, element) in [
            ("tests", "<testcase "),
            ("failures", "<failure "),
            ("errors", "<error "),
            ("skipped", "<skipped "),
        ] {
            let number = format!(" {attribute}=\"{}\"", count(&text, element));
            assert_eq!(count(&text, &number), 2, "{name}: {number}\n{text}");
        }
    }
}

#[test]
fn every_replica_and_endpoint_is_a_case() {
    let text = junit(&samples::verify_disagreeing());
    for words in [
        "name=\"cryptoserver-0 answers GET /keys on port 80\" time=\"0.012\"></testcase>",
        "<failure type=\"wrong\" message=\"cryptoserver-2 answered with status 500",
        "<error type=\"undecided\" message=\"cryptoserver-3 did not answer within 10 s\">",
        "name=\"all right answers agree\"",
        "name=\"verdict of verify\"",
    ] {
        assert!(text.contains(words), "{words}\n{text}");
    }
}

#[test]
fn what_was_refused_is_skipped_and_says_why() {
    let (_, events) = samples::experiments()
        .into_iter()
        .find(|(name, _)| *name == "refused")
        .unwrap();
    let text = junit(&events);
    assert_eq!(count(&text, "<skipped "), 3, "{text}");
    assert!(
        text.contains("`cryptoserver-1` answered with status 500"),
        "{text}"
    );
}

#[test]
fn a_hostile_cluster_cannot_break_the_file() {
    let mut events = samples::verify_ok();
    if let EventKind::Started(run) = &mut events[0].kind {
        run.server = "a\"/><failure>\u{0}\u{1b}[31m\u{fffe}\u{202e}&".into();
    }
    let text = junit(&events);
    assert!(
        text.contains("value=\"a&quot;/&gt;&lt;failure&gt;\u{fffd}&amp;\">"),
        "{text}"
    );
    assert!(
        !text
            .chars()
            .any(|character| character.is_control() && character != '\n')
    );
}

#[test]
fn the_namespace_is_that_of_the_workload() {
    let mut events = samples::survived();
    if let EventKind::Started(run) = &mut events[0].kind {
        run.namespace = "default".into();
    }
    let text = junit(&events);
    assert!(
        text.contains("name=\"namespace\" value=\"logaiter\""),
        "{text}"
    );
}
