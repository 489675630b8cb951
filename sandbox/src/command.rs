//! Short commands of other programs, run to their end.

use std::ffi::OsStr;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};

/// A command could not be run or did not succeed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CommandError {
    /// The program could not be started.
    #[error("cannot run `{}`", program.display())]
    Start { program: PathBuf, source: io::Error },
    /// The program ended with a status other than 0.
    #[error("`{command}` failed ({status}): {message}")]
    Failed {
        command: String,
        status: ExitStatus,
        message: String,
    },
}

/// Runs a program and returns what it wrote to stdout.
///
/// # Errors
/// When it cannot be started or fails, with what it wrote to stderr.
pub(crate) fn run<A: AsRef<OsStr>>(
    program: impl AsRef<Path>,
    arguments: impl IntoIterator<Item = A>,
) -> Result<String, CommandError> {
    let program = program.as_ref();
    let mut command = Command::new(program);
    command.args(arguments);
    output_of(command)
}

/// Runs a prepared command and returns what it wrote to stdout.
///
/// # Errors
/// As [`run`].
pub(crate) fn output_of(mut command: Command) -> Result<String, CommandError> {
    let output = without_kubeconfig(&mut command)
        .stdin(Stdio::null())
        .output()
        .map_err(|source| CommandError::Start {
            program: command.get_program().into(),
            source,
        })?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let message = String::from_utf8_lossy(&output.stderr).trim().to_owned();
    Err(CommandError::Failed {
        command: shown(&command),
        status: output.status,
        message,
    })
}

/// Hides the user's own cluster from a child process.
pub(crate) fn without_kubeconfig(command: &mut Command) -> &mut Command {
    command.env_remove("KUBECONFIG")
}

/// A command as a user would type it.
pub(crate) fn shown(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words
        .map(OsStr::to_string_lossy)
        .collect::<Vec<_>>()
        .join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn output_and_failure_are_told_apart() {
        assert_eq!(run("echo", ["hello"]).unwrap(), "hello\n");
        let error = run("sh", ["-c", "echo why >&2; exit 3"])
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("exit status: 3") && error.ends_with("why"),
            "{error}"
        );
        assert!(matches!(
            run("/no/such/program", [""; 0]),
            Err(CommandError::Start { .. })
        ));
    }
}
