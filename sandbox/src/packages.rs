//! The Debian packages that the node needs.
//!
//! They are unpacked into the cache instead of installed: no system service is started, no system
//! package changes, and every instance uses the same programs.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::cache::{Cache, Key};
use crate::command::{self, CommandError};
use crate::files::{self, FileError};
use crate::terminal;

const CACHE_NAME: &str = "packages";
const PACKAGES: [&str; 5] = [
    "containerd",
    "runc",
    "containernetworking-plugins",
    "bash-static",
    "busybox-static",
];

/// The packages could not be fetched or unpacked.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PackagesError {
    /// A file operation failed.
    #[error(transparent)]
    File(#[from] FileError),
    /// One of Debian's tools failed.
    #[error("cannot get {}", title())]
    Command(#[from] CommandError),
}

/// The folder with the unpacked packages; fetches them if they are missing.
///
/// # Errors
/// When they cannot be fetched or unpacked.
pub(crate) fn ensure(cache: &Cache) -> Result<PathBuf, PackagesError> {
    cache.ensure(CACHE_NAME, &key()?, fetch)
}

/// Whether they have to be fetched.
pub(crate) fn are_missing(cache: &Cache) -> bool {
    key().map_or(true, |key| !cache.has(CACHE_NAME, &key))
}

/// Another release or architecture of the system needs other files.
fn key() -> Result<Key, FileError> {
    let system = files::read(Path::new("/etc/os-release"))?;
    let ingredients = [system.as_str(), std::env::consts::ARCH]
        .into_iter()
        .chain(PACKAGES);
    Ok(Key::of(ingredients.map(str::as_bytes)))
}

/// The packages, as shown to the user.
pub(crate) fn title() -> String {
    format!("the Debian packages {}", PACKAGES.join(", "))
}

fn fetch(folder: &Path) -> Result<(), PackagesError> {
    terminal::progress(format_args!("fetching {}", title()));
    if download(folder).is_err() {
        update_lists()?;
        download(folder)?;
    }
    unpack(folder)
}

/// A fresh machine has no package lists, or old ones that name files that no longer exist.
pub(crate) fn update_lists() -> Result<(), CommandError> {
    terminal::progress("updating the package lists (apt-get update)");
    command::run("apt-get", ["--quiet", "--quiet", "update"]).map(drop)
}

/// Unpacks the packages in a folder into it, and deletes them.
pub(crate) fn unpack(folder: &Path) -> Result<(), PackagesError> {
    for file in files::entries(folder) {
        if file.extension().is_some_and(|extension| extension == "deb") {
            let paths = [file.as_os_str(), folder.as_os_str()];
            command::run("dpkg-deb", [&["--extract".as_ref()], &paths[..]].concat())?;
            std::fs::remove_file(&file).map_err(FileError::at("remove", &file))?;
        }
    }
    Ok(())
}

fn download(folder: &Path) -> Result<(), CommandError> {
    let mut command = Command::new("apt-get");
    command
        // apt's own user cannot enter the folder.
        .args([
            "--quiet",
            "--quiet",
            "--option",
            "APT::Sandbox::User=root",
            "download",
        ])
        .args(PACKAGES)
        .current_dir(folder);
    command::output_of(command).map(drop)
}
