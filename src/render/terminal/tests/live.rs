//! The rendering task: it uses the right streams and shows the same as the recording.

use std::io::{self, Write};

use super::samples;
use crate::emitter::Events;
use crate::event::Event;
use crate::render::terminal::bars::{Bars, Row, erasure};
use crate::render::terminal::{Chunks, Display, render_to_text, run};
use crate::ui::testing::{captured, streams};
use crate::ui::{ColorChoice, Environment, OutputError, Stream, Ui};

fn shown(display: Display, events: &[Event], size: Option<(usize, usize)>) -> (String, String) {
    let (ui, output, errors) = captured(size);
    render(display, ui, events).unwrap();
    (output.text(), errors.text())
}

fn render(display: Display, ui: Ui, events: &[Event]) -> Result<(), OutputError> {
    let events = Events::recorded(events.iter().cloned());
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .unwrap();
    runtime.block_on(run(display, ui, events))
}

#[test]
fn a_recorded_run_reads_like_the_live_one() {
    for (name, events) in samples::all() {
        let (output, errors) = shown(Display::Plain, &events, Some((24, 80)));
        let recorded = render_to_text(&events, 80, false);
        let mut live: Vec<&str> = output.lines().chain(errors.lines()).collect();
        let mut recorded: Vec<&str> = recorded.lines().collect();
        live.sort_unstable();
        recorded.sort_unstable();
        assert_eq!(live, recorded, "{name}");
    }
}

#[test]
fn only_data_goes_to_standard_output() {
    for (name, events) in samples::all() {
        let (output, _) = shown(Display::Plain, &events, None);
        assert_eq!(
            !output.is_empty(),
            ["diff", "logs", "rollout-history"].contains(&name),
            "{name}: {output}"
        );
    }
}

#[test]
fn json_lines_are_the_events_themselves() {
    for (name, events) in samples::all() {
        let (output, errors) = shown(Display::Json, &events, None);
        assert_eq!(output.lines().count(), events.len(), "{name}");
        for line in output.lines() {
            serde_json::from_str::<Event>(line).unwrap();
        }
        assert!(
            output
                .lines()
                .last()
                .unwrap()
                .contains(r#""event":"finished""#)
        );
        assert_eq!(
            errors.contains("error:"),
            name == "up-refused",
            "{name}: {errors}"
        );
    }
}

#[test]
fn quiet_says_bad_news_only() {
    let (_, errors) = shown(Display::Quiet, &samples::up(), None);
    assert_eq!(errors, "");
    let (_, errors) = shown(Display::Quiet, &samples::verify_disagreeing(), None);
    assert!(errors.contains("the replicas disagree"), "{errors}");
    let (output, _) = shown(Display::Quiet, &samples::diff(), None);
    assert!(output.contains("+  replicas: 2"), "the data stays");
}

#[test]
fn results_leave_out_the_way_there() {
    let (_, errors) = shown(Display::Results, &samples::up(), None);
    assert!(!errors.contains('→'), "{errors}");
    assert!(
        errors.contains("statefulset/cryptoserver created"),
        "{errors}"
    );
}

#[test]
fn a_quick_run_draws_no_bars() {
    let (_, errors) = shown(Display::Bars, &samples::verify_ok(), Some((24, 80)));
    assert!(!errors.contains('\u{1b}'), "{errors:?}");
}

struct Closed;

impl Write for Closed {
    fn write(&mut self, _: &[u8]) -> io::Result<usize> {
        Err(io::ErrorKind::BrokenPipe.into())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_closed_output_ends_the_rendering_quietly() {
    let (mut streams, _, errors) = streams(None, "");
    streams.output = Box::new(Closed);
    let ui = Ui::new(streams, ColorChoice::Never, Environment::default());
    let end = render(Display::Json, ui, &samples::up());
    assert!(matches!(end, Err(OutputError::Closed)));
    assert_eq!(errors.text(), "");
}

#[test]
fn bars_are_drawn_below_the_text_and_cleared() {
    let (ui, _, errors) = captured(Some((24, 80)));
    let mut bars = Bars::new(ui);
    for event in samples::up()
        .iter()
        .filter(|event| event.elapsed_ms <= 4_500)
    {
        bars.record(event);
    }
    bars.draw().unwrap();
    let drawn = errors.text();
    assert!(
        drawn.contains("1/2 Ready") && drawn.contains("cryptoserver-1"),
        "{drawn:?}"
    );
    let rows = drawn.lines().count() - 1;
    let said = |text: &str| {
        let mut chunks = Chunks::default();
        chunks.push(Stream::Stderr, text);
        chunks
    };
    // With rows on the screen, text waits for the next drawing; ten per second are enough.
    bars.say(said("said\n")).unwrap();
    assert_eq!(errors.text(), drawn);
    bars.end(said("the end\n")).unwrap();
    let end = errors.text().split_off(drawn.len());
    let expected = format!("\u{1b}[?2026h\r\u{1b}[{rows}A\u{1b}[Jsaid\nthe end\n\u{1b}[?2026l");
    assert_eq!(end, expected);
}

#[test]
fn rows_of_a_terminal_that_became_narrower_are_all_taken_away() {
    let row = |columns| Row {
        text: "a".repeat(columns),
        columns,
    };
    let rows = [row(70), row(10)];
    assert_eq!(erasure(&rows, 80), "\r\u{1b}[2A\u{1b}[J");
    assert_eq!(erasure(&rows, 60), "\r\u{1b}[3A\u{1b}[J");
    assert_eq!(erasure(&[], 60), "");
}

#[test]
fn without_rows_text_is_said_at_once() {
    let (ui, _, errors) = captured(Some((24, 80)));
    let mut bars = Bars::new(ui);
    let mut chunks = Chunks::default();
    chunks.push(Stream::Stderr, "said\n");
    bars.say(chunks).unwrap();
    assert_eq!(errors.text(), "said\n");
}

#[test]
fn nothing_is_shown_after_the_last_event() {
    let mut events = samples::down();
    let count = events.len();
    events.push(samples::started("late"));
    let (output, _) = shown(Display::Json, &events, None);
    assert_eq!(output.lines().count(), count);
}
