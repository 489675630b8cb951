//! The instance's own cgroup in each hierarchy; all its containers run in it.

use std::fs;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use crate::files::{self, FileError};
use crate::process::Process;

const ROOT: &str = "/sys/fs/cgroup";

/// Creates the cgroup in every hierarchy.
///
/// # Errors
/// When a folder cannot be created.
pub(crate) fn create(name: &str) -> Result<(), FileError> {
    enable_controllers();
    for hierarchy in hierarchies() {
        files::create_private_folder(&hierarchy.join(name))?;
    }
    Ok(())
}

/// Every process in the cgroup.
pub(crate) fn processes(name: &str) -> Vec<Process> {
    folders(name)
        .iter()
        .filter_map(|folder| fs::read_to_string(folder.join("cgroup.procs")).ok())
        .flat_map(|pids| {
            pids.lines()
                .filter_map(|pid| pid.parse().ok())
                .collect::<Vec<_>>()
        })
        .filter_map(Process::with_pid)
        .collect()
}

/// Removes the cgroup from every hierarchy.
///
/// # Errors
/// When a folder is still in use after a few seconds.
pub(crate) fn remove(name: &str) -> Result<(), FileError> {
    let deadline = Instant::now() + Duration::from_secs(5);
    for folder in folders(name) {
        // The kernel needs a moment after processes have ended.
        while let Err(error) = fs::remove_dir(&folder) {
            if !folder.exists() {
                break;
            }
            if Instant::now() > deadline {
                return Err(FileError::at("remove cgroup", &folder)(error));
            }
            thread::sleep(Duration::from_millis(10));
        }
    }
    Ok(())
}

/// The folders of the cgroup in all hierarchies, innermost first.
fn folders(name: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for hierarchy in hierarchies() {
        collect(&hierarchy.join(name), &mut found);
    }
    found
}

fn collect(folder: &Path, found: &mut Vec<PathBuf>) {
    if folder.is_dir() {
        for child in files::entries(folder) {
            collect(&child, found);
        }
        found.push(folder.to_owned());
    }
}

/// Version 2 has one hierarchy; version 1 has one for each controller, some under two names.
fn hierarchies() -> Vec<PathBuf> {
    let root = Path::new(ROOT);
    if is_version_2() {
        return vec![root.to_owned()];
    }
    files::entries(root)
        .into_iter()
        .filter(|path| !path.is_symlink() && path.join("cgroup.procs").exists())
        .collect()
}

fn is_version_2() -> bool {
    Path::new(ROOT).join("cgroup.controllers").exists()
}

/// In version 2, a cgroup has only the controllers that its parent delegates.
fn enable_controllers() {
    let root = Path::new(ROOT);
    let controllers = fs::read_to_string(root.join("cgroup.controllers")).unwrap_or_default();
    for controller in controllers.split_whitespace() {
        // A controller that cannot be delegated is not needed.
        let _ = fs::write(
            root.join("cgroup.subtree_control"),
            format!("+{controller}"),
        );
    }
}
