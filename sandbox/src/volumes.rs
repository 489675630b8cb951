//! The folders that the controller manager provisions as volumes.
//!
//! All volumes of a machine are in one fixed folder, so an instance's own must be distinguished
//! from those of others.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use crate::files::{self, FileError};

const PROVISIONED: &str = "/tmp/hostpath_pv/";
/// The length of the name of a volume's folder.
const UUID_LENGTH: usize = 36;

/// Removes the volumes of the cluster whose etcd has its data in this folder.
///
/// Their names come from etcd's own files: these can be read even if no component answers, and they
/// name only volumes of this cluster.
///
/// # Errors
/// When a volume cannot be removed.
pub(crate) fn remove(etcd_data: &Path) -> Result<(), FileError> {
    for volume in mentioned_in_files(etcd_data) {
        files::remove_folder(&Path::new(PROVISIONED).join(volume))?;
    }
    let _others_have_volumes = fs::remove_dir(PROVISIONED);
    Ok(())
}

fn mentioned_in_files(folder: &Path) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut folders: Vec<PathBuf> = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for path in files::entries(&folder) {
            if path.is_dir() {
                folders.push(path);
            } else {
                let content = fs::read(path).unwrap_or_default();
                found.extend(mentioned_in(without_trailing_zeros(&content)));
            }
        }
    }
    found
}

/// etcd reserves tens of megabytes for its log, but uses little of them.
fn without_trailing_zeros(content: &[u8]) -> &[u8] {
    const ZEROS: [u8; 4096] = [0; 4096];
    let is_used = |chunk: &[u8]| chunk != &ZEROS[..chunk.len()];
    match content.chunks(ZEROS.len()).rposition(is_used) {
        Some(last) => &content[..content.len().min((last + 1) * ZEROS.len())],
        None => &[],
    }
}

/// The names of all volumes whose path occurs in the bytes.
fn mentioned_in(content: &[u8]) -> BTreeSet<String> {
    let needle = PROVISIONED.as_bytes();
    content
        .windows(needle.len() + UUID_LENGTH)
        .filter(|window| window.starts_with(needle))
        .filter_map(|window| std::str::from_utf8(&window[needle.len()..]).ok())
        .filter(|name| name.chars().all(|c| c == '-' || c.is_ascii_hexdigit()))
        .map(ToOwned::to_owned)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_whole_names_only() {
        let name = "0b5c1f2e-1111-2222-3333-444455556666";
        let content = format!(
            "\0\u{1}/tmp/hostpath_pv/{name}\0/tmp/hostpath_pv/../../etc/passwd-and-more-of-it-here\0/tmp/hostpath_pv/0b5c"
        );
        assert_eq!(
            mentioned_in(content.as_bytes()),
            BTreeSet::from([name.to_owned()])
        );
    }

    #[test]
    fn only_the_unused_end_of_a_file_is_skipped() {
        let mut content = vec![0; 20_000];
        assert!(without_trailing_zeros(&content).is_empty());
        content[5_000] = 1;
        assert_eq!(without_trailing_zeros(&content).len(), 8_192);
        content[19_999] = 1;
        assert_eq!(without_trailing_zeros(&content).len(), 20_000);
    }
}
