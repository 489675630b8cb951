//! One file for each command.

pub(crate) mod bench;
pub(crate) mod demo;
pub(crate) mod doctor;
pub(crate) mod fake_nodes;
pub(crate) mod kill;
pub(crate) mod mutations;
pub(crate) mod start;
pub(crate) mod status;
pub(crate) mod stop;
pub(crate) mod test;

use crate::error::SandboxError;
use crate::instance::{Instance, InstanceName};
use crate::terminal;

/// `kubeconfig`: prints its path.
///
/// # Errors
/// When the sandbox is not started.
pub(crate) fn kubeconfig(name: &InstanceName) -> Result<(), SandboxError> {
    terminal::data(open(name)?.kubeconfig().display());
    Ok(())
}

/// Opens an instance that must exist.
fn open(name: &InstanceName) -> Result<Instance, SandboxError> {
    Instance::open(name)?.ok_or_else(|| SandboxError::NotStarted(name.as_ref().to_owned()))
}
