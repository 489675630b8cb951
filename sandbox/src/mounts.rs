//! Mounts that containers and volumes leave under an instance's folder.

use std::fs;
use std::path::{Path, PathBuf};

use crate::command::{self, CommandError};

/// Unmounts everything under a folder.
///
/// # Errors
/// When a mount cannot be removed.
pub(crate) fn unmount_under(folder: &Path) -> Result<(), CommandError> {
    // Several mounts may be stacked; one pass removes the uppermost of each.
    const PASSES: usize = 5;
    for _ in 0..PASSES {
        let table = fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
        let mounts = under(folder, &table);
        if mounts.is_empty() {
            break;
        }
        // A process that is ending may still use a mount: it is released when the process ends.
        command::run(
            "umount",
            std::iter::once(PathBuf::from("--lazy")).chain(mounts),
        )?;
    }
    Ok(())
}

/// The mount points under a folder, the innermost first.
fn under(folder: &Path, table: &str) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = table
        .lines()
        .filter_map(|line| line.split(' ').nth(4))
        .map(|place| PathBuf::from(unescape(place)))
        .filter(|place| place.starts_with(folder))
        .collect();
    found.sort();
    found.dedup();
    found.reverse();
    found
}

/// The kernel writes spaces and similar characters as three octal digits.
fn unescape(place: &str) -> String {
    [
        ("\\040", " "),
        ("\\011", "\t"),
        ("\\012", "\n"),
        ("\\134", "\\"),
    ]
    .iter()
    .fold(place.to_owned(), |text, (code, character)| {
        text.replace(code, character)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_mounts_under_the_folder_innermost_first() {
        let table = "\
21 1 0:1 / / rw - ext4 /dev/a rw
22 21 0:2 / /data/one rw - tmpfs tmpfs rw
23 22 0:3 / /data/one/in\\040side rw - tmpfs tmpfs rw
24 21 0:4 / /data/one-more rw - tmpfs tmpfs rw
";
        let expected = [
            PathBuf::from("/data/one/in side"),
            PathBuf::from("/data/one"),
        ];
        assert_eq!(under(Path::new("/data/one"), table), expected);
    }
}
