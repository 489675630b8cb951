//! `kill`: breaks one component, for tests.

use rustix::process::Signal;

use crate::cli::Fault;
use crate::error::SandboxError;
use crate::instance::InstanceName;
use crate::process::ProcessState;
use crate::supervisor;
use crate::terminal;

/// Sends the component's process the signal of the fault.
///
/// # Errors
/// When the sandbox is not started, or the component is not running.
pub(crate) fn run(name: &InstanceName, component: &str, fault: Fault) -> Result<(), SandboxError> {
    let instance = super::open(name)?;
    let process = supervisor::recorded_process(&instance.folder, component)
        .filter(|process| process.state() != ProcessState::Gone)
        .ok_or_else(|| SandboxError::NotRunning(component.to_owned()))?;
    let (signal, done) = match fault {
        Fault::Kill => (Signal::KILL, "killed"),
        Fault::Freeze => (Signal::STOP, "froze"),
        Fault::Thaw => (Signal::CONT, "thawed"),
    };
    process
        .signal(signal)
        .map_err(|source| SandboxError::Signal {
            pid: process.pid,
            source,
        })?;
    terminal::progress(format_args!("{done} {component} (process {})", process.pid));
    Ok(())
}
