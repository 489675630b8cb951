//! The only module that touches standard output, standard error and the terminal.
//!
//! Data goes to standard output, everything said to a person goes to standard error. A `Ui` can be
//! built on buffers, so that whatever is written can be tested without a process.

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

/// What `--color` says.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ColorChoice {
    /// Colour where a terminal shows it and nobody objects.
    #[default]
    Auto,
    /// Colour in any case, into files and pipes too.
    Always,
    /// No colour.
    Never,
}

/// One of the two streams that are written to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stream {
    /// Data: a diff, log lines, JSON lines.
    Stdout,
    /// What is said to a person.
    Stderr,
}

/// The values of the environment variables that concern a terminal.
#[derive(Debug, Clone, Default)]
pub struct Environment {
    /// `NO_COLOR` (see <https://no-color.org>).
    pub no_color: Option<OsString>,
    /// `TERM`.
    pub term: Option<OsString>,
    /// `CI`, which the usual build services set.
    pub ci: Option<OsString>,
}

impl Environment {
    /// Whether the user wants no colour anywhere. An empty value means nothing.
    #[must_use]
    pub fn forbids_colour(&self) -> bool {
        self.no_color
            .as_ref()
            .is_some_and(|value| !value.is_empty())
    }

    /// Whether the terminal cannot move its cursor. One without a name is taken for such a one.
    #[must_use]
    pub fn terminal_is_dumb(&self) -> bool {
        self.term
            .as_ref()
            .is_none_or(|term| term.is_empty() || term == "dumb")
    }

    /// Whether a build service runs this.
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
    /// The reader has gone, as `head` does when it has seen enough: no failure.
    #[error("nobody reads standard output any more")]
    Closed,
    /// The data could not be delivered, to a full disk for example.
    #[error("failed to write to standard output")]
    Failed(#[source] io::Error),
}

/// The answer to a question at the terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Confirmation {
    /// Yes, said explicitly.
    Yes,
    /// Anything else, the end of the input included.
    No,
    /// Nobody could be asked.
    NotATerminal,
}

/// Whether this process was started without a standard output. Rust then puts `/dev/null` in its place,
/// for reading and writing (`std`, `sys/pal/unix/mod.rs`); a shell's `>/dev/null` is for writing only.
#[must_use]
pub fn output_was_closed() -> bool {
    let output = io::stdout();
    let is_read_too =
        rustix::fs::fcntl_getfl(&output).is_ok_and(|flags| flags.contains(OFlags::RDWR));
    let device = rustix::fs::fstat(&output).map(|about| about.st_rdev);
    let null = rustix::fs::stat("/dev/null").map(|about| about.st_rdev);
    is_read_too && device.is_ok() && device == null
}

/// Where a [`Ui`] reads and writes.
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
    /// Rows and columns of standard error; `None` asks the terminal each time.
    pub size: Option<(usize, usize)>,
}

impl Streams {
    /// Those of this process.
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
    /// When nobody reads it any more, or it cannot be delivered.
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

    /// Says something on standard error. When that is closed there is nobody left to be told.
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

    /// Whether to colour what goes to a stream: an explicit choice wins, then `NO_COLOR`, then
    /// whether the stream is a terminal that knows more than plain characters.
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

    /// The columns that fit on a line of standard error; without a terminal there is no limit.
    #[must_use]
    pub fn width(&self) -> usize {
        self.size().map_or(usize::MAX, |(_, columns)| columns)
    }

    /// The rows that fit on the terminal; without a terminal there is no limit.
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

    /// Whether there is somebody at a terminal who could be asked.
    #[must_use]
    pub fn can_ask(&self) -> bool {
        self.shared.input_is_terminal && self.shared.errors_is_terminal
    }

    /// Whether somebody was shown what will be done, and has said yes.
    #[must_use]
    pub fn has_consent(&self) -> bool {
        self.shared.consent.load(Ordering::Relaxed)
    }

    /// Asks a question and reads a line. Everything but an explicit yes is a no.
    ///
    /// Blocks until there is an answer: call it from a thread that may block.
    #[must_use]
    pub fn confirm(&self, question: &str) -> Confirmation {
        self.confirm_by(&format!("{question} [y/N]"), |answer| {
            matches!(answer.to_lowercase().as_str(), "y" | "yes")
        })
    }

    /// Asks for a name and reads a line. Everything but this very name is a no.
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
            // The cursor still stands behind the question.
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

/// A thread that panicked while it wrote leaves a stream that can still be written to.
fn lock<T: ?Sized>(stream: &Mutex<T>) -> MutexGuard<'_, T> {
    stream.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;
