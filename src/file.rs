//! Files, bounded and all or nothing; what a run may hold in memory grows by what it reads of them.

use std::fs::DirBuilder;
use std::io::{self, Read};
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;

use kubectl_config::file;
pub(crate) use kubectl_config::file::{replace, text};

use crate::memory;

/// Only its owner reads and writes it: what a cluster says may be secret.
pub(crate) const PRIVATE: u32 = 0o600;

/// Reads a file, a device or a pipe, which may never end: call it from a thread that may block.
///
/// # Errors
/// As [`file::read`].
pub(crate) fn read(path: &Path, largest: u64) -> io::Result<Vec<u8>> {
    file::read(path, largest).inspect(|bytes| memory::admit(bytes.len()))
}

/// Reads what is open already, in the same bounds.
///
/// # Errors
/// As [`file::read`].
pub(crate) fn read_stream(stream: impl Read, largest: u64) -> io::Result<Vec<u8>> {
    file::read_stream(stream, largest).inspect(|bytes| memory::admit(bytes.len()))
}

/// The same as text.
///
/// # Errors
/// As [`read`]; [`io::ErrorKind::InvalidData`] when it is no text.
pub(crate) fn read_text(path: &Path, largest: u64) -> io::Result<String> {
    text(read(path, largest)?)
}

/// Creates a folder that only its owner opens, with the folders above it; one that exists is good, too.
///
/// # Errors
/// What the file system says.
pub(crate) fn create_folder(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)
}

/// The folder that a file stands in, or would.
pub(crate) fn folder(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}
