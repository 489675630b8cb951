//! A lock on a folder between processes, without a file of its own.

use std::fs::{self, File};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use rustix::fs::{FlockOperation, flock};

use crate::files::{self, FileError};

/// Keeps other processes out of a folder until it is dropped.
#[derive(Debug)]
pub(crate) struct FolderLock {
    _folder: File,
}

impl FolderLock {
    /// Locks a folder, creating it if it is missing; waits while another process holds the lock.
    ///
    /// `waiting` is called once if a wait is necessary.
    ///
    /// # Errors
    /// When the folder cannot be created, opened or locked.
    pub(crate) fn acquire(path: &Path, waiting: impl FnOnce()) -> Result<Self, FileError> {
        let mut waiting = Some(waiting);
        loop {
            files::create_private_folder(path)?;
            let folder = File::open(path).map_err(FileError::at("open", path))?;
            if flock(&folder, FlockOperation::NonBlockingLockExclusive).is_err() {
                if let Some(waiting) = waiting.take() {
                    waiting();
                }
                flock(&folder, FlockOperation::LockExclusive)
                    .map_err(|errno| FileError::at("lock", path)(errno.into()))?;
            }
            // The last holder may have removed the folder: then this lock protects nothing.
            if same_folder(&folder, path) {
                return Ok(Self { _folder: folder });
            }
        }
    }
}

fn same_folder(folder: &File, path: &Path) -> bool {
    match (folder.metadata(), fs::metadata(path)) {
        (Ok(held), Ok(named)) => held.ino() == named.ino() && held.dev() == named.dev(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;
    use std::time::Duration;

    #[test]
    fn a_second_holder_waits_and_notices_a_removed_folder() {
        let parent = tempfile::tempdir().unwrap();
        let path = parent.path().join("locked");
        let first = FolderLock::acquire(&path, || panic!("nobody holds it yet")).unwrap();
        let (sender, receiver) = mpsc::channel();
        let second = std::thread::spawn({
            let path = path.clone();
            move || FolderLock::acquire(&path, || sender.send(()).unwrap()).unwrap()
        });
        receiver.recv_timeout(Duration::from_secs(5)).unwrap();
        fs::remove_dir(&path).unwrap();
        drop(first);
        let _held = second.join().unwrap();
        assert!(path.is_dir());
    }
}
