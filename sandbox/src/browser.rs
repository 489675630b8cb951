//! A headless browser for the HTML reports.
//!
//! Like the node's packages, it is unpacked into the cache and not installed, together with the
//! libraries that the system lacks.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::cache::{Cache, Key};
use crate::command::{self, CommandError};
use crate::files::{self, FileError};
use crate::packages::{self, PackagesError};
use crate::terminal;

const CACHE_NAME: &str = "browser";
/// The second package contains files of the first; the third contains the fonts.
const PACKAGES: [&str; 3] = [
    "chromium-headless-shell",
    "chromium-common",
    "fonts-dejavu-core",
];
/// A wrapper that finds all files next to itself.
const PROGRAM: &str = "browser";

const SCRIPT: &str = r#"#!/bin/sh
# The browser beside this file, with the libraries and fonts beside this file.
here=$(dirname "$(readlink -f "$0")")
libraries=$(find "$here/usr/lib" "$here/lib" -type d 2>/dev/null | tr '\n' ':')
export LD_LIBRARY_PATH="${libraries%:}"
export FONTCONFIG_FILE="$here/fonts.conf"
exec "$here/usr/lib/chromium/chromium-headless-shell" "$@"
"#;

const FONTS: &str = r#"<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "urn:fontconfig:fonts.dtd">
<fontconfig>
  <dir prefix="relative">usr/share/fonts</dir>
  <cachedir prefix="xdg">fontconfig</cachedir>
</fontconfig>
"#;

/// The path of the program; fetches it if it is missing.
///
/// # Errors
/// When it cannot be fetched or unpacked.
pub(crate) fn ensure(cache: &Cache) -> Result<PathBuf, PackagesError> {
    let folder = cache.ensure(CACHE_NAME, &key()?, fetch)?;
    Ok(folder.join(PROGRAM))
}

/// Another release or architecture of the system needs other files; so does another script.
fn key() -> Result<Key, FileError> {
    let system = files::read(Path::new("/etc/os-release"))?;
    let ingredients = [system.as_str(), std::env::consts::ARCH, SCRIPT, FONTS]
        .into_iter()
        .chain(PACKAGES);
    Ok(Key::of(ingredients.map(str::as_bytes)))
}

fn fetch(folder: &Path) -> Result<(), PackagesError> {
    terminal::progress("fetching a browser for the HTML reports");
    if download(folder).is_err() {
        packages::update_lists()?;
        download(folder)?;
    }
    packages::unpack(folder)?;
    let program = folder.join(PROGRAM);
    for (path, text) in [(&program, SCRIPT), (&folder.join("fonts.conf"), FONTS)] {
        std::fs::write(path, text).map_err(FileError::at("write", path))?;
    }
    std::fs::set_permissions(&program, PermissionsExt::from_mode(0o755))
        .map_err(FileError::at("open to all", &program))?;
    Ok(())
}

/// The packages, and their dependencies that are not installed.
fn download(folder: &Path) -> Result<(), CommandError> {
    let mut command = Command::new("apt-get");
    command
        .args(["--quiet", "--quiet", "--yes", "install"])
        // Installed packages are unpacked too: their files must be next to each other.
        .args(["--reinstall", "--download-only", "--no-install-recommends"])
        .args(["--option", "APT::Sandbox::User=root", "--option"])
        .arg(format!("Dir::Cache::archives={}", folder.display()))
        .args(PACKAGES);
    command::output_of(command).map(drop)
}
