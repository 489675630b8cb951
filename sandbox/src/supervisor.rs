//! Starts, checks and ends components: the same way for all.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::io;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::Signal;

use crate::api::Api;
use crate::component::{Component, Readiness};
use crate::files::{self, FileError};
use crate::instance::Instance;
use crate::interrupt::{Interrupt, Interrupted};
use crate::process::{Process, ProcessState};
use crate::terminal;

/// Marks every process that an instance starts, and those that they start in turn.
pub(crate) const MARK: &str = "CRYPTOCTL_SANDBOX_FOLDER";

/// How long a component may take to become ready.
const READY_PATIENCE: Duration = Duration::from_mins(1);
/// How long a component that runs without being ready may take before it is restarted.
const RECOVERY_PATIENCE: Duration = Duration::from_secs(10);
const POLL_INTERVAL: Duration = Duration::from_millis(20);
const LOG_LINES_SHOWN: usize = 12;

/// A component could not be started.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SupervisorError {
    /// A file operation failed.
    #[error(transparent)]
    File(#[from] FileError),
    /// The user asked to stop.
    #[error(transparent)]
    Interrupted(#[from] Interrupted),
    /// The program could not be started.
    #[error("cannot start `{component}`")]
    Start {
        component: &'static str,
        source: io::Error,
    },
    /// The program ended.
    #[error("`{component}` ended while it was starting; the end of `{}`:\n{}", log.display(), last_lines(log))]
    Ended {
        component: &'static str,
        log: PathBuf,
    },
    /// The program runs but does not work.
    #[error(
        "`{component}` runs but was not ready after {} seconds; the end of `{}`:\n{}",
        READY_PATIENCE.as_secs(), log.display(), last_lines(log)
    )]
    NotReady {
        component: &'static str,
        log: PathBuf,
    },
}

/// The health of a component.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Health {
    Healthy(Process),
    /// It runs, but fails its check.
    Unhealthy(Process),
    /// Stopped by a signal.
    Frozen(Process),
    Dead,
}

/// Supervises the components of one instance.
#[derive(Debug)]
pub(crate) struct Supervisor<'a> {
    instance: &'a Instance,
    api: &'a Api,
    interrupt: &'a Interrupt,
}

impl<'a> Supervisor<'a> {
    /// Supervises the components of this instance.
    pub(crate) fn new(instance: &'a Instance, api: &'a Api, interrupt: &'a Interrupt) -> Self {
        Self {
            instance,
            api,
            interrupt,
        }
    }

    /// The current health of the component.
    pub(crate) fn health(&self, component: &Component) -> Health {
        let Some(process) = recorded_process(&self.instance.folder, component.name) else {
            return Health::Dead;
        };
        match process.state() {
            ProcessState::Gone => Health::Dead,
            ProcessState::Frozen => Health::Frozen(process),
            ProcessState::Alive if self.is_ready(component) => Health::Healthy(process),
            ProcessState::Alive => Health::Unhealthy(process),
        }
    }

    /// Starts the components that do not work, and waits until all are ready.
    ///
    /// # Errors
    /// When one cannot be started, ends or does not become ready, and when interrupted.
    pub(crate) fn ensure_ready(&self, components: &[Component]) -> Result<(), SupervisorError> {
        let mut started = BTreeMap::new();
        for component in components {
            if let Some(process) = self.revive(component)? {
                started.insert(component.name, process);
            }
        }
        for component in components {
            if let Some(process) = started.get(component.name) {
                self.wait_until_ready(component, *process)?;
            }
        }
        Ok(())
    }

    /// Starts the component unless it works; returns the new process.
    fn revive(&self, component: &Component) -> Result<Option<Process>, SupervisorError> {
        let unready = match self.health(component) {
            Health::Healthy(_) => return Ok(None),
            Health::Dead => return self.spawn(component).map(Some),
            Health::Unhealthy(process) => process,
            Health::Frozen(process) => {
                terminal::progress(format_args!("{} is frozen: continuing it", component.name));
                let _ = process.signal(Signal::CONT);
                process
            }
        };
        // It may only be waiting for a component that has just been repaired.
        let deadline = Instant::now() + RECOVERY_PATIENCE;
        while Instant::now() < deadline && unready.state() != ProcessState::Gone {
            self.interrupt.check()?;
            if self.is_ready(component) {
                return Ok(None);
            }
            thread::sleep(POLL_INTERVAL);
        }
        terminal::progress(format_args!(
            "{} does not answer: restarting it",
            component.name
        ));
        unready.kill(RECOVERY_PATIENCE);
        self.spawn(component).map(Some)
    }

    fn spawn(&self, component: &Component) -> Result<Process, SupervisorError> {
        terminal::progress(format_args!("starting {}", component.name));
        for (path, content) in &component.files {
            files::create_private_folder(path.parent().unwrap_or(Path::new("/")))?;
            files::write_private(path, content)?;
        }
        let log_path = self.instance.log(component.name);
        files::create_private_folder(&self.instance.folder.join("logs"))?;
        let log = files::append_private(&log_path)?;
        let failed = |source| SupervisorError::Start {
            component: component.name,
            source,
        };

        // A session of its own, so that closing the terminal does not end it. `setsid` replaces
        // itself with the program, so the recorded process stays valid.
        let child = Command::new("setsid")
            .arg(&component.program)
            .args(&component.arguments)
            .env_clear()
            .env("PATH", search_path())
            .env(MARK, &self.instance.folder)
            .current_dir("/")
            .stdin(Stdio::null())
            .stdout(log.try_clone().map_err(failed)?)
            .stderr(log)
            .spawn()
            .map_err(failed)?;
        let process = i32::try_from(child.id())
            .ok()
            .and_then(Process::with_pid)
            .ok_or(SupervisorError::Ended {
                component: component.name,
                log: log_path,
            })?;
        record_process(&self.instance.folder, component.name, process)?;
        Ok(process)
    }

    fn wait_until_ready(
        &self,
        component: &Component,
        process: Process,
    ) -> Result<(), SupervisorError> {
        let deadline = Instant::now() + READY_PATIENCE;
        let log = || self.instance.log(component.name);
        loop {
            self.interrupt.check()?;
            if process.state() == ProcessState::Gone {
                return Err(SupervisorError::Ended {
                    component: component.name,
                    log: log(),
                });
            }
            if self.is_ready(component) {
                return Ok(());
            }
            if Instant::now() > deadline {
                return Err(SupervisorError::NotReady {
                    component: component.name,
                    log: log(),
                });
            }
            thread::sleep(POLL_INTERVAL);
        }
    }

    fn is_ready(&self, component: &Component) -> bool {
        match &component.readiness {
            Readiness::Url(url) => self.api.answers(url),
            Readiness::Socket(path) => UnixStream::connect(path).is_ok(),
        }
    }
}

/// The process that was last started as this component, whether or not it still runs.
pub(crate) fn recorded_process(folder: &Path, component: &str) -> Option<Process> {
    serde_json::from_str(&files::read(&record(folder, component)).ok()?).ok()
}

fn record_process(folder: &Path, component: &str, process: Process) -> Result<(), FileError> {
    files::create_private_folder(&folder.join("processes"))?;
    let text = serde_json::to_string(&process).unwrap_or_default();
    files::write_private(&record(folder, component), text)
}

fn record(folder: &Path, component: &str) -> PathBuf {
    folder.join("processes").join(format!("{component}.json"))
}

/// The usual folders of system programs, which the user's `PATH` may lack.
fn search_path() -> impl AsRef<OsStr> {
    "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
}

fn last_lines(log: &Path) -> String {
    files::last_lines(log, LOG_LINES_SHOWN)
        .iter()
        .map(|line| format!("  {line}"))
        .collect::<Vec<_>>()
        .join("\n")
}
