use super::{Format, render, runs};
use crate::event::Event;
use crate::render::document::{JournalError, ReportFile, read};
use crate::render::json::line as json_line;
use crate::render::terminal::tests::samples;

fn lines(events: &[Event]) -> Vec<String> {
    events
        .iter()
        .map(|event| json_line(event).unwrap())
        .collect()
}

#[test]
fn both_forms_are_read_back_as_they_were() {
    let mut runs = runs();
    runs.extend(samples::all());
    for (name, events) in runs {
        for format in [Format::Journal, Format::Lines] {
            let text = render(format, &events).unwrap();
            let read = read(&text).unwrap_or_else(|error| panic!("{name}: {error}"));
            assert_eq!(lines(&read), lines(&events), "{name}");
        }
    }
}

#[test]
fn a_journal_is_one_json_document_with_the_events_of_the_json_lines() {
    let events = samples::verify_ok();
    let text = render(Format::Journal, &events).unwrap();
    let journal: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(journal["version"], 1);
    let expected: Vec<serde_json::Value> = lines(&events)
        .iter()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(journal["events"].as_array().unwrap(), &expected);
}

#[test]
fn whatever_is_cut_off_is_never_taken_for_a_whole_run() {
    let events = samples::verify_ok();
    for format in [Format::Journal, Format::Lines] {
        let text = render(format, &events).unwrap();
        let whole = text.trim_end().len();
        for end in (0..whole).filter(|end| text.is_char_boundary(*end)) {
            assert!(read(&text[..end]).is_err(), "{format:?} cut at {end}");
        }
    }
}

#[test]
fn every_kind_of_broken_journal_is_told_apart() {
    let text = render(Format::Lines, &samples::verify_ok()).unwrap();
    let cut = &text[..text.len() - 20];
    assert!(matches!(read(cut), Err(JournalError::CutOff { line: 5 })));
    let lines: Vec<&str> = text.lines().collect();
    let unfinished = lines[..3].join("\n");
    assert!(matches!(read(&unfinished), Err(JournalError::Unfinished)));
    assert!(matches!(read(" \n"), Err(JournalError::Empty)));
    assert!(matches!(
        read(&text.repeat(2)),
        Err(JournalError::SeveralRuns)
    ));
    assert!(matches!(
        read("garbage"),
        Err(JournalError::NoEvent { line: 1, .. })
    ));
    let second = format!("{}\n{{\"event\":\"nonsense\"}}\n", lines[0]);
    assert!(matches!(
        read(&second),
        Err(JournalError::NoEvent { line: 2, .. })
    ));
    assert!(matches!(
        read(r#"{"version":2,"events":[]}"#),
        Err(JournalError::OtherVersion { version: 2 })
    ));
    assert!(matches!(
        read(r#"{"version":1,"events":[]}"#),
        Err(JournalError::Unfinished)
    ));
}

#[test]
fn the_ending_tells_the_format() {
    let format = |path: &str| ReportFile::of(path.into()).map(|file| file.format);
    for (path, expected) in [
        ("a.json", Format::Journal),
        ("out/a.jsonl", Format::Lines),
        ("a.ndjson", Format::Lines),
        ("a.XML", Format::JUnit),
        ("a.b.svg", Format::Timeline),
        ("/tmp/a.html", Format::Page),
    ] {
        assert_eq!(format(path).unwrap(), expected, "{path}");
    }
    for path in ["a", "a.pdf", "json", ".json", "a.", ""] {
        assert!(format(path).is_err(), "{path}");
    }
}
