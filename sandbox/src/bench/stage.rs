//! The cluster's state that everything is measured in: the sets deployed and serving.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use super::error::BenchError;
use super::measure::Piece;
use super::objects::{
    self, BUILT_IN, CHART, CROWD, Folder, PROBED, RELEASE, RELEASES, SIZES, THREE,
};
use super::work::{Contender, Tool};
use crate::command;
use crate::error::SandboxError;
use crate::files::FileError;
use crate::foreground;
use crate::interrupt::Interrupt;
use crate::terminal;

/// How long the exercise's server takes to write its keys, generously.
const KEYS_PATIENCE: Duration = Duration::from_mins(2);

/// Where the measured programs are.
#[derive(Debug, Clone)]
pub(crate) struct Programs {
    pub(crate) cryptoctl: PathBuf,
    pub(crate) kubectl: PathBuf,
    pub(crate) helm: PathBuf,
}

impl Programs {
    /// A command line.
    pub(crate) fn words(&self, tool: Tool, arguments: &[&str]) -> Vec<String> {
        let program = self.path(tool).display().to_string();
        let arguments = arguments.iter().map(|argument| (*argument).to_owned());
        std::iter::once(program).chain(arguments).collect()
    }

    /// A single command as a contender.
    pub(crate) fn contender(&self, tool: Tool, arguments: &[&str]) -> Contender {
        Contender {
            tool,
            piece: Piece::Command(self.words(tool, arguments)),
        }
    }

    fn path(&self, tool: Tool) -> &Path {
        match tool {
            Tool::Cryptoctl => &self.cryptoctl,
            Tool::Kubectl => &self.kubectl,
            Tool::Helm => &self.helm,
        }
    }

    #[cfg(test)]
    pub(crate) fn example() -> Self {
        Self {
            cryptoctl: "/target/release/cryptoctl".into(),
            kubectl: "/cache/kubectl".into(),
            helm: "/cache/helm".into(),
        }
    }
}

/// A cluster, a folder of files, and the programs that bring the one to what the other says.
pub(crate) struct Stage<'a> {
    pub(crate) programs: Programs,
    /// The files, and the home folder of the programs: kubectl and helm keep caches there.
    pub(crate) folder: PathBuf,
    pub(crate) kubeconfig: PathBuf,
    pub(crate) interrupt: &'a Interrupt,
}

impl Stage<'_> {
    /// Writes the files.
    ///
    /// # Errors
    /// When one cannot be written.
    pub(crate) fn write(&self) -> Result<(), SandboxError> {
        Ok(objects::write(&self.folder)?)
    }

    /// Deploys everything that runs on the real node, and waits until it serves.
    ///
    /// # Errors
    /// When something cannot be deployed, and when interrupted.
    pub(crate) fn prepare(&self) -> Result<(), SandboxError> {
        terminal::progress("deploying what is measured");
        let three = ["up", "--quiet", "-f", THREE.path];
        let built_in = ["up", "--quiet", "-n", BUILT_IN];
        // All of them start at the same time; then each is waited for.
        for up in [three, built_in] {
            self.tool(Tool::Cryptoctl, &[up.as_slice(), &["--no-wait"]].concat())?;
        }
        let release = ["upgrade", "--install", RELEASE, CHART, "--wait"];
        let into = ["--namespace", RELEASES, "--create-namespace"];
        self.tool(Tool::Helm, &[release.as_slice(), &into].concat())?;
        for up in [three, built_in] {
            self.tool(Tool::Cryptoctl, &up)?;
        }
        for file in SIZES.map(Folder::many) {
            self.tool(Tool::Cryptoctl, &["up", "--quiet", "-f", &file])?;
        }
        self.await_keys()
    }

    /// Deploys the sets whose replicas are on fake nodes, and waits until all are ready.
    ///
    /// # Errors
    /// When one cannot be deployed, and when interrupted.
    pub(crate) fn prepare_crowds(&self) -> Result<(), SandboxError> {
        terminal::progress("deploying many replicas on fake nodes");
        for crowd in [CROWD, PROBED] {
            self.tool(Tool::Cryptoctl, &["up", "--quiet", "-f", &crowd.file()])?;
        }
        Ok(())
    }

    /// Removes everything that was made in the cluster to be measured.
    ///
    /// # Errors
    /// When it cannot be removed.
    pub(crate) fn clean(&self) -> Result<(), SandboxError> {
        let namespaces = objects::namespaces();
        let mut delete = vec!["delete", "namespace", "--ignore-not-found"];
        delete.extend(namespaces.iter().map(String::as_str));
        self.tool(Tool::Kubectl, &delete)
    }

    /// A command in the folder, with this cluster as its own and nothing of the user's.
    pub(crate) fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        command
            .env("KUBECONFIG", &self.kubeconfig)
            .env("HOME", &self.folder)
            .stdout(Stdio::null())
            .current_dir(&self.folder);
        command
    }

    /// Runs a command to its end.
    ///
    /// # Errors
    /// When it cannot be run, and when interrupted.
    pub(crate) fn run(&self, command: Command) -> Result<ExitStatus, SandboxError> {
        Ok(foreground::run(command, self.interrupt)?)
    }

    /// Runs a tool and returns what it writes to stdout.
    ///
    /// # Errors
    /// When it does not succeed, and when interrupted.
    pub(crate) fn output(&self, tool: Tool, arguments: &[&str]) -> Result<String, SandboxError> {
        let path = self.folder.join("output");
        let file = File::create(&path).map_err(FileError::at("write", &path))?;
        let mut command = self.tool_command(tool, arguments);
        command.stdout(file);
        self.succeed(command)?;
        Ok(crate::files::read(&path)?)
    }

    fn tool(&self, tool: Tool, arguments: &[&str]) -> Result<(), SandboxError> {
        self.succeed(self.tool_command(tool, arguments))
    }

    fn tool_command(&self, tool: Tool, arguments: &[&str]) -> Command {
        let mut command = self.command(self.programs.path(tool));
        command.args(arguments);
        command
    }

    fn succeed(&self, command: Command) -> Result<(), SandboxError> {
        let shown = command::shown(&command);
        let status = self.run(command)?;
        if status.success() {
            return Ok(());
        }
        let command = shown;
        Err(BenchError::Preparation { command, status }.into())
    }

    /// The server writes its keys half a minute after its pods are ready.
    fn await_keys(&self) -> Result<(), SandboxError> {
        let deadline = Instant::now() + KEYS_PATIENCE;
        let arguments = ["verify", "--quiet", "-f", THREE.path, "--path", "/keys"];
        loop {
            let mut command = self.tool_command(Tool::Cryptoctl, &arguments);
            command.stderr(Stdio::null());
            if self.run(command)?.success() {
                return Ok(());
            }
            if Instant::now() > deadline {
                return Err(BenchError::NotServing(THREE.namespace).into());
            }
            thread::sleep(Duration::from_secs(1));
        }
    }
}
