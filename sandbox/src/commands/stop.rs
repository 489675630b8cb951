//! `stop`: removes the whole instance, even if parts of it are broken.

use std::path::Path;
use std::time::Duration;

use crate::cache::Cache;
use crate::components;
use crate::error::SandboxError;
use crate::folder_lock::FolderLock;
use crate::instance::{self, Instance, InstanceName};
use crate::process::{self, Process};
use crate::{cgroup, leftovers, mounts, packages, supervisor, terminal, tools, volumes};

/// How long to wait for a killed process to end.
const PATIENCE: Duration = Duration::from_secs(10);

/// Ends every process of the instance and removes everything that it created.
///
/// This needs no answer from any component: processes are found by their records, by the mark in
/// their environment and by their cgroup, everything else by its name.
///
/// # Errors
/// When something cannot be removed.
pub(crate) fn run(name: &InstanceName) -> Result<(), SandboxError> {
    let folder = Instance::folder_of(name);
    let cgroup = instance::cgroup_of(name.as_ref());
    if !folder.exists() {
        terminal::progress(format_args!("sandbox `{}` is not started", name.as_ref()));
        return Ok(());
    }
    let _lock = FolderLock::acquire(&folder, || {
        terminal::progress("waiting for another start or stop of this sandbox");
    })?;
    end_processes(&folder, &cgroup)?;
    // Each step runs even if others fail; a second stop finds what is left.
    let results: [Result<(), SandboxError>; 4] = [
        mounts::unmount_under(&folder).map_err(Into::into),
        remove_network(name),
        cgroup::remove(&cgroup).map_err(Into::into),
        volumes::remove(&folder.join("etcd")).map_err(Into::into),
    ];
    leftovers::remove_shim_sockets(&folder);
    leftovers::remove_network_results(&folder);
    leftovers::remove_log_links(&folder);
    leftovers::remove_device_socket();
    results.into_iter().collect::<Result<(), SandboxError>>()?;
    Instance::remove_folder(name)?;
    terminal::progress(format_args!("sandbox `{}` is stopped", name.as_ref()));
    Ok(())
}

fn remove_network(name: &InstanceName) -> Result<(), SandboxError> {
    let Some(instance) = Instance::open(name)? else {
        return Ok(());
    };
    // The cache may have been emptied since the start.
    let packages = packages::ensure(&Cache::of_user()?)?;
    Ok(instance
        .settings
        .network
        .remove(&tools::program_in(&packages, "busybox"))?)
}

/// Ends the components in reverse order, so that none repairs what is being removed; then the
/// containers, and last everything else that the components started.
fn end_processes(folder: &Path, cgroup: &str) -> Result<(), SandboxError> {
    let components = components::NAMES
        .iter()
        .chain(&components::FAKE_NODES)
        .rev()
        .filter_map(|component| supervisor::recorded_process(folder, component))
        .collect();
    end(components)?;
    end(cgroup::processes(cgroup))?;
    end(process::with_environment(
        supervisor::MARK,
        folder.as_os_str(),
    ))?;
    // A container may have been starting during the first look.
    end(cgroup::processes(cgroup))?;
    Ok(())
}

fn end(processes: Vec<Process>) -> Result<(), SandboxError> {
    for process in &processes {
        let _ = process.signal(rustix::process::Signal::KILL);
    }
    match processes
        .into_iter()
        .find(|process| !process.kill(PATIENCE))
    {
        Some(process) => Err(SandboxError::Unkillable(process.pid)),
        None => Ok(()),
    }
}
