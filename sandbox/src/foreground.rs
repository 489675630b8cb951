//! Long commands of other programs; an interruption ends them and all their children.

use std::io;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process_group};

use crate::interrupt::{Interrupt, Interrupted};

/// How long a command may take to stop.
const PATIENCE: Duration = Duration::from_secs(10);

/// A command could not be run to its end.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ForegroundError {
    /// The program could not be started.
    #[error("cannot run `{}`", program.display())]
    Start { program: PathBuf, source: io::Error },
    /// The program could not be waited for.
    #[error("lost track of a command")]
    Wait(#[source] io::Error),
    /// The user asked to stop.
    #[error(transparent)]
    Interrupted(#[from] Interrupted),
}

/// A running command, in a process group of its own.
pub(crate) struct Foreground(Child);

impl Foreground {
    /// Starts a command without standard input.
    ///
    /// # Errors
    /// When it cannot be started.
    pub(crate) fn spawn(command: &mut Command) -> Result<Self, ForegroundError> {
        command
            .stdin(Stdio::null())
            .process_group(0)
            .spawn()
            .map(Self)
            .map_err(|source| ForegroundError::Start {
                program: command.get_program().into(),
                source,
            })
    }

    /// The stderr of the command, if it is piped.
    pub(crate) fn take_stderr(&mut self) -> Option<std::process::ChildStderr> {
        self.0.stderr.take()
    }

    /// Waits until the command ends, calling `meanwhile` repeatedly.
    ///
    /// # Errors
    /// When interrupted: then the command has ended too.
    pub(crate) fn wait(
        mut self,
        interrupt: &Interrupt,
        mut meanwhile: impl FnMut(),
    ) -> Result<ExitStatus, ForegroundError> {
        loop {
            if let Some(status) = self.0.try_wait().map_err(ForegroundError::Wait)? {
                return Ok(status);
            }
            if let Err(interrupted) = interrupt.check() {
                self.end();
                return Err(interrupted.into());
            }
            meanwhile();
            thread::sleep(Duration::from_millis(20));
        }
    }

    fn end(&mut self) {
        let deadline = Instant::now() + PATIENCE;
        self.signal(Signal::INT);
        while matches!(self.0.try_wait(), Ok(None)) && Instant::now() < deadline {
            thread::sleep(Duration::from_millis(20));
        }
        self.signal(Signal::KILL);
        let _ = self.0.wait();
    }

    /// Reaches children of the children too.
    fn signal(&self, signal: Signal) {
        if let Some(group) = i32::try_from(self.0.id()).ok().and_then(Pid::from_raw) {
            let _ = kill_process_group(group, signal);
        }
    }
}

/// Runs a command to its end.
///
/// # Errors
/// When it cannot be started, and when interrupted.
pub(crate) fn run(
    mut command: Command,
    interrupt: &Interrupt,
) -> Result<ExitStatus, ForegroundError> {
    Foreground::spawn(&mut command)?.wait(interrupt, || ())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interruption_ends_the_children_too() {
        let mut command = Command::new("sh");
        command
            .args(["-c", "sleep 61 & sleep 61"])
            .env("MARK", "group-to-end");
        let running = Foreground::spawn(&mut command).unwrap();
        let interrupt = Interrupt::default();
        let begun = Instant::now();
        let outcome = running.wait(&interrupt, || interrupt.raise());
        assert!(matches!(outcome, Err(ForegroundError::Interrupted(_))));
        assert!(begun.elapsed() < PATIENCE);
        thread::sleep(Duration::from_millis(50));
        assert!(crate::process::with_environment("MARK", "group-to-end").is_empty());
    }
}
