//! The one way in which files are read and written here: bounded, and never half of one over another.

use std::fs::{self, File, OpenOptions};
use std::hash::{BuildHasher, RandomState};
use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// How many names are tried before a folder is given up in which all seem to be taken.
const ATTEMPTS: u32 = 16;

/// Reads a file, a device or a pipe, which may never end: call it from a thread that may block.
///
/// # Errors
/// What the operating system says; [`ErrorKind::FileTooLarge`] beyond `largest` bytes.
pub fn read(path: &Path, largest: u64) -> io::Result<Vec<u8>> {
    read_stream(File::open(path)?, largest)
}

/// Reads what is open already, in the same bounds.
///
/// # Errors
/// As [`read`].
pub fn read_stream(stream: impl Read, largest: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    // One byte more than allowed tells a file of exactly the limit from a longer one.
    stream
        .take(largest.saturating_add(1))
        .read_to_end(&mut bytes)?;
    if bytes.len() as u64 > largest {
        return Err(io::Error::new(
            ErrorKind::FileTooLarge,
            format!("it has more than {largest} bytes"),
        ));
    }
    Ok(bytes)
}

/// The same as text.
///
/// # Errors
/// As [`read`]; [`ErrorKind::InvalidData`] when it is no text.
pub(crate) fn read_text(path: &Path, largest: u64) -> io::Result<String> {
    text(read(path, largest)?)
}

/// Text out of bytes.
///
/// # Errors
/// [`ErrorKind::InvalidData`], without a word of what stands there.
pub fn text(bytes: Vec<u8>) -> io::Result<String> {
    String::from_utf8(bytes)
        .map_err(|_| io::Error::new(ErrorKind::InvalidData, "it is not text in UTF-8"))
}

/// Reads a file that is read again and again, as certificates and tokens are. It has to be a regular
/// one: a pipe gives its content once, and may keep whoever opens it waiting for ever.
///
/// # Errors
/// As [`read`]; [`ErrorKind::InvalidInput`] for anything else than a regular file.
pub(crate) fn read_regular(path: &Path, largest: u64) -> io::Result<Vec<u8>> {
    let about = fs::metadata(path)?;
    if about.is_dir() {
        return Err(ErrorKind::IsADirectory.into());
    }
    if !about.is_file() {
        return Err(io::Error::new(
            ErrorKind::InvalidInput,
            "it is no regular file, and has to be read more than once",
        ));
    }
    read(path, largest)
}

/// Writes a file: all of it or nothing. It is made anew beside the old one, under a name that nobody
/// can foresee, and renamed; a device or a pipe is written to as it is.
///
/// # Errors
/// What the operating system says; then an old file is as before.
pub fn replace(path: &Path, content: &[u8], mode: u32) -> io::Result<()> {
    if fs::metadata(path).is_ok_and(|about| !about.is_file() && !about.is_dir()) {
        return OpenOptions::new()
            .write(true)
            .open(path)?
            .write_all(content);
    }
    if path.file_name().is_none() {
        return Err(io::Error::new(
            ErrorKind::InvalidInput,
            "the path names no file",
        ));
    }
    let (mut file, beside) = create_beside(path, mode)?;
    let written = file
        .write_all(content)
        .and_then(|()| file.sync_all())
        .and_then(|()| fs::rename(&beside, path));
    if written.is_err() {
        // What was begun is of no use; the error that counts is the one before.
        let _ = fs::remove_file(&beside);
    }
    written
}

fn create_beside(path: &Path, mode: u32) -> io::Result<(File, PathBuf)> {
    let mut attempt = 1;
    loop {
        let chance = RandomState::new().hash_one(attempt);
        let beside = path.with_file_name(format!(".{chance:016x}.tmp"));
        // Never through a link that somebody has put there.
        let created = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(mode)
            .open(&beside);
        match created {
            Ok(file) => return Ok((file, beside)),
            Err(error) if error.kind() == ErrorKind::AlreadyExists && attempt < ATTEMPTS => {
                attempt += 1;
            }
            Err(error) => return Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    #[test]
    fn what_never_ends_is_read_up_to_the_bound() {
        let error = read(Path::new("/dev/zero"), 1000).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::FileTooLarge);
        assert_eq!(read(Path::new("/dev/null"), 1000).unwrap(), b"");
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        fs::write(&path, "1234").unwrap();
        assert_eq!(read(&path, 4).unwrap(), b"1234");
        assert!(read(&path, 3).is_err());
    }

    #[test]
    fn only_a_regular_file_is_read_again_and_again() {
        let error = read_regular(Path::new("/dev/zero"), 1000).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
        let folder = tempfile::tempdir().unwrap();
        let (path, link) = (folder.path().join("a"), folder.path().join("b"));
        fs::write(&path, "1234").unwrap();
        symlink(&path, &link).unwrap();
        // The kubelet mounts tokens as links.
        assert_eq!(read_regular(&link, 4).unwrap(), b"1234");
        assert!(read_regular(folder.path(), 4).is_err());
    }

    #[test]
    fn what_is_written_is_its_owners_and_nothing_is_left_beside_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("report.json");
        fs::write(&path, "what was there before").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o666)).unwrap();
        replace(&path, b"new", 0o600).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"new");
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn no_link_is_followed() {
        let folder = tempfile::tempdir().unwrap();
        let (path, victim) = (folder.path().join("report"), folder.path().join("victim"));
        fs::write(&victim, "untouched").unwrap();
        symlink(&victim, &path).unwrap();
        replace(&path, b"new", 0o600).unwrap();
        assert_eq!(fs::read(&victim).unwrap(), b"untouched");
        assert_eq!(fs::read(&path).unwrap(), b"new");
    }

    #[test]
    fn a_device_stays_one() {
        replace(Path::new("/dev/null"), b"new", 0o600).unwrap();
        assert!(!fs::metadata("/dev/null").unwrap().is_file());
    }

    #[test]
    fn what_cannot_be_written_leaves_the_folder_as_it_was() {
        let folder = tempfile::tempdir().unwrap();
        assert!(replace(folder.path(), b"new", 0o600).is_err());
        assert!(replace(Path::new("/"), b"new", 0o600).is_err());
        assert!(replace(&folder.path().join("a/b"), b"new", 0o600).is_err());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}
