//! Why a workload is not ready: the cause, the evidence and the next commands.

use crate::address::is_command;
use crate::diagnose::Diagnosis;
use crate::render::terminal::line::{Level, Line, Tone};

/// The cause with its evidence and hints.
pub(super) fn lines(diagnosis: &Diagnosis) -> Vec<Line> {
    let problem = || Line::said(Level::Problem);
    let mut lines = vec![
        problem()
            .with(Tone::Bad, "cause: ")
            .text(&diagnosis.message)
            .with(Tone::Faint, place(diagnosis)),
    ];
    lines.extend(evidence(diagnosis).map(|line| problem().with(Tone::Faint, "  | ").text(line)));
    lines.extend(hints(&diagnosis.next));
    lines
}

/// The lines of the evidence, without what the sentence says already.
pub(super) fn evidence(diagnosis: &Diagnosis) -> impl Iterator<Item = &str> {
    let evidence = diagnosis.evidence.iter().map(|it| it.words.as_str());
    evidence
        .filter(|words| !diagnosis.message.contains(words))
        .flat_map(str::lines)
}

/// The object and the container, unless the sentence names them already.
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

/// Hints after an empty line: commands to paste, which are never broken, or sentences with commands.
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
