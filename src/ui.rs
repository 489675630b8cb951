//! The only module that touches standard output, standard error and the terminal.
//!
//! Data goes to standard output, messages for the user go to standard error. A `Ui` can use
//! buffers, so that its output can be tested without a process.

mod sanitise;

use std::ffi::OsString;
use std::io::{self, BufRead, IsTerminal, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use console::Term;
use rustix::fs::OFlags;
use thiserror::Error;

pub use self::sanitise::{break_workflow_commands, brief, is_hidden, sanitise};
use crate::file;

/// The values of `--color`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ColorChoice {
    /// Colour if the terminal supports it and nothing forbids it.
    #[default]
    Auto,
    /// Always colour, even into files and pipes.
    Always,
    /// No colour.
    Never,
}

/// One of the two output streams.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stream {
    /// Data: a diff, log lines, JSON lines.
    Stdout,
    /// Messages for the user.
    Stderr,
}

/// The environment variables that concern a terminal.
#[derive(Debug, Clone, Default)]
pub struct Environment {
    /// `NO_COLOR` (see <https://no-colour.org>).
    pub no_color: Option<OsString>,
    /// `TERM`.
    pub term: Option<OsString>,
    /// `CI`, which most build services set.
    pub ci: Option<OsString>,
}

impl Environment {
    /// Whether the user wants no colour anywhere. An empty value has no effect.
    #[must_use]
    pub fn forbids_colour(&self) -> bool {
        self.no_color
            .as_ref()
            .is_some_and(|value| !value.is_empty())
    }

    /// Whether the terminal cannot move its cursor. A terminal without a name counts as such.
    #[must_use]
    pub fn terminal_is_dumb(&self) -> bool {
        self.term
            .as_ref()
            .is_none_or(|term| term.is_empty() || term == "dumb")
    }

    /// Whether this runs on a build service.
    #[must_use]
    pub fn is_ci(&self) -> bool {
        self.ci
            .as_ref()
            .is_some_and(|value| !value.is_empty() && value != "false")
    }
}

/// Why standard output could not be written.
#[derive(Debug, Error)]
pub enum OutputError {
    /// The reader has closed the stream, as `head` does when it has read enough: not a failure.
    #[error("standard output was closed by its reader")]
    Closed,
    /// The data could not be written, for example because the disk is full.
    #[error("failed to write to standard output")]
    Failed(#[source] io::Error),
}

/// The answer to a question at the terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Confirmation {
    /// An explicit yes.
    Yes,
    /// Anything else, including the end of the input.
    No,
    /// There is no terminal to ask on.
    NotATerminal,
}

/// Whether this process was started without a standard output. Rust then opens `/dev/null` for
/// reading and writing in its place (`std`, `sys/pal/unix/mod.rs`); a shell's `>/dev/null` is
/// write-only.
#[must_use]
pub fn output_was_closed() -> bool {
    let output = io::stdout();
    let is_read_too =
        rustix::fs::fcntl_getfl(&output).is_ok_and(|flags| flags.contains(OFlags::RDWR));
    let device = rustix::fs::fstat(&output).map(|about| about.st_rdev);
    let null = rustix::fs::stat("/dev/null").map(|about| about.st_rdev);
    is_read_too && device.is_ok() && device == null
}

/// The streams of a [`Ui`].
pub struct Streams {
    /// Standard output.
    pub output: Box<dyn Write + Send>,
    /// Standard error.
    pub errors: Box<dyn Write + Send>,
    /// Standard input.
    pub input: Box<dyn BufRead + Send>,
    /// Whether standard output is a terminal.
    pub output_is_terminal: bool,
    /// Whether standard error is a terminal.
    pub errors_is_terminal: bool,
    /// Whether standard input is a terminal.
    pub input_is_terminal: bool,
    /// Rows and columns of standard error; `None` queries the terminal each time.
    pub size: Option<(usize, usize)>,
}

impl Streams {
    /// The streams of this process.
    #[must_use]
    pub fn of_process() -> Self {
        Self {
            output: Box::new(io::stdout()),
            errors: Box::new(io::stderr()),
            input: Box::new(io::BufReader::new(io::stdin())),
            output_is_terminal: io::stdout().is_terminal(),
            errors_is_terminal: io::stderr().is_terminal(),
            input_is_terminal: io::stdin().is_terminal(),
            size: None,
        }
    }
}

/// A handle on the terminal; clones share the streams.
#[derive(Clone)]
pub struct Ui {
    shared: Arc<Shared>,
}

struct Shared {
    output: Mutex<Box<dyn Write + Send>>,
    errors: Mutex<Box<dyn Write + Send>>,
    input: Mutex<Box<dyn BufRead + Send>>,
    output_is_terminal: bool,
    errors_is_terminal: bool,
    input_is_terminal: bool,
    size: Option<(usize, usize)>,
    choice: ColorChoice,
    environment: Environment,
    consent: AtomicBool,
}

impl std::fmt::Debug for Ui {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Ui").finish_non_exhaustive()
    }
}

impl Ui {
    /// A handle on these streams.
    #[must_use]
    pub fn new(streams: Streams, choice: ColorChoice, environment: Environment) -> Self {
        Self {
            shared: Arc::new(Shared {
                output: Mutex::new(streams.output),
                errors: Mutex::new(streams.errors),
                input: Mutex::new(streams.input),
                output_is_terminal: streams.output_is_terminal,
                errors_is_terminal: streams.errors_is_terminal,
                input_is_terminal: streams.input_is_terminal,
                size: streams.size,
                choice,
                environment,
                consent: AtomicBool::new(false),
            }),
        }
    }

    /// Writes data to standard output.
    ///
    /// # Errors
    /// When its reader has closed it, or it cannot be written.
    pub fn write_output(&self, data: &str) -> Result<(), OutputError> {
        let mut output = lock(&self.shared.output);
        output
            .write_all(data.as_bytes())
            .and_then(|()| output.flush())
            .map_err(|error| match error.kind() {
                io::ErrorKind::BrokenPipe => OutputError::Closed,
                _ => OutputError::Failed(error),
            })
    }

    /// Writes a message to standard error. If that is closed, the message is lost.
    pub fn write_errors(&self, text: &str) {
        let mut errors = lock(&self.shared.errors);
        let _ = errors
            .write_all(text.as_bytes())
            .and_then(|()| errors.flush());
    }

    /// Reads standard input to its end.
    ///
    /// Blocks until then: call it from a thread that may block.
    ///
    /// # Errors
    /// When it cannot be read, or has more than `largest` bytes.
    pub fn read_input(&self, largest: u64) -> io::Result<Vec<u8>> {
        file::read_stream(&mut *lock(&self.shared.input), largest)
    }

    /// Whether a stream is a terminal.
    #[must_use]
    pub fn is_terminal(&self, stream: Stream) -> bool {
        match stream {
            Stream::Stdout => self.shared.output_is_terminal,
            Stream::Stderr => self.shared.errors_is_terminal,
        }
    }

    /// Whether to colour the output of a stream: an explicit choice comes first, then `NO_COLOR`,
    /// then whether the stream is a terminal with colour support.
    #[must_use]
    pub fn has_colour(&self, stream: Stream) -> bool {
        match self.shared.choice {
            ColorChoice::Always => true,
            ColorChoice::Never => false,
            ColorChoice::Auto => {
                self.is_terminal(stream)
                    && !self.shared.environment.forbids_colour()
                    && !self.shared.environment.terminal_is_dumb()
            }
        }
    }

    /// What the environment says about the terminal.
    #[must_use]
    pub fn environment(&self) -> &Environment {
        &self.shared.environment
    }

    /// The columns of a line on standard error; without a terminal there is no limit.
    #[must_use]
    pub fn width(&self) -> usize {
        self.size().map_or(usize::MAX, |(_, columns)| columns)
    }

    /// The rows of the terminal; without a terminal there is no limit.
    #[must_use]
    pub fn height(&self) -> usize {
        self.size().map_or(usize::MAX, |(rows, _)| rows)
    }

    fn size(&self) -> Option<(usize, usize)> {
        if !self.shared.errors_is_terminal {
            return None;
        }
        self.shared.size.or_else(|| {
            let (rows, columns) = Term::stderr().size_checked()?;
            Some((usize::from(rows), usize::from(columns)))
        })
    }

    /// Whether a user at a terminal can be asked.
    #[must_use]
    pub fn can_ask(&self) -> bool {
        self.shared.input_is_terminal && self.shared.errors_is_terminal
    }

    /// Whether the user has consented to what was shown.
    #[must_use]
    pub fn has_consent(&self) -> bool {
        self.shared.consent.load(Ordering::Relaxed)
    }

    /// Asks a question and reads a line. Anything but an explicit yes counts as no.
    ///
    /// Blocks until there is an answer: call it from a thread that may block.
    #[must_use]
    pub fn confirm(&self, question: &str) -> Confirmation {
        self.confirm_by(&format!("{question} [y/N]"), |answer| {
            matches!(answer.to_lowercase().as_str(), "y" | "yes")
        })
    }

    /// Asks for a name and reads a line. Anything but exactly this name counts as no.
    ///
    /// Blocks until there is an answer: call it from a thread that may block.
    #[must_use]
    pub fn confirm_by_name(&self, question: &str, name: &str) -> Confirmation {
        self.confirm_by(question, |answer| answer == name.trim())
    }

    fn confirm_by(&self, question: &str, is_yes: impl Fn(&str) -> bool) -> Confirmation {
        if !self.can_ask() {
            return Confirmation::NotATerminal;
        }
        let question: Vec<String> = question.lines().map(brief).collect();
        self.write_errors(&format!("{} ", question.join("\n")));
        let mut answer = String::new();
        let read = lock(&self.shared.input).read_line(&mut answer);
        if !matches!(read, Ok(1..)) {
            // The cursor is still after the question.
            self.write_errors("\n");
            return Confirmation::No;
        }
        if is_yes(answer.trim()) {
            self.shared.consent.store(true, Ordering::Relaxed);
            Confirmation::Yes
        } else {
            Confirmation::No
        }
    }
}

/// If a thread panicked while writing, its stream can still be used.
fn lock<T: ?Sized>(stream: &Mutex<T>) -> MutexGuard<'_, T> {
    stream.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;
