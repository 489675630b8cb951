//! Chooses the display, once, before the first event.

use crate::ui::{Stream, Ui};

/// The value of `--progress`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Progress {
    /// Bars on a capable terminal outside of build services, plain lines elsewhere.
    #[default]
    Auto,
    /// Bars on any capable terminal, even in a build service.
    Bars,
    /// A line for each step.
    Plain,
    /// Only the result.
    None,
}

/// The value of `-o`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum OutputFormat {
    /// Text for people.
    #[default]
    Text,
    /// One JSON object on each line.
    Json,
}

/// The kind of standard error.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Terminal {
    /// A file or a pipe.
    #[default]
    None,
    /// A terminal that cannot move its cursor: `TERM=dumb`, or no `TERM`.
    Dumb,
    /// A terminal that can move its cursor.
    Capable,
}

/// The inputs of the decision.
#[derive(Debug, Clone, Copy, Default)]
pub struct Circumstances {
    /// The value of `-o`.
    pub output: OutputFormat,
    /// The value of `--progress`.
    pub progress: Progress,
    /// Whether `-q` was given.
    pub is_quiet: bool,
    /// The kind of standard error.
    pub terminal: Terminal,
    /// Whether it runs in a build service.
    pub is_ci: bool,
}

impl Circumstances {
    /// The flags, and the facts about standard error.
    #[must_use]
    pub fn new(output: OutputFormat, progress: Progress, is_quiet: bool, ui: &Ui) -> Self {
        let terminal = match ui.is_terminal(Stream::Stderr) {
            false => Terminal::None,
            true if ui.environment().terminal_is_dumb() => Terminal::Dumb,
            true => Terminal::Capable,
        };
        Self {
            output,
            progress,
            is_quiet,
            terminal,
            is_ci: ui.environment().is_ci(),
        }
    }
}

/// What is shown and where.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Display {
    /// Every event as a JSON line on standard output; errors also as text.
    Json,
    /// A line for each step.
    Plain,
    /// Live bars below permanent lines.
    Bars,
    /// Results, without the steps.
    Results,
    /// Warnings, errors and bad results.
    Quiet,
}

impl Display {
    /// Chooses the display. The first matching row wins:
    ///
    /// | `-o` | `-q` | `--progress` | standard error | display |
    /// |---|---|---|---|---|
    /// | json | | | | `Json` |
    /// | text | yes | | | `Quiet` |
    /// | text | no | none | | `Results` |
    /// | text | no | plain | | `Plain` |
    /// | text | no | bars, auto | no terminal | `Plain` |
    /// | text | no | bars, auto | a terminal with `TERM=dumb` or none | `Plain` |
    /// | text | no | bars | a terminal | `Bars` |
    /// | text | no | auto | a terminal of a build service (`CI`) | `Plain` |
    /// | text | no | auto | a terminal | `Bars` |
    ///
    /// `NO_COLOR` is not in the table, because it removes the colour, not the bars.
    #[must_use]
    pub fn decide(circumstances: &Circumstances) -> Self {
        if circumstances.output == OutputFormat::Json {
            return Self::Json;
        }
        if circumstances.is_quiet {
            return Self::Quiet;
        }
        let can_draw = circumstances.terminal == Terminal::Capable;
        match circumstances.progress {
            Progress::None => Self::Results,
            Progress::Bars if can_draw => Self::Bars,
            Progress::Auto if can_draw && !circumstances.is_ci => Self::Bars,
            Progress::Auto | Progress::Bars | Progress::Plain => Self::Plain,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TERMINAL: Circumstances = Circumstances {
        output: OutputFormat::Text,
        progress: Progress::Auto,
        is_quiet: false,
        terminal: Terminal::Capable,
        is_ci: false,
    };

    #[test]
    fn every_row_of_the_table_holds() {
        let with = |progress| Circumstances {
            progress,
            ..TERMINAL
        };
        let json = Circumstances {
            output: OutputFormat::Json,
            ..TERMINAL
        };
        let quiet = |circumstances| Circumstances {
            is_quiet: true,
            ..circumstances
        };
        let piped = |circumstances| Circumstances {
            terminal: Terminal::None,
            ..circumstances
        };
        let dumb = |circumstances| Circumstances {
            terminal: Terminal::Dumb,
            ..circumstances
        };
        let ci = |circumstances| Circumstances {
            is_ci: true,
            ..circumstances
        };
        let table = [
            (json, Display::Json),
            (quiet(json), Display::Json),
            (quiet(TERMINAL), Display::Quiet),
            (quiet(with(Progress::Bars)), Display::Quiet),
            (with(Progress::None), Display::Results),
            (with(Progress::Plain), Display::Plain),
            (piped(TERMINAL), Display::Plain),
            (piped(with(Progress::Bars)), Display::Plain),
            (dumb(TERMINAL), Display::Plain),
            (dumb(with(Progress::Bars)), Display::Plain),
            (with(Progress::Bars), Display::Bars),
            (ci(with(Progress::Bars)), Display::Bars),
            (ci(TERMINAL), Display::Plain),
            (TERMINAL, Display::Bars),
        ];
        for (circumstances, expected) in table {
            assert_eq!(
                Display::decide(&circumstances),
                expected,
                "{circumstances:?}"
            );
        }
    }
}
