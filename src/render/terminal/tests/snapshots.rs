//! Whole recorded runs at two widths, and the sentences that they must contain.

use snapbox::{Data, assert_data_eq};

use super::samples;
use crate::event::Event;
use crate::exit::ExitStatus;
use crate::render::terminal::render_to_text;
use crate::report::Problem;

fn text(events: &[Event]) -> String {
    render_to_text(events, 80, false)
}

#[test]
fn whole_runs_look_like_this() {
    for (name, events) in samples::all() {
        for width in [80, 40] {
            let path = format!(
                "{}/src/render/terminal/tests/snapshots/{name}-{width}.txt",
                env!("CARGO_MANIFEST_DIR")
            );
            let expected = Data::read_from(path.as_ref(), None);
            assert_data_eq!(render_to_text(&events, width, false), expected.raw());
        }
    }
}

#[test]
fn colour_changes_nothing_but_colour() {
    for (name, events) in samples::all() {
        let coloured = render_to_text(&events, 80, true);
        assert!(coloured.contains('\u{1b}'), "{name} has no colour");
        assert_eq!(
            crate::ui::sanitise(&coloured),
            crate::ui::sanitise(&text(&events)),
            "{name}"
        );
    }
}

#[test]
fn nothing_hostile_gets_through() {
    for (name, events) in samples::all() {
        for line in text(&events).lines() {
            assert_eq!(crate::ui::sanitise(line), line, "{name}");
        }
    }
}

#[test]
fn tables_fit_a_narrow_terminal() {
    for events in [samples::verify_ok(), samples::verify_disagreeing()] {
        let text = render_to_text(&events, 40, false);
        let table: Vec<&str> = text
            .lines()
            .skip(1)
            .take_while(|line| !line.starts_with(['✓', '✗']))
            .collect();
        assert!(table.len() > 2);
        for line in table {
            assert!(line.chars().count() <= 40, "{line}");
            assert!(
                line.contains("cryptoserver") || line.contains("ANSWER"),
                "{line}"
            );
        }
    }
}

#[test]
fn a_failed_rollout_names_cause_evidence_and_next_command() {
    let text = text(&samples::up_with_bad_image());
    for words in [
        "cause: the image `quay.io/k8sexercices/fileserver:v9` cannot be pulled",
        "  | failed to resolve reference: not found\n",
        "hint: kubectl describe pod/cryptoserver-1 -n logaiter",
        "1 of 2 replicas Ready",
    ] {
        assert!(text.contains(words), "{words}\n{text}");
    }
}

#[test]
fn no_replica_is_called_wrong_because_another_one_differs() {
    let text = text(&samples::verify_disagreeing());
    assert!(
        text.contains("✗ differs (A)") && text.contains("✗ differs (B)"),
        "{text}"
    );
}

#[test]
fn many_equal_answers_are_folded_but_a_different_one_never_is() {
    let same = |ordinal| samples::answer(ordinal, &"a".repeat(64));
    let mut answers: Vec<_> = (0..200).map(same).collect();
    let text = text(&samples::verify(&answers));
    assert!(
        text.contains("… and 190 more with the same answer"),
        "{text}"
    );
    assert!(text.lines().count() < 15, "{text}");
    answers.push(samples::no_answer(200, Problem::Missing));
    let text = render_to_text(&samples::verify(&answers), 80, false);
    assert!(text.contains("cryptoserver-200"), "{text}");
}

#[test]
fn what_has_happened_before_the_end_is_accounted_for() {
    let text = text(&samples::up_interrupted());
    for words in [
        "interrupted: 1 of 4 changes done",
        "unknown: persistentvolumeclaim/fileserver-claim",
        "not done: service/cryptoserver, statefulset/cryptoserver",
    ] {
        assert!(text.contains(words), "{words}\n{text}");
    }
}

#[test]
fn an_error_comes_with_its_cause_and_a_hint() {
    let text = text(&samples::up_refused());
    assert!(
        text.contains("error: failed to apply `statefulset/cryptoserver`"),
        "{text}"
    );
    assert!(
        text.contains("\n  caused by: field `.spec.replicas`"),
        "{text}"
    );
    assert!(
        text.contains("\n\nhint: keep the live value with"),
        "{text}"
    );
}

#[test]
fn a_verification_that_is_repeated_is_shown_with_its_last_answers() {
    let mut events = samples::verify(&[samples::no_answer(0, Problem::NotListening)]);
    events.pop();
    events.extend(samples::verify_ok().split_off(1));
    let text = text(&events);
    assert!(!text.contains("nothing listens"), "{text}");
    assert_eq!(text.matches("✓ same").count(), 2, "{text}");
}

#[test]
fn an_interrupted_verification_shows_the_answers_so_far() {
    let mut events = samples::verify_ok();
    events.truncate(3);
    events.push(samples::finished(40, ExitStatus::Interrupted, None));
    assert!(text(&events).contains("✓ answered"), "{}", text(&events));
}

#[test]
fn an_interrupted_wait_says_what_still_goes_on() {
    let mut events = samples::up();
    events.retain(|event| event.elapsed_ms <= 4_500);
    events.push(samples::finished(4_600, ExitStatus::Interrupted, None));
    let text = text(&events);
    assert!(text.contains("interrupted: 4 of 4 changes done"), "{text}");
    assert!(
        text.contains("still in progress: statefulset/cryptoserver (1 of 2 Ready)"),
        "{text}"
    );
}
