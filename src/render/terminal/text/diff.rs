//! The diff: data, on standard output.

use crate::action::Action;
use crate::exit::Outcome;
use crate::render::terminal::line::{Line, Tone};
use crate::report::DiffReport;

/// Every patch, line by line, in diff colours.
pub(super) fn patches(report: &DiffReport) -> Vec<Line> {
    report
        .objects
        .iter()
        .flat_map(|object| object.patch.lines())
        .map(|line| Line::data().with(tone(line), line))
        .collect()
}

fn tone(line: &str) -> Tone {
    if line.starts_with("+++ ") || line.starts_with("--- ") {
        return Tone::Strong;
    }
    match line.as_bytes().first() {
        Some(b'+') => Tone::Good,
        Some(b'-') => Tone::Bad,
        Some(b'@') => Tone::Position,
        _ => Tone::Plain,
    }
}

/// The number of objects for each action.
pub(super) fn counts(report: &DiffReport) -> String {
    let count = |action| {
        report
            .objects
            .iter()
            .filter(|object| object.action == action)
            .count()
    };
    let parts = [
        (count(Action::Create), "to create"),
        (count(Action::Change), "to change"),
        (count(Action::Delete), "to delete"),
        (
            count(Action::Own),
            "unchanged but not yet owned by cryptoctl",
        ),
        (count(Action::Keep), "unchanged"),
    ];
    let said: Vec<String> = parts
        .into_iter()
        .filter(|(number, _)| *number > 0)
        .map(|(number, words)| format!("{number} {words}"))
        .collect();
    let said = said.join(", ");
    match report.outcome() {
        _ if report.objects.is_empty() => "nothing to compare".to_owned(),
        Outcome::Success => format!("no difference: {said}"),
        _ => said,
    }
}
