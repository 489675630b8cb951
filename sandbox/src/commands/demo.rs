//! `demo`: the tool on a real cluster, used as a user would.

use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::error::SandboxError;
use crate::foreground;
use crate::instance::InstanceName;
use crate::interrupt::Interrupt;
use crate::terminal;
use crate::workspace::{self, Session};

/// How long the exercise's server takes to write its keys, generously.
const KEYS_PATIENCE: Duration = Duration::from_mins(2);

/// The exit status of the tool for a negative result.
const UNHEALTHY: i32 = 4;

/// The steps of the demo, in order.
const SCRIPT: &[Line] = &[
    Line::Say("The built-in set: deployed, verified, broken on purpose, verified again."),
    Line::Run("up", 0),
    Line::Run("verify", 0),
    Line::Run("chaos --yes", 0),
    Line::Run("verify", 0),
    Line::Run("down --yes", 0),
    Line::Say(
        "The claim was kept. Now the data is deleted too, so that the exercise can start over.",
    ),
    Line::Run("down --yes --delete-data", 0),
    Line::Say("The exercise's first solution works as long as nobody deletes pod -0."),
    Line::Run("up -f manifests/exercise/2-naive", 0),
    Line::AwaitKeys("verify -f manifests/exercise/2-naive --path /keys"),
    Line::Run(
        "chaos --yes -f manifests/exercise/2-naive --path /keys",
        UNHEALTHY,
    ),
    Line::Run("down --yes --delete-data -f manifests/exercise/2-naive", 0),
    Line::Say("Its refined solution survives that."),
    Line::Run("up -f manifests/exercise/3-refined", 0),
    Line::AwaitKeys("verify -f manifests/exercise/3-refined --path /keys"),
    Line::Run(
        "chaos --yes -f manifests/exercise/3-refined --path /keys",
        0,
    ),
    Line::Run(
        "down --yes --delete-data -f manifests/exercise/3-refined",
        0,
    ),
];

enum Line {
    /// Prints what comes next.
    Say(&'static str),
    /// Runs the tool with these arguments and expects this exit status.
    Run(&'static str, i32),
    /// Waits until the server has written its keys, which takes 25 seconds, then prints the result.
    AwaitKeys(&'static str),
}

/// Builds the tool and runs the steps on an instance started for them.
///
/// # Errors
/// When the tool cannot be built, or a command ends with an unexpected status.
pub(crate) fn run(
    name: &InstanceName,
    keep: bool,
    interrupt: &Interrupt,
) -> Result<(), SandboxError> {
    let session = Session::new(name, interrupt)?;
    session.step(workspace::cargo(&["build", "--workspace"]))?;
    session.with_cluster(keep, || {
        let kubeconfig = super::open(name)?.kubeconfig();
        terminal::progress(format_args!(
            "\n$ export KUBECONFIG={}",
            kubeconfig.display()
        ));
        let stage = Stage {
            tool: session.executable().with_file_name("cryptoctl"),
            kubeconfig,
            interrupt,
        };
        SCRIPT.iter().try_for_each(|line| stage.play(line))
    })
}

struct Stage<'a> {
    tool: PathBuf,
    kubeconfig: PathBuf,
    interrupt: &'a Interrupt,
}

impl Stage<'_> {
    fn play(&self, line: &Line) -> Result<(), SandboxError> {
        match line {
            Line::Say(text) => terminal::progress(format_args!("\n# {text}")),
            Line::Run(arguments, expected) => self.show(arguments, *expected)?,
            Line::AwaitKeys(arguments) => {
                terminal::progress("\n# Waiting for the server to write its keys.");
                self.await_keys(arguments)?;
                self.show(arguments, 0)?;
            }
        }
        Ok(())
    }

    /// Runs the tool with its output visible.
    fn show(&self, arguments: &'static str, expected: i32) -> Result<(), SandboxError> {
        terminal::progress(format_args!("\n$ cryptoctl {arguments}"));
        let status = self.run(self.command(arguments))?;
        terminal::progress(format_args!("(exit status {})", status.unwrap_or(-1)));
        if status == Some(expected) {
            return Ok(());
        }
        Err(SandboxError::Demo {
            arguments,
            expected,
        })
    }

    fn await_keys(&self, arguments: &'static str) -> Result<(), SandboxError> {
        let deadline = Instant::now() + KEYS_PATIENCE;
        loop {
            let mut command = self.command(arguments);
            command.stdout(Stdio::null()).stderr(Stdio::null());
            if self.run(command)? == Some(0) || Instant::now() > deadline {
                return Ok(());
            }
            thread::sleep(Duration::from_secs(1));
        }
    }

    fn run(&self, command: Command) -> Result<Option<i32>, SandboxError> {
        Ok(foreground::run(command, self.interrupt)?.code())
    }

    fn command(&self, arguments: &str) -> Command {
        let mut command = Command::new(&self.tool);
        command
            .args(arguments.split(' '))
            .env("KUBECONFIG", &self.kubeconfig)
            .current_dir(workspace::root());
        command
    }
}
