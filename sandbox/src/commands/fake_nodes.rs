//! `fake-nodes`: nodes for hundreds of replicas, in a running cluster.

use crate::cache::Cache;
use crate::error::SandboxError;
use crate::fake_nodes;
use crate::instance::InstanceName;
use crate::interrupt::Interrupt;
use crate::toolchain;

/// Starts the programs that fake nodes need, unless they run, and waits until pods can be scheduled
/// there.
///
/// # Errors
/// When the sandbox is not started, when kwok cannot be built, and when the nodes do not become ready.
pub(crate) fn run(name: &InstanceName, interrupt: &Interrupt) -> Result<(), SandboxError> {
    let kwok = toolchain::KWOK.ensure(&Cache::of_user()?, interrupt)?;
    fake_nodes::ensure(&mut super::open(name)?, &kwok.join("kwok"), interrupt)
}
