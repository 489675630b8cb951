//! Mutations: deliberate mutations that show whether the simulation finds them.

use std::path::{Path, PathBuf};

use toml_edit::DocumentMut;

use crate::files::{self, FileError};

/// One change of the source that breaks a promise.
#[derive(Debug)]
pub(crate) struct Mutation {
    pub(crate) name: String,
    /// Relative to the workspace.
    file: PathBuf,
    find: String,
    replace: String,
    /// What it would mean for a user.
    pub(crate) why: String,
}

/// A mutation cannot be applied.
#[derive(Debug, thiserror::Error)]
pub(crate) enum MutationError {
    /// A file operation failed.
    #[error(transparent)]
    File(#[from] FileError),
    /// A description is not valid TOML.
    #[error("`{}` is not valid TOML", path.display())]
    Syntax {
        path: PathBuf,
        source: toml_edit::TomlError,
    },
    /// A description lacks a field.
    #[error("`{}` lacks the text `{field}`", path.display())]
    Field { path: PathBuf, field: &'static str },
    /// The text to replace does not occur exactly once.
    #[error("the text that `{name}` replaces occurs {places} times in `{}`", file.display())]
    Places {
        name: String,
        file: PathBuf,
        places: usize,
    },
    /// The mutated source does not compile.
    #[error("`{name}` does not compile: see `{}`", log.display())]
    DoesNotCompile { name: String, log: PathBuf },
    /// No mutation has this name.
    #[error("there is no mutation `{0}`")]
    Unknown(String),
}

impl Mutation {
    /// All mutations of a folder, by name; or only the named ones, if any are named.
    ///
    /// # Errors
    /// When a description cannot be read, or a name is unknown.
    pub(crate) fn load(folder: &Path, names: &[String]) -> Result<Vec<Self>, MutationError> {
        let mut mutations = files::entries(folder)
            .iter()
            .map(|path| Self::read(path))
            .collect::<Result<Vec<Self>, MutationError>>()?;
        mutations.sort_by(|one, other| one.name.cmp(&other.name));
        if let Some(name) = names
            .iter()
            .find(|name| mutations.iter().all(|mutation| mutation.name != **name))
        {
            return Err(MutationError::Unknown(name.clone()));
        }
        mutations.retain(|mutation| names.is_empty() || names.contains(&mutation.name));
        Ok(mutations)
    }

    fn read(path: &Path) -> Result<Self, MutationError> {
        let document: DocumentMut =
            files::read(path)?
                .parse()
                .map_err(|source| MutationError::Syntax {
                    path: path.to_owned(),
                    source,
                })?;
        let text = |field: &'static str| {
            let value = document.get(field).and_then(toml_edit::Item::as_str);
            value
                .map(str::to_owned)
                .ok_or_else(|| MutationError::Field {
                    path: path.to_owned(),
                    field,
                })
        };
        let name = path.file_stem().unwrap_or_default();
        Ok(Self {
            name: name.to_string_lossy().into_owned(),
            file: PathBuf::from(text("file")?),
            find: text("find")?,
            replace: text("replace")?,
            why: text("why")?,
        })
    }

    /// Applies it to a copy of the workspace, runs `work`, and reverts it.
    ///
    /// # Errors
    /// When it does not apply, and the errors of `work`.
    pub(crate) fn applied<T, E: From<MutationError>>(
        &self,
        workspace: &Path,
        work: impl FnOnce() -> Result<T, E>,
    ) -> Result<T, E> {
        let path = workspace.join(&self.file);
        let source = files::read(&path).map_err(MutationError::from)?;
        let places = source.matches(&self.find).count();
        if places != 1 {
            return Err(E::from(MutationError::Places {
                name: self.name.clone(),
                file: self.file.clone(),
                places,
            }));
        }
        let broken = source.replace(&self.find, &self.replace);
        files::write_private(&path, broken).map_err(MutationError::from)?;
        let outcome = work();
        files::write_private(&path, source).map_err(MutationError::from)?;
        outcome
    }
}
