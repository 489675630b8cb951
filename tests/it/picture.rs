//! The README's pictures render real runs, which are recorded in `tests/fixtures/runs`.

use cryptoctl::event::{Event, EventKind};
use cryptoctl::render::document::{self, Format};
use cryptoctl::render::terminal::{live_view, render_to_text};
use cryptoctl::report::RecoveryPhase;

const WIDTH: usize = 90;

const CHAOS: &str = include_str!("../fixtures/runs/chaos.jsonl");

fn events(run: &str) -> Vec<Event> {
    run.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

fn recorded(command: &str, run: &str) -> String {
    format!(
        "$ {command}\n{}\n",
        render_to_text(&events(run), WIDTH, true)
    )
}

#[test]
fn the_picture_shows_the_output_of_the_runs() {
    let screen = [
        recorded("cryptoctl up", include_str!("../fixtures/runs/up.jsonl")),
        recorded(
            "cryptoctl verify",
            include_str!("../fixtures/runs/verify.jsonl"),
        ),
        recorded("cryptoctl chaos --yes", CHAOS),
    ]
    .concat();
    snapbox::assert_data_eq!(screen, snapbox::file!["../../docs/demo.svg": TermSvg]);
}

#[test]
fn the_live_view_is_the_one_of_a_run_while_it_recovers() {
    let events = events(CHAOS);
    let is_started = |event: &Event| matches!(&event.kind, EventKind::Phase { phase, .. } if *phase == RecoveryPhase::Started);
    let seen = events.iter().position(is_started).unwrap() + 1;
    let view = live_view(&events[..seen], WIDTH, true);
    let screen = format!("$ cryptoctl chaos --yes\n{view}");
    snapbox::assert_data_eq!(screen, snapbox::file!["../../docs/live.svg": TermSvg]);
}

#[test]
fn the_timeline_is_the_one_of_the_same_run() {
    let timeline = document::render(Format::Timeline, &events(CHAOS)).unwrap();
    snapbox::assert_data_eq!(timeline, snapbox::file!["../../docs/timeline.svg": Text]);
}
