//! The state of the cluster for all measurements: the sets are deployed and serving.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::environment::Environment;
use crate::error::BenchError;
use crate::measure::Piece;
use crate::objects::{
    self, BUILT_IN, CHART, CROWD, Folder, KEYS, PROBED, RELEASE, RELEASES, SIZES, THREE,
};
use crate::terminal;
use crate::work::{Contender, Tool};

/// How long the exercise's server takes to write its keys, generously.
const KEYS_PATIENCE: Duration = Duration::from_mins(2);

/// The paths of the measured programs.
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

/// A cluster, a folder of files, and the programs that deploy them.
pub(crate) struct Stage {
    pub(crate) programs: Programs,
    /// The files, which is also the home folder of the programs: kubectl and helm keep caches
    /// there.
    pub(crate) folder: PathBuf,
    kubeconfig: PathBuf,
}

impl Stage {
    /// The stage on the sandbox's cluster.
    pub(crate) fn new(environment: &Environment) -> Self {
        Self {
            programs: Programs {
                cryptoctl: environment.cryptoctl(),
                kubectl: environment.kubectl.clone(),
                helm: environment.helm.clone(),
            },
            folder: environment.folder.clone(),
            kubeconfig: environment.kubeconfig.clone(),
        }
    }

    /// Writes the files, some of them copied from the workspace.
    ///
    /// # Errors
    /// When one cannot be read or written.
    pub(crate) fn write(&self, workspace: &Path) -> Result<(), BenchError> {
        objects::write(&self.folder, workspace)
    }

    /// Deploys everything that runs on the real node, and waits until it serves.
    ///
    /// # Errors
    /// When something cannot be deployed.
    pub(crate) fn prepare(&self) -> Result<(), BenchError> {
        terminal::progress("deploying the workloads");
        let three = ["up", "--quiet", "-f", THREE.path];
        let built_in = ["up", "--quiet", "-n", BUILT_IN];
        // All start at the same time; then each is waited for.
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
    /// When one cannot be deployed.
    pub(crate) fn prepare_crowds(&self) -> Result<(), BenchError> {
        terminal::progress("deploying many replicas on fake nodes");
        for crowd in [CROWD, PROBED] {
            self.tool(Tool::Cryptoctl, &["up", "--quiet", "-f", &crowd.file()])?;
        }
        Ok(())
    }

    /// Removes all benchmark objects from the cluster.
    ///
    /// # Errors
    /// When it cannot be removed.
    pub(crate) fn clean(&self) -> Result<(), BenchError> {
        let namespaces = objects::namespaces();
        let mut delete = vec!["delete", "namespace", "--ignore-not-found"];
        delete.extend(namespaces.iter().map(String::as_str));
        self.tool(Tool::Kubectl, &delete)
    }

    /// A command in the folder that uses this cluster and nothing of the user's.
    pub(crate) fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        command
            .env("KUBECONFIG", &self.kubeconfig)
            .env("HOME", &self.folder)
            .stdout(Stdio::null())
            .current_dir(&self.folder);
        command
    }

    /// Runs a tool and returns what it writes to stdout.
    ///
    /// # Errors
    /// When it does not succeed.
    pub(crate) fn output(&self, tool: Tool, arguments: &[&str]) -> Result<String, BenchError> {
        let path = self.folder.join("output");
        let file = File::create(&path).map_err(BenchError::file("write", &path))?;
        let mut command = self.tool_command(tool, arguments);
        command.stdout(file);
        succeed(command)?;
        fs::read_to_string(&path).map_err(BenchError::file("read", &path))
    }

    fn tool(&self, tool: Tool, arguments: &[&str]) -> Result<(), BenchError> {
        succeed(self.tool_command(tool, arguments))
    }

    fn tool_command(&self, tool: Tool, arguments: &[&str]) -> Command {
        let mut command = self.command(self.programs.path(tool));
        command.args(arguments);
        command
    }

    /// The server writes its keys half a minute after its pods are ready.
    fn await_keys(&self) -> Result<(), BenchError> {
        let deadline = Instant::now() + KEYS_PATIENCE;
        let arguments = ["verify", "--quiet", "-f", THREE.path, "--path", KEYS];
        loop {
            let mut command = self.tool_command(Tool::Cryptoctl, &arguments);
            command.stderr(Stdio::null());
            if run(command)?.success() {
                return Ok(());
            }
            if Instant::now() > deadline {
                return Err(BenchError::NotServing(THREE.namespace));
            }
            thread::sleep(Duration::from_secs(1));
        }
    }
}

/// Runs a command that has to succeed.
///
/// # Errors
/// When it does not succeed, or cannot be run.
pub(crate) fn succeed(command: Command) -> Result<(), BenchError> {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    let words: Vec<_> = words.map(OsStr::to_string_lossy).collect();
    let shown = words.join(" ");
    let status = run(command)?;
    if status.success() {
        return Ok(());
    }
    Err(BenchError::Preparation {
        command: shown,
        status,
    })
}

/// Runs a command to its end.
///
/// It stays in the process group that the sandbox ends on an interruption.
///
/// # Errors
/// When it cannot be run.
pub(crate) fn run(mut command: Command) -> Result<ExitStatus, BenchError> {
    command
        .stdin(Stdio::null())
        .status()
        .map_err(|source| BenchError::Start {
            program: command.get_program().into(),
            source,
        })
}
