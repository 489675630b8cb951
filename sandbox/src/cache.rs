//! The cache of everything that is expensive to build and the same for all instances: built once,
//! under a key of its inputs.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use crate::files::{self, FileError};
use crate::folder_lock::FolderLock;
use crate::random;
use crate::terminal;

/// There is no folder for the cache.
#[derive(Debug, thiserror::Error)]
#[error("neither XDG_CACHE_HOME nor HOME is set, so there is no place for the cache")]
pub(crate) struct NoHome;

/// The folder of everything that is shared by instances.
#[derive(Debug)]
pub(crate) struct Cache {
    root: PathBuf,
}

impl Cache {
    /// The user's cache.
    pub(crate) fn of_user() -> Result<Self, NoHome> {
        let absolute = |name| {
            env::var_os(name)
                .map(PathBuf::from)
                .filter(|path| path.is_absolute())
        };
        let base = absolute("XDG_CACHE_HOME")
            .or_else(|| absolute("HOME").map(|home| home.join(".cache")))
            .ok_or(NoHome)?;
        Ok(Self {
            root: base.join("cryptoctl-sandbox"),
        })
    }

    /// The cache's folder, or the one in which it will be created.
    pub(crate) fn existing_parent(&self) -> &Path {
        self.root
            .ancestors()
            .find(|path| path.exists())
            .unwrap_or(&self.root)
    }

    /// Whether the folder `NAME-KEY` exists.
    pub(crate) fn has(&self, name: &str, key: &Key) -> bool {
        self.place(name, key).is_dir()
    }

    fn place(&self, name: &str, key: &Key) -> PathBuf {
        self.root.join(format!("{name}-{}", key.0))
    }

    /// The folder `NAME-KEY`, built by `make` if it does not exist.
    ///
    /// It is built next to its final place and moved there when complete. If two processes need it
    /// at the same time, only one builds it.
    ///
    /// # Errors
    /// When `make` fails, or the folder cannot be created.
    pub(crate) fn ensure<E: From<FileError>>(
        &self,
        name: &str,
        key: &Key,
        make: impl FnOnce(&Path) -> Result<(), E>,
    ) -> Result<PathBuf, E> {
        let place = self.place(name, key);
        if place.is_dir() {
            return Ok(place);
        }
        let beside = self.root.join(format!("{name}.partial"));
        let _lock = FolderLock::acquire(&self.root.join(format!("{name}.lock")), || {
            terminal::progress(format_args!(
                "waiting for another process that builds {name}"
            ));
        })?;
        if place.is_dir() {
            return Ok(place);
        }
        files::remove_folder(&beside)?;
        files::create_private_folder(&beside)?;
        make(&beside)?;
        fs::rename(&beside, &place).map_err(FileError::at("move into place", &beside))?;
        Ok(place)
    }
}

/// Records the inputs of a cached folder.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Key(String);

impl Key {
    /// The key of these inputs, in this order.
    pub(crate) fn of<'a>(ingredients: impl IntoIterator<Item = &'a [u8]>) -> Self {
        const SHOWN_BYTES: usize = 8;
        let mut hash = Sha256::new();
        for ingredient in ingredients {
            // The length distinguishes `ab`, `c` from `a`, `bc`.
            hash.update(ingredient.len().to_le_bytes());
            hash.update(ingredient);
        }
        Self(random::hexadecimal(&hash.finalize()[..SHOWN_BYTES]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(ingredients: &[&str]) -> Key {
        Key::of(ingredients.iter().map(|text| text.as_bytes()))
    }

    #[test]
    fn a_key_depends_on_every_ingredient_and_their_borders() {
        assert_eq!(key(&["ab", "c"]), key(&["ab", "c"]));
        assert_ne!(key(&["ab", "c"]), key(&["a", "bc"]));
        assert_ne!(key(&["ab", "c"]), key(&["ab", "d"]));
    }

    #[test]
    fn a_folder_is_made_once_and_only_when_complete() {
        let parent = tempfile::tempdir().unwrap();
        let cache = Cache {
            root: parent.path().to_owned(),
        };
        let missing = PathBuf::from("/no/such/folder");
        let failed: Result<_, FileError> = cache.ensure("thing", &key(&["1"]), |_| {
            files::create_private_folder(&missing.join("\0"))
        });
        assert!(failed.is_err());
        for _ in 0..2 {
            let mut made = 0;
            let place: Result<_, FileError> = cache.ensure("thing", &key(&["1"]), |folder| {
                made += 1;
                files::write_private(&folder.join("file"), "")
            });
            assert!(place.unwrap().join("file").exists());
            assert!(made <= 1);
        }
        let again: Result<_, FileError> =
            cache.ensure("thing", &key(&["1"]), |_| panic!("it is there already"));
        assert!(again.is_ok());
    }
}
