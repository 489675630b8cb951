//! Which credential plugins kubectl's preferences allow (`kubectl.config.k8s.io/v1beta1`
//! `Preference`; `k8s.io/client-go` `plugin/pkg/client/auth/exec/exec.go`, `checkAllowlistLocked`).

use std::path::{Component, Path, PathBuf};
use std::{env, io};

use serde::Deserialize;

use super::error::KubeconfigError;
use super::files::LARGEST_FILE;
use crate::file;
use crate::settings::{Kuberc, Settings};

/// Which commands may run to obtain credentials.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) enum PluginPolicy {
    /// Whatever the kubeconfig names.
    #[default]
    AllowAll,
    /// None.
    DenyAll,
    /// Only these: names in `PATH`, or paths.
    Allowlist(Vec<String>),
}

/// The first version that has a policy, and what is to come after it.
const API_VERSIONS: [&str; 2] = ["kubectl.config.k8s.io/v1beta1", "kubectl.config.k8s.io/v1"];

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Preference {
    #[serde(default)]
    kind: String,
    #[serde(default)]
    api_version: String,
    #[serde(default)]
    credential_plugin_policy: String,
    credential_plugin_allowlist: Option<Vec<Entry>>,
}

#[derive(Deserialize)]
#[serde(default)]
#[derive(Default)]
struct Entry {
    name: String,
    command: String,
}

/// Reads the policy; without a preferences file everything is allowed.
pub(crate) fn load(settings: &Settings) -> Result<PluginPolicy, KubeconfigError> {
    let Some(path) = file(settings) else {
        return Ok(PluginPolicy::AllowAll);
    };
    let is_named = matches!(settings.environment.kuberc, Kuberc::File(_));
    let text = match file::read_text(&path, LARGEST_FILE) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound && !is_named => {
            return Ok(PluginPolicy::AllowAll);
        }
        Err(source) => {
            return Err(KubeconfigError::File {
                what: "kubectl preferences",
                path,
                source,
            });
        }
    };
    policy(&text).map_err(|reason| {
        KubeconfigError::Unusable(format!(
            "the kubectl preferences `{}` cannot decide on credential plugins: {reason}",
            path.display()
        ))
    })
}

fn file(settings: &Settings) -> Option<PathBuf> {
    let environment = &settings.environment;
    match &environment.kuberc {
        Kuberc::Off => None,
        Kuberc::File(path) => Some(path.clone()),
        Kuberc::AtHome => Some(environment.home.as_ref()?.join(".kube").join("kuberc")),
    }
}

fn policy(text: &str) -> Result<PluginPolicy, String> {
    let value = kubectl_manifest::read_first(text)
        .map_err(|problem| format!("line {} is not valid YAML", problem.line))?;
    let Some(value) = value else {
        return Ok(PluginPolicy::AllowAll);
    };
    let preference: Preference =
        serde_json::from_value(value).map_err(|_| "it is not a `Preference`".to_owned())?;
    // What kubectl does not know it passes over.
    let is_known = API_VERSIONS.contains(&preference.api_version.as_str());
    if preference.kind != "Preference" || !is_known {
        return Ok(PluginPolicy::AllowAll);
    }
    let allowlist = preference.credential_plugin_allowlist;
    let policy = preference.credential_plugin_policy;
    match (policy.as_str(), allowlist) {
        ("" | "AllowAll", None) => Ok(PluginPolicy::AllowAll),
        ("DenyAll", None) => Ok(PluginPolicy::DenyAll),
        ("Allowlist", Some(entries)) if !entries.is_empty() => {
            let commands: Vec<String> = entries.into_iter().map(Entry::command).collect();
            if commands.iter().any(String::is_empty) {
                return Err("its `credentialPluginAllowlist` has an empty entry".to_owned());
            }
            if let Some(command) = commands.iter().find(|command| !is_normal(command)) {
                return Err(format!(
                    "its `credentialPluginAllowlist` has `{command}`, which is no normal path"
                ));
            }
            Ok(PluginPolicy::Allowlist(commands))
        }
        ("Allowlist", _) => {
            Err("its policy is `Allowlist`, and `credentialPluginAllowlist` is empty".to_owned())
        }
        ("" | "AllowAll" | "DenyAll", Some(_)) => Err(format!(
            "it has a `credentialPluginAllowlist`, and its policy is `{policy}` instead of `Allowlist`"
        )),
        _ => Err(format!("its policy `{policy}` is unknown")),
    }
}

impl Entry {
    /// `name` is the older spelling.
    fn command(self) -> String {
        if self.command.is_empty() {
            self.name
        } else {
            self.command
        }
    }
}

impl PluginPolicy {
    /// As it stands in the file.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::AllowAll => "AllowAll",
            Self::DenyAll => "DenyAll",
            Self::Allowlist(_) => "Allowlist",
        }
    }

    /// Whether a command may run; both sides are compared by where they lead.
    pub(crate) fn allows(&self, command: &str) -> bool {
        match self {
            Self::AllowAll => true,
            Self::DenyAll => false,
            Self::Allowlist(allowed) => {
                let resolved = look_up(command);
                allowed.iter().any(|entry| {
                    entry == command || (resolved.is_some() && look_up(entry) == resolved)
                })
            }
        }
    }
}

/// Where a command leads: a path as it is, a bare name by `PATH`, whose relative entries do not count
/// (Go's `os/exec`, `ErrDot`): a folder that one happens to work in is not to say what runs.
pub(crate) fn look_up(command: &str) -> Option<PathBuf> {
    if command.contains('/') {
        return Some(PathBuf::from(command));
    }
    let path = env::var_os("PATH")?;
    env::split_paths(&path)
        .filter(|folder| folder.is_absolute())
        .map(|folder| folder.join(command))
        .find(|candidate| is_executable(candidate))
}

/// Whether a path is written in its shortest form (Go's `filepath.Clean`).
fn is_normal(command: &str) -> bool {
    let path = Path::new(command);
    let shortest: PathBuf = path.components().collect();
    let has_detour = path
        .components()
        .skip(1)
        .any(|part| part == Component::ParentDir);
    shortest.as_os_str() == path.as_os_str() && !command.starts_with("./") && !has_detour
}

fn is_executable(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    std::fs::metadata(path)
        .is_ok_and(|metadata| metadata.is_file() && metadata.permissions().mode() & 0o111 != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "apiVersion: kubectl.config.k8s.io/v1beta1\nkind: Preference\n";

    #[test]
    fn a_policy_without_its_list_is_refused() {
        for wrong in [
            "credentialPluginPolicy: Allowlist",
            "credentialPluginPolicy: Allowlist\ncredentialPluginAllowlist: []",
            "credentialPluginAllowlist: [{command: a}]",
            "credentialPluginPolicy: Never",
            "credentialPluginPolicy: Allowlist\ncredentialPluginAllowlist: [{command: /a//b}]",
            "credentialPluginPolicy: Allowlist\ncredentialPluginAllowlist: [{command: /a/../b}]",
            "credentialPluginPolicy: Allowlist\ncredentialPluginAllowlist: [{command: ./b}]",
        ] {
            assert!(policy(&format!("{HEAD}{wrong}\n")).is_err(), "{wrong}");
        }
    }

    #[test]
    fn names_are_compared_by_where_they_lead() {
        let list = PluginPolicy::Allowlist(vec!["sh".to_owned()]);
        let path = look_up("sh").unwrap();
        assert!(list.allows("sh"));
        assert!(list.allows(path.to_str().unwrap()));
        assert!(!list.allows("env"));
        assert!(!PluginPolicy::DenyAll.allows("sh"));
    }
}
