//! The settings that the sandbox passes, and the paths of everything else.

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
    /// A folder for this program's files, which is deleted with the instance.
    pub(crate) folder: PathBuf,
    /// The versions of the programs that the sandbox has built.
    pub(crate) versions: Vec<(String, String)>,
    /// This program, which runs each measurement in a separate process.
    pub(crate) executable: PathBuf,
    /// The folder of the workspace, in which this program is run.
    pub(crate) workspace: PathBuf,
}

impl Environment {
    /// Reads the variables that `cargo sandbox bench` sets.
    ///
    /// # Errors
    /// When a variable is missing or invalid.
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

    /// The sandbox command that starts fake nodes; it ends once pods can be scheduled there.
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

    /// The measured program, built by the sandbox.
    pub(crate) fn cryptoctl(&self) -> PathBuf {
        self.target().join("release/cryptoctl")
    }
}

fn variable(name: &'static str) -> Result<String, BenchError> {
    env::var(name).map_err(|source| BenchError::Variable { name, source })
}
