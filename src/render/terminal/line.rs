//! A line to show: pieces of text, each with a tone that becomes a colour only when it is written.
//!
//! Every piece is sanitised when it is added, and the line as a whole when it is rendered. Text from a
//! cluster reaches a terminal in no other way.

use std::fmt::Write;

use anstyle::{AnsiColor, Style};
use console::{measure_text_width, truncate_str};

use super::breaks::{HANGING, bound, released};
use crate::exit::Outcome;
use crate::ui::{Stream, break_workflow_commands, brief, sanitise};

/// The importance of a line. A display shows all lines from its own level on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Level {
    /// A step that bars also show.
    Step,
    /// A step.
    Progress,
    /// A result.
    Result,
    /// An error or a warning.
    Problem,
}

/// The tone of a piece of text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tone {
    /// No particular tone.
    Plain,
    /// Good; an added line of a diff.
    Good,
    /// Bad; a removed line of a diff.
    Bad,
    /// Unknown or pending.
    Doubt,
    /// A name or a heading.
    Strong,
    /// Less important than the rest.
    Faint,
    /// The position in a diff.
    Position,
    /// Text about the replica with this ordinal.
    Ordinal(i32),
}

/// Colours that differ from each other and from those of good, bad and doubt.
const ORDINAL_COLOURS: [AnsiColor; 6] = [
    AnsiColor::Cyan,
    AnsiColor::Magenta,
    AnsiColor::Blue,
    AnsiColor::BrightCyan,
    AnsiColor::BrightMagenta,
    AnsiColor::BrightBlue,
];

impl Tone {
    fn style(self) -> Style {
        match self {
            Self::Plain => Style::new(),
            Self::Good => AnsiColor::Green.on_default(),
            Self::Bad => AnsiColor::Red.on_default(),
            Self::Doubt => AnsiColor::Yellow.on_default(),
            Self::Strong => Style::new().bold(),
            Self::Faint => Style::new().dimmed(),
            Self::Position => AnsiColor::Cyan.on_default(),
            Self::Ordinal(ordinal) => {
                let count = ORDINAL_COLOURS.len();
                let index = usize::try_from(ordinal).unwrap_or_default() % count;
                ORDINAL_COLOURS
                    .get(index)
                    .map_or_else(Style::new, |colour| colour.on_default())
            }
        }
    }
}

/// The mark of an outcome: one character that needs no colour.
pub(crate) fn mark(outcome: Outcome) -> (&'static str, Tone) {
    match outcome {
        Outcome::Success => ("✓", Tone::Good),
        Outcome::Different => ("~", Tone::Doubt),
        Outcome::Unhealthy => ("✗", Tone::Bad),
        Outcome::Undecided => ("?", Tone::Doubt),
    }
}

/// Splits pieces at the spaces at which a line may break; a word may have parts with different tones.
fn words(pieces: &[(Tone, String)]) -> Vec<Vec<(Tone, String)>> {
    let plain: String = pieces.iter().map(|(_, text)| text.as_str()).collect();
    let bound = bound(&plain);
    let mut characters = bound.chars();
    let mut words: Vec<Vec<(Tone, String)>> = vec![Vec::new()];
    for (tone, text) in pieces {
        let piece: String = characters.by_ref().take(text.chars().count()).collect();
        for (index, part) in piece.split(' ').enumerate() {
            if index > 0 {
                words.push(Vec::new());
            }
            if let Some(word) = words.last_mut().filter(|_| !part.is_empty()) {
                word.push((*tone, released(part)));
            }
        }
    }
    words
}

/// A line to show.
#[derive(Debug, Clone)]
pub(crate) struct Line {
    /// The stream to write it to.
    pub(crate) stream: Stream,
    /// Its importance.
    pub(crate) level: Level,
    pieces: Vec<(Tone, String)>,
    /// Whether it is never broken, because it is to be copied.
    is_whole: bool,
}

impl Line {
    /// An empty line of data for standard output.
    pub(crate) fn data() -> Self {
        Self {
            stream: Stream::Stdout,
            level: Level::Result,
            pieces: Vec::new(),
            is_whole: false,
        }
    }

    /// An empty line for people.
    pub(crate) fn said(level: Level) -> Self {
        Self {
            stream: Stream::Stderr,
            level,
            pieces: Vec::new(),
            is_whole: false,
        }
    }

    /// Marks the line as a command to paste, which is never broken.
    pub(crate) fn whole(self) -> Self {
        Self {
            is_whole: true,
            ..self
        }
    }

    /// A line that begins with the mark of an outcome; bad outcomes have the level of a problem.
    pub(crate) fn of(outcome: Outcome) -> Self {
        let level = match outcome {
            Outcome::Success | Outcome::Different => Level::Result,
            Outcome::Unhealthy | Outcome::Undecided => Level::Problem,
        };
        let (sign, tone) = mark(outcome);
        Self::said(level).with(tone, sign).text(" ")
    }

    /// The summary line of a run: the mark, and for bad outcomes the name of the exit status.
    pub(crate) fn summary(outcome: Outcome) -> Self {
        let (_, tone) = mark(outcome);
        match outcome {
            Outcome::Success | Outcome::Different => Self::of(outcome),
            Outcome::Unhealthy => Self::of(outcome).with(tone, "unhealthy").text(": "),
            Outcome::Undecided => Self::of(outcome).with(tone, "undecided").text(": "),
        }
    }

    /// Adds a piece with a tone.
    pub(crate) fn with(mut self, tone: Tone, text: impl AsRef<str>) -> Self {
        let text = text.as_ref();
        let text = match self.stream {
            // Data is never truncated.
            Stream::Stdout => sanitise(text),
            Stream::Stderr => brief(text),
        };
        self.pieces.push((tone, text));
        self
    }

    /// Adds a piece.
    pub(crate) fn text(self, text: impl AsRef<str>) -> Self {
        self.with(Tone::Plain, text)
    }

    /// The line, truncated to a width.
    pub(crate) fn shortened(mut self, width: usize) -> Self {
        let mut room = width;
        for (_, text) in &mut self.pieces {
            let used = measure_text_width(text);
            if used > room {
                *text = if room == 0 {
                    String::new()
                } else {
                    truncate_str(text, room, "…").into_owned()
                };
            }
            room = room.saturating_sub(used);
        }
        self
    }

    /// The line, broken between words at a width, with extra indentation for continuation lines. Long
    /// words and data are never broken.
    pub(crate) fn wrapped(self, width: usize) -> Vec<Self> {
        let plain: String = self.pieces.iter().map(|(_, text)| text.as_str()).collect();
        if self.is_whole || self.stream == Stream::Stdout || measure_text_width(&plain) <= width {
            return vec![self];
        }
        let start = plain.len() - plain.trim_start_matches(' ').len();
        let indent = " ".repeat(start + HANGING);
        let empty = Self {
            pieces: Vec::new(),
            ..self
        };
        let mut lines = vec![empty.clone()];
        let mut used = 0;
        for word in words(&self.pieces) {
            let needed: usize = word.iter().map(|(_, text)| measure_text_width(text)).sum();
            let Some(mut line) = lines.pop() else {
                break;
            };
            let is_first = line.pieces.is_empty();
            if !is_first && used + 1 + needed > width && used > indent.len() {
                lines.push(line);
                line = empty.clone().text(&indent);
                used = indent.len();
            } else if !is_first {
                line.join(Tone::Plain, " ");
                used += 1;
            }
            for (tone, text) in word {
                line.join(tone, &text);
            }
            if is_first {
                line.join(Tone::Plain, "");
            }
            used += needed;
            lines.push(line);
        }
        lines
    }

    /// Appends sanitised text, to the last piece if the tone is the same.
    fn join(&mut self, tone: Tone, text: &str) {
        match self.pieces.last_mut() {
            Some((last, piece)) if *last == tone => piece.push_str(text),
            _ => self.pieces.push((tone, text.to_owned())),
        }
    }

    /// The rendered line, without a line ending.
    pub(crate) fn render(&self, with_colour: bool) -> String {
        let plain: String = self.pieces.iter().map(|(_, text)| text.as_str()).collect();
        let safe = break_workflow_commands(&plain);
        if !with_colour || safe != plain {
            return safe;
        }
        let mut painted = String::with_capacity(plain.len());
        for (tone, text) in &self.pieces {
            let style = tone.style();
            // Writing to a String cannot fail.
            let _ = write!(painted, "{style}{text}{style:#}");
        }
        painted
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colour_adds_only_what_it_adds() {
        let line = Line::said(Level::Result)
            .with(Tone::Good, "ok")
            .text(" then");
        assert_eq!(line.render(false), "ok then");
        assert_eq!(line.render(true), "\u{1b}[32mok\u{1b}[0m then");
    }

    #[test]
    fn a_line_breaks_between_words_only() {
        let line = Line::said(Level::Result)
            .text("  - ")
            .with(Tone::Strong, "statefulset/cryptoserver")
            .text(": one of its replicas is not Ready");
        let lines: Vec<String> = line
            .wrapped(34)
            .iter()
            .map(|line| line.render(false))
            .collect();
        assert_eq!(
            lines,
            [
                "  - statefulset/cryptoserver: one",
                "    of its replicas is not Ready"
            ]
        );
    }

    #[test]
    fn what_is_copied_is_never_broken() {
        let command = || Line::said(Level::Problem).text("kubectl logs pod/web-0 --previous");
        assert_eq!(command().whole().wrapped(20).len(), 1);
        assert!(command().wrapped(20).len() > 1);
        assert_eq!(command().wrapped(usize::MAX).len(), 1);
    }

    #[test]
    fn pieces_together_cannot_form_a_command() {
        for with_colour in [false, true] {
            let line = Line::data().text(":").with(Tone::Bad, ":error::mine");
            assert_eq!(line.render(with_colour), ": :error::mine");
        }
    }
}
