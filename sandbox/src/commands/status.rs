//! `status`: the health of each component.

use crate::api::Api;
use crate::components;
use crate::error::SandboxError;
use crate::instance::InstanceName;
use crate::interrupt::Interrupt;
use crate::supervisor::{Health, Supervisor};
use crate::terminal;

/// Prints one line for each component; returns whether all are healthy.
///
/// # Errors
/// When the sandbox is not started or its files cannot be read.
pub(crate) fn run(name: &InstanceName, interrupt: &Interrupt) -> Result<bool, SandboxError> {
    let instance = super::open(name)?;
    let api = Api::new(&instance)?;
    let supervisor = Supervisor::new(&instance, &api, interrupt);
    let mut all_healthy = true;
    for component in components::stages(&instance).iter().flatten() {
        let health = supervisor.health(component);
        all_healthy &= matches!(health, Health::Healthy(_));
        let (state, process) = match health {
            Health::Healthy(process) => ("healthy", Some(process)),
            Health::Unhealthy(process) => ("does not answer", Some(process)),
            Health::Frozen(process) => ("frozen", Some(process)),
            Health::Dead => ("dead", None),
        };
        let pid = process.map_or_else(|| "-".to_owned(), |process| process.pid.to_string());
        terminal::data(format_args!("{:<24} {pid:>8}  {state}", component.name));
    }
    Ok(all_healthy)
}
