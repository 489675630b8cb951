//! The README's picture is the rendering of real runs, which `tests/fixtures/runs` records.

use cryptoctl::event::Event;
use cryptoctl::render::render_to_text;

const WIDTH: usize = 90;

fn recorded(command: &str, run: &str) -> String {
    let events: Vec<Event> = run
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    format!("$ {command}\n{}\n", render_to_text(&events, WIDTH, true))
}

#[test]
fn the_picture_shows_what_the_runs_said() {
    let screen = [
        recorded("cryptoctl up", include_str!("../fixtures/runs/up.jsonl")),
        recorded(
            "cryptoctl verify",
            include_str!("../fixtures/runs/verify.jsonl"),
        ),
        recorded(
            "cryptoctl chaos --yes",
            include_str!("../fixtures/runs/chaos.jsonl"),
        ),
    ]
    .concat();
    snapbox::assert_data_eq!(screen, snapbox::file!["../../docs/demo.svg": TermSvg]);
}
