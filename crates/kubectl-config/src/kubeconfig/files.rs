//! Finds, reads and merges kubeconfig files.
//!
//! The rules are those of `k8s.io/client-go` `tools/clientcmd/loader.go`: `--kubeconfig` alone, else
//! the list in `KUBECONFIG` with missing files skipped, else the file in the home directory. Of two
//! entries of one name the first file's counts, whole; relative paths are those of the file they
//! stand in.

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::document::{Document, NamedUser};
use super::error::KubeconfigError;
use crate::file;
use crate::settings::Settings;

/// A kubeconfig beyond this size is something else, given by mistake.
pub(crate) const LARGEST_FILE: u64 = 16 * 1024 * 1024;

/// Decoded, an entry takes hundreds of bytes, even if it is written as `{}`; this bounds all files together.
const MOST_ENTRIES: usize = 30_000;

/// A bundle of all public authorities has a few hundred kilobytes.
const LARGEST_CREDENTIAL: u64 = 4 * 1024 * 1024;

/// Reads a file that a kubeconfig names: certificates, a key, a token.
pub(crate) fn credential_file(path: &Path) -> io::Result<Vec<u8>> {
    file::read_regular(path, LARGEST_CREDENTIAL)
}

/// The merged files; `None` when there is none.
pub(crate) fn read(settings: &Settings) -> Result<Option<Document>, KubeconfigError> {
    let mut room = MOST_ENTRIES;
    if let Some(path) = &settings.kubeconfig {
        return read_file(path, &mut room).map(Some);
    }
    let mut merged: Option<Document> = None;
    for path in candidates(settings) {
        let next = match read_file(&path, &mut room) {
            Err(KubeconfigError::Unreadable { source, .. })
                if source.kind() == io::ErrorKind::NotFound =>
            {
                continue;
            }
            read => read?,
        };
        match &mut merged {
            None => merged = Some(next),
            Some(earlier) => merge(earlier, next),
        }
    }
    Ok(merged)
}

fn candidates(settings: &Settings) -> Vec<PathBuf> {
    match &settings.environment.kubeconfig_list {
        Some(list) if !list.is_empty() => std::env::split_paths(list)
            .filter(|path| !path.as_os_str().is_empty())
            .collect(),
        _ => settings
            .environment
            .home
            .iter()
            .map(|home| home.join(".kube").join("config"))
            .collect(),
    }
}

/// What was looked for, in the user's words.
pub(crate) fn looked_at(settings: &Settings) -> String {
    match &settings.environment.kubeconfig_list {
        Some(list) if !list.is_empty() => format!("`KUBECONFIG` ({})", list.to_string_lossy()),
        _ => "`~/.kube/config`".to_owned(),
    }
}

fn read_file(path: &Path, room: &mut usize) -> Result<Document, KubeconfigError> {
    let unreadable = |source| KubeconfigError::Unreadable {
        path: path.to_owned(),
        source,
    };
    let invalid = |reason: String| KubeconfigError::Invalid {
        path: path.to_owned(),
        reason,
    };
    let text = file::read_text(path, LARGEST_FILE).map_err(|error| match error.kind() {
        io::ErrorKind::FileTooLarge | io::ErrorKind::InvalidData => invalid(error.to_string()),
        _ => unreadable(error),
    })?;
    let value = kubectl_manifest::read_first(&text)
        .map_err(|problem| invalid(format!("line {}", problem.line)))?;
    let Some(mut value) = value else {
        return Ok(Document::default());
    };
    *room = room
        .checked_sub(entries(&value))
        .ok_or_else(|| invalid(format!("there are more than {MOST_ENTRIES} entries")))?;
    drop_nulls(&mut value);
    // The decoder's message may quote a value, which may be a token.
    let mut document: Document = serde_json::from_value(value)
        .map_err(|_| invalid("a field has another type than kubeconfigs have".to_owned()))?;
    let has_wrong_type = !matches!(document.kind.as_str(), "" | "Config")
        || !matches!(document.api_version.as_str(), "" | "v1");
    if has_wrong_type {
        return Err(invalid("its kind is not `Config` of `v1`".to_owned()));
    }
    refuse_duplicates(&document).map_err(invalid)?;
    resolve_paths(&mut document, path).map_err(unreadable)?;
    Ok(document)
}

/// How many clusters, contexts and users there are.
fn entries(value: &Value) -> usize {
    let lists = ["clusters", "contexts", "users"].into_iter();
    lists
        .filter_map(|list| Some(value.get(list)?.as_array()?.len()))
        .sum()
}

/// To Go's decoder a null is as good as nothing at all.
fn drop_nulls(value: &mut Value) {
    match value {
        Value::Object(map) => {
            map.retain(|_, value| !value.is_null());
            map.values_mut().for_each(drop_nulls);
        }
        Value::Array(items) => {
            for item in items.iter_mut() {
                if item.is_null() {
                    *item = Value::Object(serde_json::Map::new());
                }
                drop_nulls(item);
            }
        }
        _ => {}
    }
}

fn refuse_duplicates(document: &Document) -> Result<(), String> {
    fn check<'a>(what: &str, names: impl Iterator<Item = &'a String>) -> Result<(), String> {
        let mut seen = BTreeSet::new();
        for name in names {
            if !seen.insert(name) {
                return Err(format!("it has two {what}s named `{name}`"));
            }
        }
        Ok(())
    }
    check("cluster", document.clusters.iter().map(|entry| &entry.name))?;
    check("context", document.contexts.iter().map(|entry| &entry.name))?;
    check("user", document.users.iter().map(|entry| &entry.name))
}

fn resolve_paths(document: &mut Document, file: &Path) -> io::Result<()> {
    let file = std::path::absolute(file)?;
    let folder = file.parent().unwrap_or(Path::new("/"));
    for entry in &mut document.clusters {
        resolve(&mut entry.cluster.certificate_authority, folder);
    }
    for NamedUser { user, .. } in &mut document.users {
        resolve(&mut user.client_certificate, folder);
        resolve(&mut user.client_key, folder);
        resolve(&mut user.token_file, folder);
        // A bare name is looked up in PATH.
        if let Some(exec) = user.exec.as_mut().filter(|exec| exec.command.contains('/')) {
            resolve(&mut exec.command, folder);
        }
        user.origin.clone_from(&file);
    }
    Ok(())
}

fn resolve(path: &mut String, folder: &Path) {
    if !path.is_empty() && Path::new(path).is_relative() {
        *path = folder.join(&path).to_string_lossy().into_owned();
    }
}

fn merge(earlier: &mut Document, later: Document) {
    fn add<T>(into: &mut Vec<T>, from: Vec<T>, name: impl Fn(&T) -> &String) {
        for entry in from {
            if !into.iter().any(|known| name(known) == name(&entry)) {
                into.push(entry);
            }
        }
    }
    if earlier.current_context.is_empty() {
        earlier.current_context = later.current_context;
    }
    add(&mut earlier.clusters, later.clusters, |entry| &entry.name);
    add(&mut earlier.contexts, later.contexts, |entry| &entry.name);
    add(&mut earlier.users, later.users, |entry| &entry.name);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_are_counted_before_they_are_decoded() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config");
        let list = |name: &str, number: usize| format!("{name}: [{}]\n", "{},".repeat(number));
        let half = MOST_ENTRIES / 2;
        std::fs::write(&path, list("clusters", half) + &list("users", half + 1)).unwrap();
        let mut room = MOST_ENTRIES;
        let error = read_file(&path, &mut room).err().unwrap();
        assert!(error.to_string().contains("entries"), "{error}");
    }
}
