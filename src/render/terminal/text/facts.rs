//! Facts below a verdict: a label, and a text wrapped beside it.

use console::measure_text_width;

use crate::render::terminal::breaks::{bound, released};
use crate::render::terminal::line::{Level, Line, Tone};

/// The columns of the label, including its indentation and the gap after it.
const LABEL: usize = 12;

/// A narrower text is unreadable, so a narrower terminal wraps by itself.
const NARROWEST: usize = 20;

/// A fact, wrapped to the width.
pub(super) fn fact(level: Level, label: &str, text: &str, width: usize) -> Vec<Line> {
    let room = width.saturating_sub(LABEL).max(NARROWEST);
    let start = format!("  {label:<rest$}", rest = LABEL - 2);
    parts(text, room)
        .into_iter()
        .enumerate()
        .map(|(index, part)| {
            let line = Line::said(level);
            let line = if index == 0 {
                line.with(Tone::Faint, &start)
            } else {
                line.text(" ".repeat(LABEL))
            };
            line.text(part)
        })
        .collect()
}

/// An entry of a list, wrapped to the width.
pub(super) fn entry(level: Level, text: &str, width: usize) -> Vec<Line> {
    const START: &str = "  - ";
    let room = width.saturating_sub(START.len()).max(NARROWEST);
    parts(text, room)
        .into_iter()
        .enumerate()
        .map(|(index, part)| {
            let start = if index == 0 { START } else { "    " };
            Line::said(level).text(format!("{start}{part}"))
        })
        .collect()
}

/// The text, broken between words; long words are never broken.
fn parts(text: &str, room: usize) -> Vec<String> {
    let mut parts = vec![String::new()];
    for word in bound(text).split(' ') {
        let Some(last) = parts.last_mut() else {
            break;
        };
        if last.is_empty() {
            last.push_str(word);
        } else if measure_text_width(last) + 1 + measure_text_width(word) <= room {
            last.push(' ');
            last.push_str(word);
        } else {
            parts.push(word.to_owned());
        }
    }
    parts.iter().map(|part| released(part)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_wrapped_beside_its_label() {
        let text = "one two three four five six seven eight";
        let lines: Vec<String> = fact(Level::Result, "data", text, 32)
            .iter()
            .map(|line| line.render(false))
            .collect();
        assert_eq!(
            lines,
            [
                "  data      one two three four",
                "            five six seven eight"
            ]
        );
    }
}
