//! The file system of an image: one tar archive that depends on its content only.

use std::io;
use std::path::Path;

use tar::{Builder, EntryType, Header};

use crate::files::FileError;

/// A file system under construction.
pub(super) struct Layer(Builder<Vec<u8>>);

impl Default for Layer {
    fn default() -> Self {
        Self(Builder::new(Vec::new()))
    }
}

impl Layer {
    /// Adds a folder.
    pub(super) fn folder(&mut self, path: &str, mode: u32) -> Result<(), FileError> {
        let mut header = header(EntryType::Directory, mode, 0);
        self.entry(path, |archive| {
            archive.append_data(&mut header, path, io::empty())
        })
    }

    /// Adds a text file.
    pub(super) fn text(&mut self, path: &str, text: &str) -> Result<(), FileError> {
        self.file(path, 0o644, text.as_bytes())
    }

    /// Adds a program, copied from this machine.
    pub(super) fn program(&mut self, path: &str, from: &Path) -> Result<(), FileError> {
        let content = std::fs::read(from).map_err(FileError::at("read", from))?;
        self.file(path, 0o755, &content)
    }

    /// Adds a symbolic link.
    pub(super) fn link(&mut self, path: &str, target: &str) -> Result<(), FileError> {
        let mut header = header(EntryType::Symlink, 0o777, 0);
        self.entry(path, |archive| {
            archive.append_link(&mut header, path, target)
        })
    }

    /// The finished archive.
    pub(super) fn finish(self) -> Result<Vec<u8>, FileError> {
        self.0
            .into_inner()
            .map_err(FileError::at("finish", Path::new("layer.tar")))
    }

    fn file(&mut self, path: &str, mode: u32, content: &[u8]) -> Result<(), FileError> {
        let mut header = header(EntryType::Regular, mode, content.len());
        self.entry(path, |archive| {
            archive.append_data(&mut header, path, content)
        })
    }

    fn entry(
        &mut self,
        path: &str,
        append: impl FnOnce(&mut Builder<Vec<u8>>) -> io::Result<()>,
    ) -> Result<(), FileError> {
        append(&mut self.0).map_err(FileError::at("add to the image", Path::new(path)))
    }
}

fn header(kind: EntryType, mode: u32, size: usize) -> Header {
    let mut header = Header::new_gnu();
    header.set_entry_type(kind);
    header.set_mode(mode);
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(0);
    header.set_size(size as u64);
    header
}
