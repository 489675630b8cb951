//! One sandbox: its name, its folder, and the settings that were chosen when it was created.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::files::{self, FileError};
use crate::folder_lock::FolderLock;
use crate::network::Network;
use crate::ports::{FakeNodePorts, Ports, PortsError};
use crate::random;
use crate::tools::Tools;

/// All instances of this machine live here, each in a folder of its own.
const ROOT: &str = "/var/lib/cryptoctl-sandbox";
const SETTINGS: &str = "settings.json";

/// The name of an instance: short, and safe in paths and in the names of cgroups.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct InstanceName(String);

/// Text that cannot name an instance.
#[derive(Debug, thiserror::Error)]
#[error(
    "a sandbox's name has 1 to 30 lower-case letters, digits and `-`, and begins with a letter"
)]
pub(crate) struct InvalidName;

impl FromStr for InstanceName {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<Self, InvalidName> {
        let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        let valid = text.len() <= 30
            && text.starts_with(|c: char| c.is_ascii_lowercase())
            && text.chars().all(allowed);
        valid.then(|| Self(text.to_owned())).ok_or(InvalidName)
    }
}

impl AsRef<str> for InstanceName {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

/// Chosen once, so that a restarted component keeps its address.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Settings {
    pub(crate) ports: Ports,
    pub(crate) network: Network,
    /// Gives its bearer every permission at the API server.
    pub(crate) token: String,
    /// The inputs from which the components were last started.
    pub(crate) tools: Tools,
    /// Chosen when fake nodes are first needed.
    #[serde(default)]
    fake_node_ports: Option<FakeNodePorts>,
}

/// An instance could not be opened or created.
#[derive(Debug, thiserror::Error)]
pub(crate) enum InstanceError {
    /// A file operation failed.
    #[error(transparent)]
    File(#[from] FileError),
    /// No ports are left.
    #[error(transparent)]
    Ports(#[from] PortsError),
    /// All networks are in use.
    #[error("all networks that a sandbox can use are in use")]
    NoNetwork,
    /// The settings were damaged.
    #[error("`{}` is damaged", path.display())]
    Settings {
        path: PathBuf,
        source: serde_json::Error,
    },
}

/// An instance that exists.
#[derive(Debug)]
pub(crate) struct Instance {
    pub(crate) name: String,
    pub(crate) folder: PathBuf,
    pub(crate) settings: Settings,
}

impl Instance {
    /// The folder of an instance with this name, whether or not it exists.
    pub(crate) fn folder_of(name: &InstanceName) -> PathBuf {
        Path::new(ROOT).join(name.as_ref())
    }

    /// Opens the instance, or `None` if it was never started or is stopped.
    pub(crate) fn open(name: &InstanceName) -> Result<Option<Self>, InstanceError> {
        let folder = Self::folder_of(name);
        let path = folder.join(SETTINGS);
        if !path.exists() {
            return Ok(None);
        }
        let settings = serde_json::from_str(&files::read(&path)?)
            .map_err(|source| InstanceError::Settings { path, source })?;
        Ok(Some(Self {
            name: name.as_ref().to_owned(),
            folder,
            settings,
        }))
    }

    /// Opens the instance; if it does not exist, creates it with free ports and a free network.
    pub(crate) fn open_or_create(name: &InstanceName, tools: Tools) -> Result<Self, InstanceError> {
        if let Some(mut instance) = Self::open(name)? {
            if instance.settings.tools != tools {
                instance.settings.tools = tools;
                instance.save()?;
            }
            return Ok(instance);
        }
        // Two instances created at the same time must not choose the same ports.
        let _allocation = FolderLock::acquire(Path::new(ROOT), || ())?;
        let others = all_settings();
        let taken_networks: Vec<Network> = others
            .iter()
            .map(|settings| settings.network.clone())
            .collect();
        let settings = Settings {
            ports: Ports::choose(&taken_ports(&others))?,
            network: Network::choose(&taken_networks).ok_or(InstanceError::NoNetwork)?,
            token: random::token()?,
            tools,
            fake_node_ports: None,
        };
        let instance = Self {
            name: name.as_ref().to_owned(),
            folder: Self::folder_of(name),
            settings,
        };
        instance.save()?;
        Ok(instance)
    }

    /// The ports of the fake nodes' programs: the same at every start.
    pub(crate) fn fake_node_ports(&mut self) -> Result<FakeNodePorts, InstanceError> {
        if let Some(ports) = self.settings.fake_node_ports {
            return Ok(ports);
        }
        let _allocation = FolderLock::acquire(Path::new(ROOT), || ())?;
        let ports = FakeNodePorts::choose(&taken_ports(&all_settings()))?;
        self.settings.fake_node_ports = Some(ports);
        self.save()?;
        Ok(ports)
    }

    fn save(&self) -> Result<(), FileError> {
        files::create_private_folder(&self.folder)?;
        let text = serde_json::to_string_pretty(&self.settings).unwrap_or_default();
        files::write_private(&self.folder.join(SETTINGS), text)
    }

    /// Removes the instance's folder and, after the last one, the folder of all instances.
    pub(crate) fn remove_folder(name: &InstanceName) -> Result<(), FileError> {
        files::remove_folder(&Self::folder_of(name))?;
        let _not_the_last = fs::remove_dir(ROOT);
        Ok(())
    }

    /// The inputs from which the components are started.
    pub(crate) fn tools(&self) -> &Tools {
        &self.settings.tools
    }

    /// The kubeconfig for users and tests.
    pub(crate) fn kubeconfig(&self) -> PathBuf {
        self.folder.join("kubeconfig")
    }

    /// A file of the certificates folder.
    pub(crate) fn certificate_file(&self, name: &str) -> PathBuf {
        self.folder.join("certificates").join(name)
    }

    /// A component's log.
    pub(crate) fn log(&self, component: &str) -> PathBuf {
        self.folder.join("logs").join(format!("{component}.log"))
    }

    /// The API server's audit log.
    pub(crate) fn audit_log(&self) -> PathBuf {
        self.log("audit")
    }

    /// The socket of the instance's containerd.
    pub(crate) fn containerd_socket(&self) -> PathBuf {
        self.folder.join("containerd/containerd.sock")
    }

    /// The address of the API server.
    pub(crate) fn api_server_url(&self) -> String {
        format!("https://127.0.0.1:{}", self.settings.ports.api_server)
    }

    /// The name of the instance's own part of every cgroup hierarchy.
    pub(crate) fn cgroup(&self) -> String {
        cgroup_of(&self.name)
    }
}

/// The name of an instance's own part of every cgroup hierarchy.
pub(crate) fn cgroup_of(name: &str) -> String {
    format!("cryptoctl-sandbox-{name}")
}

fn all_settings() -> Vec<Settings> {
    files::entries(Path::new(ROOT))
        .iter()
        .filter_map(|folder| fs::read(folder.join(SETTINGS)).ok())
        .filter_map(|text| serde_json::from_slice(&text).ok())
        .collect()
}

fn taken_ports(instances: &[Settings]) -> BTreeSet<u16> {
    let of = |settings: &Settings| {
        let fake = settings.fake_node_ports;
        let fake = fake.into_iter().flat_map(|ports| [ports.kwok, ports.keys]);
        settings.ports.all().into_iter().chain(fake)
    };
    instances.iter().flat_map(of).collect()
}

#[cfg(test)]
impl Instance {
    /// An instance that exists in memory only.
    pub(crate) fn example() -> Self {
        let tools = Tools {
            kubernetes: "/cache/kubernetes".into(),
            etcd: "/cache/etcd".into(),
            packages: "/cache/packages".into(),
            images: "/cache/images".into(),
        };
        let settings = Settings {
            ports: Ports::choose(&BTreeSet::new()).unwrap(),
            network: Network::choose(&[]).unwrap(),
            token: "a-secret-token".to_owned(),
            tools,
            fake_node_ports: None,
        };
        Self {
            name: "example".to_owned(),
            folder: "/instances/example".into(),
            settings,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_safe_in_paths() {
        for name in ["default", "a", "test-2"] {
            assert!(name.parse::<InstanceName>().is_ok(), "{name}");
        }
        for name in [
            "",
            "-a",
            "2a",
            "A",
            "a/b",
            "..",
            "a b",
            "an-instance-with-a-name-too-long",
        ] {
            assert!(name.parse::<InstanceName>().is_err(), "{name}");
        }
    }
}
