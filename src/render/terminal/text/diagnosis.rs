//! Why a workload is not ready: the cause, what it was read from, and what to run next.

use crate::address::is_command;
use crate::diagnose::Diagnosis;
use crate::render::terminal::line::{Level, Line, Tone};

/// The cause in full.
pub(super) fn lines(diagnosis: &Diagnosis) -> Vec<Line> {
    let problem = || Line::said(Level::Problem);
    let mut lines = vec![
        problem()
            .with(Tone::Bad, "cause: ")
            .text(&diagnosis.message)
            .with(Tone::Faint, place(diagnosis)),
    ];
    let evidence = diagnosis
        .evidence
        .iter()
        .flat_map(|evidence| evidence.lines());
    lines.extend(evidence.map(|line| problem().with(Tone::Faint, "  | ").text(line)));
    lines.extend(hints(&diagnosis.next));
    lines
}

/// Where it is, as far as the sentence does not say so itself.
fn place(diagnosis: &Diagnosis) -> String {
    let object = format!("`{}`", diagnosis.object);
    let container = diagnosis.container.as_ref();
    let container = container.map(|name| format!("container `{name}`"));
    let parts: Vec<String> = [Some(object), container]
        .into_iter()
        .flatten()
        .filter(|part| !diagnosis.message.contains(part))
        .collect();
    if parts.is_empty() {
        String::new()
    } else {
        format!(" ({})", parts.join(", "))
    }
}

/// Commands to paste, which are never broken, and sentences that quote some; after an empty line.
pub(super) fn hints(hints: &[String]) -> Vec<Line> {
    if hints.is_empty() {
        return Vec::new();
    }
    let problem = || Line::said(Level::Problem);
    let mut lines = vec![problem()];
    for hint in hints {
        for (index, line) in hint.lines().enumerate() {
            let label = if index == 0 { "hint: " } else { "      " };
            let line = problem().with(Tone::Position, label).text(line);
            lines.push(if is_command(hint) { line.whole() } else { line });
        }
    }
    lines
}
