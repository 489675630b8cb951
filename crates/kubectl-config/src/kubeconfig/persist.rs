//! Writes refreshed OIDC tokens back into the kubeconfig, as kubectl does: a provider may refuse
//! a refresh token that was used once.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::files::LARGEST_FILE;
use crate::file;
use crate::secret::Secret;

/// Sets values of a user's `auth-provider` in a kubeconfig; everything else stays as it means, though
/// comments are lost, as they are with kubectl.
///
/// # Errors
/// The file cannot be read, is not what it was, or cannot be written; then it is as before.
pub(crate) fn store_tokens(
    path: &Path,
    user: &str,
    tokens: &BTreeMap<&str, Secret>,
) -> io::Result<()> {
    let _lock = Lock::take(path)?;
    let invalid = || io::Error::new(io::ErrorKind::InvalidData, "it has changed meanwhile");
    let text = file::text(file::read_regular(path, LARGEST_FILE)?)?;
    let value = kubectl_manifest::read_first(&text).map_err(|_| invalid())?;
    let mut document = value.ok_or_else(invalid)?;
    let users = document.get_mut("users").and_then(Value::as_array_mut);
    let config = users
        .into_iter()
        .flatten()
        .find(|entry| entry["name"] == user)
        .and_then(|entry| entry.pointer_mut("/user/auth-provider/config"))
        .and_then(Value::as_object_mut)
        .ok_or_else(invalid)?;
    for (key, secret) in tokens {
        config.insert((*key).to_owned(), Value::from(secret.expose()));
    }
    let text = serde_saphyr::to_string(&document)
        .map_err(|_| io::Error::other("it cannot be written as YAML"))?;
    replace(path, text.as_bytes())
}

/// The file that client-go makes beside a kubeconfig while it changes it
/// (`tools/clientcmd/config.go`, `lockFile`).
struct Lock(PathBuf);

impl Lock {
    fn take(path: &Path) -> io::Result<Self> {
        let mut name = path.as_os_str().to_owned();
        name.push(".lock");
        let lock = PathBuf::from(name);
        fs::OpenOptions::new()
            .write(true)
            .create_new(true)
            .open(&lock)
            .map_err(|error| match error.kind() {
                io::ErrorKind::AlreadyExists => io::Error::other(format!(
                    "`{}` says that somebody changes it",
                    lock.display()
                )),
                _ => error,
            })?;
        Ok(Self(lock))
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // Whoever finds it will say so.
        let _ = fs::remove_file(&self.0);
    }
}

/// Replaces a file in one step, keeping its mode.
fn replace(path: &Path, content: &[u8]) -> io::Result<()> {
    // A link stays a link: what it names is replaced.
    let path = fs::canonicalize(path)?;
    let mode = fs::metadata(&path)?.permissions().mode();
    file::replace(&path, content, mode & 0o777)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_tokens_change() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config");
        let text = "users:\n- name: a\n  user: {token: '0123'}\n- name: b\n  user:\n    auth-provider:\n      name: oidc\n      config: {id-token: old, client-id: 'yes'}\n";
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        let tokens = BTreeMap::from([("id-token", Secret::new("new".to_owned()))]);
        store_tokens(&path, "b", &tokens).unwrap();
        let read = |text: &str| kubectl_manifest::read_first(text).unwrap().unwrap();
        let mut expected = read(text);
        expected["users"][1]["user"]["auth-provider"]["config"]["id-token"] = "new".into();
        assert_eq!(read(&fs::read_to_string(&path).unwrap()), expected);
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o640);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
