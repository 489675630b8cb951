//! `mutations`: does the simulation find mutations? Each one is applied to a copy of the
//! workspace.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::path::{Path, PathBuf};

use crate::command;
use crate::error::SandboxError;
use crate::files::{self, FileError};
use crate::foreground;
use crate::interrupt::Interrupt;
use crate::mutation::{Mutation, MutationError};
use crate::terminal;
use crate::workspace;

const TEST: [&str; 5] = [
    "test",
    "--locked",
    "--package=cryptoctl",
    "--test=simulation",
    "--quiet",
];

/// Applies every mutation, or the named ones; returns whether all were found.
///
/// # Errors
/// When a mutation does not apply to the source, when the mutated source does not compile, and when
/// interrupted.
pub(crate) fn run(names: &[String], interrupt: &Interrupt) -> Result<bool, SandboxError> {
    let root = workspace::root();
    let mutations = Mutation::load(&root.join("tests/mutations"), names)?;
    let folder = root.join("target/mutations");
    let copy = folder.join("workspace");
    copy_workspace(&root, &copy)?;
    let mut all_found = true;
    terminal::progress(format_args!(
        "{} mutations; their output is in {}",
        mutations.len(),
        folder.display()
    ));
    for mutation in &mutations {
        let log = folder.join(format!("{}.log", mutation.name));
        let found = mutation.applied(&copy, || simulate(mutation, &copy, &log, interrupt))?;
        all_found &= found.is_some();
        let found = found.map_or("MISSED".to_owned(), |how| format!("found by {how}"));
        terminal::data(format_args!(
            "{:<30} {found:<20} {}",
            mutation.name, mutation.why
        ));
    }
    Ok(all_found)
}

/// Builds and runs the simulation; returns which failure found the mutation.
fn simulate(
    mutation: &Mutation,
    workspace: &Path,
    log: &Path,
    interrupt: &Interrupt,
) -> Result<Option<String>, SandboxError> {
    let run = |arguments: &[&str]| -> Result<bool, SandboxError> {
        let file = File::create(log).map_err(FileError::at("create", log))?;
        let errors = file.try_clone().map_err(FileError::at("write", log))?;
        let mut command = workspace::cargo(&TEST);
        command
            .args(arguments)
            .current_dir(workspace)
            .env("CARGO_TARGET_DIR", workspace.with_file_name("target"))
            .env("RUST_BACKTRACE", "0")
            .stdout(file)
            .stderr(errors);
        Ok(foreground::run(command, interrupt)?.success())
    };
    if !run(&["--no-run"])? {
        return Err(MutationError::DoesNotCompile {
            name: mutation.name.clone(),
            log: log.to_owned(),
        }
        .into());
    }
    if run(&["--", "what_is_said"])? {
        return Ok(None);
    }
    let said = files::read(log)?;
    let seed = said
        .lines()
        .find_map(|line| line.strip_prefix("seed ")?.split(':').next());
    Ok(Some(seed.map_or("a failure".to_owned(), |seed| {
        format!("seed {seed}")
    })))
}

/// Copies the files that git tracks, and no others. Unchanged files are not touched, so that little
/// is compiled again.
fn copy_workspace(root: &Path, copy: &Path) -> Result<(), SandboxError> {
    let root_text = root.display().to_string();
    let listed = command::run("git", ["-C", &root_text, "ls-files", "--cached"])?;
    let known: BTreeSet<PathBuf> = listed.lines().map(|name| copy.join(name)).collect();
    remove_others(copy, &known)?;
    for name in listed.lines() {
        let (from, to) = (root.join(name), copy.join(name));
        if !from.is_file() {
            continue;
        }
        let wanted = fs::read(&from).map_err(FileError::at("read", &from))?;
        if fs::read(&to).is_ok_and(|found| found == wanted) {
            continue;
        }
        if let Some(parent) = to.parent() {
            files::create_private_folder(parent)?;
        }
        files::write_private(&to, wanted)?;
    }
    Ok(())
}

/// Removes files of an earlier copy that git no longer tracks.
fn remove_others(folder: &Path, known: &BTreeSet<PathBuf>) -> Result<(), SandboxError> {
    for path in files::entries(folder) {
        if path.is_dir() {
            remove_others(&path, known)?;
        } else if !known.contains(&path) {
            fs::remove_file(&path).map_err(FileError::at("remove", &path))?;
        }
    }
    Ok(())
}
