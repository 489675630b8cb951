//! What the sandbox says of its instance, and where this program finds everything else.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::error::BenchError;

/// The cluster and the programs to measure.
#[derive(Debug)]
pub(crate) struct Environment {
    /// The sandbox's own program.
    sandbox: PathBuf,
    /// The instance's name.
    name: String,
    pub(crate) kubeconfig: PathBuf,
    pub(crate) audit_log: PathBuf,
    pub(crate) kubectl: PathBuf,
    pub(crate) helm: PathBuf,
    /// A folder for this program's files, which goes with the instance.
    pub(crate) folder: PathBuf,
    /// The versions of what the sandbox has built.
    pub(crate) versions: Vec<(String, String)>,
    /// This program, which measures in processes of its own.
    pub(crate) executable: PathBuf,
    /// The folder of the workspace, in which this program is run.
    pub(crate) workspace: PathBuf,
}

impl Environment {
    /// Reads what `cargo sandbox bench` sets.
    ///
    /// # Errors
    /// When something is not set or unreadable.
    pub(crate) fn read() -> Result<Self, BenchError> {
        let (program, folder) = (Path::new("/proc/self/exe"), Path::new("."));
        let versions = variable("CRYPTOCTL_SANDBOX_VERSIONS")?;
        Ok(Self {
            sandbox: variable("CRYPTOCTL_SANDBOX_BINARY")?.into(),
            name: variable("CRYPTOCTL_SANDBOX_NAME")?,
            kubeconfig: variable("CRYPTOCTL_SANDBOX_KUBECONFIG")?.into(),
            audit_log: variable("CRYPTOCTL_SANDBOX_AUDIT_LOG")?.into(),
            kubectl: variable("CRYPTOCTL_SANDBOX_KUBECTL")?.into(),
            helm: variable("CRYPTOCTL_SANDBOX_HELM")?.into(),
            folder: variable("CRYPTOCTL_SANDBOX_BENCH_FOLDER")?.into(),
            versions: serde_json::from_str(&versions).map_err(BenchError::Versions)?,
            executable: env::current_exe().map_err(BenchError::file("find", program))?,
            workspace: env::current_dir().map_err(BenchError::file("find", folder))?,
        })
    }

    /// The command with which the sandbox starts fake nodes; it ends once pods can be put there.
    pub(crate) fn fake_nodes(&self) -> Command {
        let mut command = Command::new(&self.sandbox);
        command.args(["fake-nodes", "--name", &self.name]);
        command
    }

    /// cargo's target folder: this program is `debug/cryptoctl-bench` in it.
    pub(crate) fn target(&self) -> &Path {
        let folder = self.executable.ancestors().nth(2);
        folder.unwrap_or(&self.executable)
    }

    /// The program that is measured: the sandbox has built it.
    pub(crate) fn cryptoctl(&self) -> PathBuf {
        self.target().join("release/cryptoctl")
    }
}

fn variable(name: &'static str) -> Result<String, BenchError> {
    env::var(name).map_err(|source| BenchError::Variable { name, source })
}
