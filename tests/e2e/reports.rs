//! The report files of a real experiment, and its page in a real browser.

use std::path::Path;

use serde_json::Value;

use crate::harness::Namespace;
use crate::{browser, sets};

/// Figures of a page that every browser has to show.
const FIGURES: [&str; 7] = [
    "/availability/share",
    "/availability/none_answered_ms",
    "/availability/replicas/0/longest_outage_ms",
    "/availability/replicas/1/right",
    "/prober/largest_gap_ms",
    "/faults/0/phases/ready",
    "/data/preserved",
];

#[test]
fn the_page_of_an_experiment_shows_its_figures_in_a_real_browser() {
    let namespace = Namespace::new("report");
    let set = sets::built_in(&namespace, 200);
    namespace.cryptoctl(&["up", "-f", &set]).expect(0);
    let file = |name: &str| namespace.folder().join(name).display().to_string();
    let (journal, page, picture, junit) =
        (file("a.json"), file("a.html"), file("a.svg"), file("a.xml"));
    let chaos = [
        "-o", "json", "chaos", "-f", &set, "--path", "/keys", "--yes",
    ];
    let files = [
        "--report", &journal, "--report", &page, "--report", &picture,
    ];
    let ended = namespace
        .cryptoctl(&[&chaos[..], &files, &["--report", &junit]].concat())
        .expect(0);
    let report = ended.report();

    let text = std::fs::read_to_string(&journal).unwrap();
    let recorded: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(recorded["events"].as_array().unwrap(), &ended.events());

    let rendered = browser::load(Path::new(&page));
    assert_eq!(rendered.console, Vec::<String>::new());
    let shown = figures(&rendered.document);
    for place in FIGURES {
        assert!(shown.iter().any(|(known, _)| known == place), "{place}");
    }
    for (place, value) in shown {
        let expected = report.pointer(&place).unwrap_or_else(|| panic!("{place}"));
        let is_same = match (value.parse::<f64>(), expected.as_f64()) {
            (Ok(shown), Some(expected)) => (shown - expected).abs() < f64::EPSILON,
            _ => {
                value
                    == expected
                        .as_str()
                        .map_or(expected.to_string(), str::to_owned)
            }
        };
        assert!(
            is_same,
            "{place}: {value} is shown, and {expected} reported"
        );
    }

    let phone = browser::on_a_phone(Path::new(&page));
    assert_eq!(
        phone.scroll_width, phone.width,
        "nothing is wider than a phone"
    );
    assert_eq!(phone.heading, "✓ Survived");
    assert!(phone.strips.len() >= 2, "a strip for each replica");
    assert!(
        phone.strips.iter().all(|height| *height > 5.0),
        "all can be seen"
    );

    let drawn = browser::load(Path::new(&picture));
    assert_eq!(drawn.console, Vec::<String>::new());
    assert!(drawn.document.contains("<svg"), "it is well-formed");

    let again = file("again.html");
    namespace
        .cryptoctl(&["report", &journal, "--report", &again])
        .expect(0);
    assert_eq!(
        std::fs::read_to_string(&again).unwrap(),
        std::fs::read_to_string(&page).unwrap(),
        "an old journal gives the page that its run gave"
    );
    namespace
        .cryptoctl(&["down", "-f", &set, "--yes", "--delete-data"])
        .expect(0);
}

fn figures(document: &str) -> Vec<(String, String)> {
    let attribute = |tag: &str, name: &str| {
        let (_, rest) = tag.split_once(&format!("{name}=\"")).unwrap();
        rest.split_once('"').unwrap().0.to_owned()
    };
    document
        .split("<data ")
        .skip(1)
        .map(|tag| (attribute(tag, "data-figure"), attribute(tag, "value")))
        .collect()
}
