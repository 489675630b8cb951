//! The workspace of this program, and sessions that work on it with a cluster.

use std::env;
use std::ffi::OsStr;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};

use crate::command;
use crate::foreground::{self, ForegroundError};
use crate::instance::{Instance, InstanceName};
use crate::interrupt::Interrupt;
use crate::terminal;

/// A session could not continue.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SessionError {
    /// A command could not be run to its end.
    #[error(transparent)]
    Foreground(#[from] ForegroundError),
    /// A command ran and failed.
    #[error("`{command}` failed ({status})")]
    Step { command: String, status: ExitStatus },
    /// The path of this program is unknown.
    #[error("cannot find the path of this program")]
    OwnFile(#[source] io::Error),
}

/// Work on the workspace with its own instance, step by step.
#[derive(Debug)]
pub(crate) struct Session<'a> {
    name: &'a InstanceName,
    interrupt: &'a Interrupt,
    /// The path of this program, read at the start, since a step may rebuild it.
    executable: PathBuf,
}

impl<'a> Session<'a> {
    /// # Errors
    /// When the path of this program is unknown.
    pub(crate) fn new(
        name: &'a InstanceName,
        interrupt: &'a Interrupt,
    ) -> Result<Self, SessionError> {
        let executable = env::current_exe().map_err(SessionError::OwnFile)?;
        Ok(Self {
            name,
            interrupt,
            executable,
        })
    }

    /// The path of this program.
    pub(crate) fn executable(&self) -> &Path {
        &self.executable
    }

    /// Starts the instance, runs `work`, and stops the instance whatever the result.
    ///
    /// With `keep`, it keeps running and is used again next time, with its contents. Without, it
    /// starts empty, even if a killed session left it behind.
    ///
    /// # Errors
    /// The errors of `work`, and when the instance cannot be started or stopped.
    pub(crate) fn with_cluster<E: From<SessionError>>(
        &self,
        keep: bool,
        work: impl FnOnce() -> Result<(), E>,
    ) -> Result<(), E> {
        if !keep {
            self.step(self.own("stop"))?;
        }
        let worked = self
            .step(self.own("start"))
            .map_err(E::from)
            .and_then(|()| work());
        if keep {
            terminal::progress(format_args!(
                "kept sandbox `{0}`; `cargo sandbox stop --name {0}` removes it",
                self.name.as_ref()
            ));
            return worked;
        }
        // An interruption ends the work, but not the cleanup after it.
        let stopped = step(self.own("stop"), &Interrupt::default()).map_err(E::from);
        worked.and(stopped)
    }

    /// Tells a program of the workspace which instance to use, and how to change it.
    pub(crate) fn tell(&self, instance: &Instance, command: &mut Command) {
        let kubectl = instance.tools().kubernetes_program("kubectl");
        command
            .env("CRYPTOCTL_SANDBOX_NAME", self.name.as_ref())
            .env("CRYPTOCTL_SANDBOX_BINARY", &self.executable)
            .env("CRYPTOCTL_SANDBOX_KUBECONFIG", instance.kubeconfig())
            .env("CRYPTOCTL_SANDBOX_KUBECTL", kubectl);
    }

    /// Prints a command and runs it; it has to succeed.
    ///
    /// # Errors
    /// When it does not succeed.
    pub(crate) fn step(&self, command: Command) -> Result<(), SessionError> {
        step(command, self.interrupt)
    }

    /// One of this program's own commands, for the session's instance.
    fn own(&self, name: &str) -> Command {
        let mut command = Command::new(&self.executable);
        command::without_kubeconfig(&mut command).args([name, "--name", self.name.as_ref()]);
        command
    }
}

/// The folder of the workspace.
pub(crate) fn root() -> PathBuf {
    let package = env::var_os("CARGO_MANIFEST_DIR")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
    package.parent().map(Path::to_owned).unwrap_or(package)
}

/// A program, in the workspace.
pub(crate) fn program(program: impl AsRef<OsStr>, arguments: &[&str]) -> Command {
    let mut command = Command::new(program);
    command::without_kubeconfig(&mut command)
        .args(arguments)
        .current_dir(root());
    command
}

/// cargo, in the workspace.
pub(crate) fn cargo(arguments: &[&str]) -> Command {
    let mut command = program("cargo", arguments);
    // `cargo sandbox` sets variables that name this package. Build scripts that depend on them,
    // such as ring's, would run again, and their dependents would be rebuilt.
    for (name, _) in env::vars_os() {
        let of_package = name.to_string_lossy();
        if ["CARGO_PKG_", "CARGO_MANIFEST_"]
            .iter()
            .any(|prefix| of_package.starts_with(prefix))
        {
            command.env_remove(name);
        }
    }
    command
}

/// Go, in the module of the programs that the images hold.
pub(crate) fn go(arguments: &[&str]) -> Command {
    let mut command = Command::new("go");
    command::without_kubeconfig(&mut command)
        .args(arguments)
        .current_dir(root().join("sandbox/image"));
    command
}

fn step(command: Command, interrupt: &Interrupt) -> Result<(), SessionError> {
    let shown = command::shown(&command);
    terminal::progress(format_args!("==> {shown}"));
    let status = foreground::run(command, interrupt)?;
    if status.success() {
        return Ok(());
    }
    Err(SessionError::Step {
        command: shown,
        status,
    })
}
