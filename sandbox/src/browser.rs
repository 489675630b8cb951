//! A browser without a screen, which looks at the pages that reports are.
//!
//! Like the node's packages it is unpacked into the cache and not installed; the libraries that the
//! system lacks come with it.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::cache::{Cache, Key};
use crate::command::{self, CommandError};
use crate::files::{self, FileError};
use crate::packages::{self, PackagesError};
use crate::terminal;

const CACHE_NAME: &str = "browser";
/// The second one holds files of the first, the third one the letters on a page.
const PACKAGES: [&str; 3] = [
    "chromium-headless-shell",
    "chromium-common",
    "fonts-dejavu-core",
];
/// The program that finds everything beside itself.
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

/// The program; fetches it unless it is there.
///
/// # Errors
/// When it cannot be fetched or unpacked.
pub(crate) fn ensure(cache: &Cache) -> Result<PathBuf, PackagesError> {
    let folder = cache.ensure(CACHE_NAME, &key()?, fetch)?;
    Ok(folder.join(PROGRAM))
}

/// A system of another release or architecture needs other files, and another script as well.
fn key() -> Result<Key, FileError> {
    let system = files::read(Path::new("/etc/os-release"))?;
    let ingredients = [system.as_str(), std::env::consts::ARCH, SCRIPT, FONTS]
        .into_iter()
        .chain(PACKAGES);
    Ok(Key::of(ingredients.map(str::as_bytes)))
}

fn fetch(folder: &Path) -> Result<(), PackagesError> {
    terminal::progress("fetching a browser for the pages that reports are");
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

/// The packages, and whatever they need that is not installed.
fn download(folder: &Path) -> Result<(), CommandError> {
    let mut command = Command::new("apt-get");
    command
        .args(["--quiet", "--quiet", "--yes", "install"])
        // What is installed is unpacked all the same: its files are looked for beside each other.
        .args(["--reinstall", "--download-only", "--no-install-recommends"])
        .args(["--option", "APT::Sandbox::User=root", "--option"])
        .arg(format!("Dir::Cache::archives={}", folder.display()))
        .args(PACKAGES);
    command::output_of(command).map(drop)
}
