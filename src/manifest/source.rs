//! Where manifests come from: files, folders, standard input and what is compiled in.

use std::collections::HashSet;
use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use kubectl_manifest::MAX_BYTES;

use super::{ManifestError, Options, Unbuilt};
use crate::file;

/// The endings of file names that are taken from a folder; a file that is named itself may have
/// any (`FileExtensions` in kubectl's `cli-runtime/pkg/resource/builder.go`).
const EXTENSIONS: [&str; 3] = ["json", "yaml", "yml"];

const STANDARD_INPUT: &str = "standard input";

/// One argument of `-f`, or a compiled-in file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// A file, or a folder of manifests.
    Path(PathBuf),
    /// Standard input, `-`.
    StandardInput,
    /// A file that is compiled in.
    Embedded {
        /// Its name in messages.
        name: &'static str,
        /// Its content.
        text: &'static str,
    },
}

impl From<PathBuf> for Source {
    /// What an argument of `-f` means: `-` is standard input, anything else a path.
    fn from(argument: PathBuf) -> Self {
        if argument.as_os_str() == "-" {
            Self::StandardInput
        } else {
            Self::Path(argument)
        }
    }
}

/// One file that is to be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum SourceFile {
    Path(PathBuf),
    StandardInput,
    Embedded {
        name: &'static str,
        text: &'static str,
    },
}

impl SourceFile {
    /// The name in messages.
    pub(super) fn name(&self) -> String {
        match self {
            Self::Path(path) => path.display().to_string(),
            Self::StandardInput => STANDARD_INPUT.to_owned(),
            Self::Embedded { name, .. } => (*name).to_owned(),
        }
    }

    /// Reads at most `remaining` bytes, and takes what it read from it.
    pub(super) fn read(
        &self,
        standard_input: &mut dyn Read,
        remaining: &mut u64,
    ) -> Result<Vec<u8>, ManifestError> {
        let read = match self {
            Self::Path(path) => file::read(path, *remaining),
            Self::StandardInput => file::read_stream(standard_input, *remaining),
            Self::Embedded { text, .. } => Ok(text.as_bytes().to_vec()),
        };
        let bytes = read.map_err(|error| match error.kind() {
            io::ErrorKind::FileTooLarge => ManifestError::TooLarge {
                name: self.name(),
                limit: MAX_BYTES,
            },
            _ => ManifestError::Unreadable {
                name: self.name(),
                error,
            },
        })?;
        *remaining = remaining.saturating_sub(bytes.len() as u64);
        Ok(bytes)
    }
}

/// Turns sources into the files that they stand for.
pub(super) fn expand(
    sources: &[Source],
    options: Options,
    errors: &mut Vec<ManifestError>,
) -> Vec<SourceFile> {
    let mut inputs = Vec::new();
    for source in sources {
        match source {
            Source::StandardInput if inputs.contains(&SourceFile::StandardInput) => {
                errors.push(ManifestError::StandardInputTwice);
            }
            Source::StandardInput => inputs.push(SourceFile::StandardInput),
            Source::Embedded { name, text } => inputs.push(SourceFile::Embedded { name, text }),
            Source::Path(path) => match expand_path(path, options) {
                Ok(files) => inputs.extend(files.into_iter().map(SourceFile::Path)),
                Err(error) => errors.push(error),
            },
        }
    }
    inputs
}

fn expand_path(path: &Path, options: Options) -> Result<Vec<PathBuf>, ManifestError> {
    let unreadable = |error| ManifestError::Unreadable {
        name: path.display().to_string(),
        error,
    };
    if !fs::metadata(path).map_err(unreadable)?.is_dir() {
        return match Unbuilt::file(path) {
            Some(unbuilt) => Err(ManifestError::Unbuilt(unbuilt)),
            None => Ok(vec![path.to_owned()]),
        };
    }
    let mut found = Found::default();
    search(path, options.recursive, &mut found).map_err(unreadable)?;
    if let Some(unbuilt) = found.folders.iter().find_map(|it| Unbuilt::folder(it)) {
        return Err(ManifestError::Unbuilt(unbuilt));
    }
    if found.files.is_empty() {
        return Err(ManifestError::EmptyFolder {
            folder: path.display().to_string(),
            recursive: options.recursive,
        });
    }
    Ok(each_once(found.files))
}

/// What was found below a folder, itself included.
#[derive(Default)]
struct Found {
    folders: Vec<PathBuf>,
    files: Vec<PathBuf>,
}

/// Collects a folder's manifests in the order of their names; like kubectl's walk, it does not
/// follow symbolic links to folders, so that it cannot run in a circle.
fn search(folder: &Path, recursive: bool, found: &mut Found) -> io::Result<()> {
    found.folders.push(folder.to_owned());
    let mut entries = fs::read_dir(folder)?.collect::<io::Result<Vec<_>>>()?;
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let path = entry.path();
        if entry.file_type()?.is_dir() {
            if recursive {
                search(&path, recursive, found)?;
            }
        } else if path
            .extension()
            .is_some_and(|extension| EXTENSIONS.iter().any(|e| extension == *e))
        {
            found.files.push(path);
        }
    }
    Ok(())
}

/// Takes a file that is there under several names once. In a volume that the kubelet mounts, every file
/// is a link into a folder whose name begins with two dots (`k8s.io/kubernetes` `pkg/volume/util/
/// atomic_writer.go`); the link's name is the one that people know.
fn each_once(mut files: Vec<PathBuf>) -> Vec<PathBuf> {
    let is_kubelets = |path: &PathBuf| {
        let mut names = path.iter().filter_map(|name| name.to_str());
        names.any(|name| name.len() > 2 && name.starts_with(".."))
    };
    let mut seen = HashSet::new();
    let mut is_first = |path: &PathBuf| {
        let real = fs::canonicalize(path);
        // A broken link is named as what cannot be read, later.
        real.is_err() || real.is_ok_and(|real| seen.insert(real))
    };
    let links: HashSet<PathBuf> = files
        .iter()
        .filter(|path| !is_kubelets(path) && is_first(path))
        .cloned()
        .collect();
    files.retain(|path| links.contains(path) || (is_kubelets(path) && is_first(path)));
    files
}

#[cfg(test)]
mod tests;
