//! Runs a credential plugin: a command of the kubeconfig that prints credentials
//! (`k8s.io/client-go` `plugin/pkg/client/auth/exec/exec.go`).

use std::io;
use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::{Child, Command};
use tokio::time::timeout;

use super::{Credentials, IdentityError, exec_credential};
use crate::kubeconfig::{ExecEntry, PluginPolicy, Resolved, credential_file, look_up};
use crate::settings::Settings;

/// What a plugin that asks nobody may take, at most; over a slow network it takes seconds.
const TIME_LIMIT: Duration = Duration::from_mins(1);
/// Credentials are a few kilobytes.
const LARGEST_OUTPUT: u64 = 1024 * 1024;

/// A credential plugin.
pub(crate) struct Plugin {
    entry: ExecEntry,
    policy: PluginPolicy,
    cluster: Option<Value>,
    has_terminal: bool,
    login_time: Duration,
}

impl Plugin {
    pub(crate) fn new(
        entry: &ExecEntry,
        resolved: &Resolved,
        settings: &Settings,
    ) -> Result<Self, IdentityError> {
        if !exec_credential::API_VERSIONS.contains(&entry.api_version.as_str()) {
            return Err(IdentityError::PluginVersion {
                command: entry.command.clone(),
                api_version: entry.api_version.clone(),
            });
        }
        let cluster = entry.provide_cluster_info.then(|| {
            let entry = &resolved.cluster;
            let authority = if entry.certificate_authority.is_empty() {
                entry.certificate_authority_data.clone()
            } else {
                credential_file(Path::new(&entry.certificate_authority)).unwrap_or_default()
            };
            exec_credential::cluster_information(entry, &authority)
        });
        Ok(Self {
            entry: entry.clone(),
            policy: resolved.plugin_policy.clone(),
            cluster,
            has_terminal: settings.interactive,
            login_time: settings.login_time,
        })
    }

    /// Runs the plugin and reads its credentials.
    pub(crate) async fn run(&self) -> Result<Credentials, IdentityError> {
        let command = &self.entry.command;
        if !self.policy.allows(command) {
            return Err(IdentityError::PluginForbidden {
                command: command.clone(),
                policy: self.policy.name(),
            });
        }
        let interactive = self.is_interactive()?;
        let mut running = self
            .command(interactive)
            .and_then(|command| Running::start(command, !interactive))
            .map_err(|error| self.not_started(error))?;
        let limit = if interactive {
            self.login_time
        } else {
            self.login_time.min(TIME_LIMIT)
        };
        let ended = timeout(limit, running.finish()).await;
        let (status, output) = match ended {
            Err(_) => {
                return Err(IdentityError::PluginTimedOut {
                    command: command.clone(),
                    limit,
                });
            }
            Ok(Err(error)) => return Err(self.not_started(error)),
            Ok(Ok(ended)) => ended,
        };
        if !status.success() {
            return Err(IdentityError::PluginFailed {
                command: command.clone(),
                how: describe(status),
            });
        }
        exec_credential::answer(command, &self.entry.api_version, &output)
    }

    fn is_interactive(&self) -> Result<bool, IdentityError> {
        match self.entry.interactive_mode.as_str() {
            "Never" => Ok(false),
            "Always" if !self.has_terminal => Err(IdentityError::PluginNeedsPerson {
                command: self.entry.command.clone(),
            }),
            "Always" => Ok(true),
            _ => Ok(self.has_terminal),
        }
    }

    fn command(&self, interactive: bool) -> io::Result<Command> {
        let path = look_up(&self.entry.command).ok_or(io::ErrorKind::NotFound)?;
        let information =
            exec_credential::request(&self.entry.api_version, interactive, self.cluster.clone());
        let mut command = Command::new(path);
        command
            .arg0(&self.entry.command)
            .args(&self.entry.args)
            .envs(
                self.entry
                    .env
                    .iter()
                    .map(|variable| (&variable.name, variable.value.expose())),
            )
            .env("KUBERNETES_EXEC_INFO", information)
            .stdout(Stdio::piped())
            // Its words to the person are shown as they come, as kubectl shows them.
            .stderr(Stdio::inherit())
            .stdin(if interactive {
                Stdio::inherit()
            } else {
                Stdio::null()
            })
            .kill_on_drop(true);
        Ok(command)
    }

    fn not_started(&self, error: io::Error) -> IdentityError {
        let command = self.entry.command.clone();
        if error.kind() == io::ErrorKind::NotFound {
            IdentityError::PluginNotFound {
                command,
                install_hint: self.entry.install_hint.clone(),
            }
        } else {
            IdentityError::PluginNotStarted {
                command,
                source: Arc::new(error),
            }
        }
    }
}

/// A started plugin; dropped before its end, it is killed with everything that it has started.
struct Running {
    child: Child,
    /// Its process group, unless it shares ours to read from the terminal.
    group: Option<rustix::process::Pid>,
}

impl Running {
    fn start(mut command: Command, in_own_group: bool) -> io::Result<Self> {
        if in_own_group {
            command.process_group(0);
        }
        let child = command.spawn()?;
        let group = child
            .id()
            .filter(|_| in_own_group)
            .and_then(|id| rustix::process::Pid::from_raw(i32::try_from(id).ok()?));
        Ok(Self { child, group })
    }

    async fn finish(&mut self) -> io::Result<(ExitStatus, Vec<u8>)> {
        let output = self.child.stdout.take();
        let (output, status) = tokio::try_join!(read(output), self.child.wait())?;
        self.group = None;
        Ok((status, output))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(group) = self.group {
            // It may have ended by itself just now.
            let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
        }
    }
}

async fn read(output: Option<impl AsyncRead + Unpin>) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    if let Some(output) = output {
        output
            .take(LARGEST_OUTPUT + 1)
            .read_to_end(&mut bytes)
            .await?;
    }
    Ok(bytes)
}

fn describe(status: ExitStatus) -> String {
    use std::os::unix::process::ExitStatusExt;
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("exit code {code}"),
        (None, Some(signal)) => format!("signal {signal}"),
        (None, None) => "an unknown status".to_owned(),
    }
}
