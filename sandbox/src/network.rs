//! The pods' network: one bridge per instance, reachable only from this machine.
//!
//! No address is translated and nothing is forwarded, so no firewall rule and no kernel setting
//! changes: pods reach each other and this machine over the bridge, and nothing else.

use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::command::{self, CommandError};
use crate::files;

/// An instance's part of the networks reserved for sandboxes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Network {
    index: u8,
}

impl Network {
    /// Chooses a network that no other instance and no interface of this machine uses.
    pub(crate) fn choose(used: &[Self]) -> Option<Self> {
        (0..=u8::MAX)
            .map(|index| Self { index })
            .find(|network| !used.contains(network) && !network.bridge_folder().exists())
    }

    /// The name of the bridge.
    pub(crate) fn bridge(&self) -> String {
        format!("cryptoctl-{}", self.index)
    }

    /// The bridge's own address: this machine's address in the pods' network.
    pub(crate) fn gateway(&self) -> String {
        format!("{}.1", self.prefix())
    }

    /// All addresses of the network.
    pub(crate) fn subnet(&self) -> String {
        format!("{}.0/24", self.prefix())
    }

    /// The configuration with which containerd's network plugins connect a pod to the bridge.
    ///
    /// The plugin must not make the bridge a gateway: that would turn on forwarding for the whole
    /// machine. [`create`](Self::create) gives it an address instead.
    pub(crate) fn plugin_configuration(&self, data_folder: &Path) -> String {
        let configuration = json!({
            "cniVersion": "0.4.0",
            "name": "sandbox",
            "plugins": [{
                "type": "bridge",
                "bridge": self.bridge(),
                "isGateway": false,
                "ipMasq": false,
                "ipam": {
                    "type": "host-local",
                    "dataDir": data_folder,
                    "ranges": [[{ "subnet": self.subnet(), "gateway": self.gateway() }]],
                },
            }],
        });
        format!("{configuration:#}\n")
    }

    /// Creates the bridge if it does not exist.
    pub(crate) fn create(&self, busybox: &Path) -> Result<(), CommandError> {
        let bridge = self.bridge();
        if !self.bridge_folder().exists() {
            command::run(
                busybox,
                ["ip", "link", "add", "name", &bridge, "type", "bridge"],
            )?;
        }
        let address = format!("{}/24", self.gateway());
        let addresses = command::run(busybox, ["ip", "addr", "show", "dev", &bridge])?;
        if !addresses.contains(&address) {
            command::run(busybox, ["ip", "addr", "add", &address, "dev", &bridge])?;
        }
        command::run(busybox, ["ip", "link", "set", "dev", &bridge, "up"]).map(drop)
    }

    /// Removes the bridge.
    ///
    /// The pods' own devices disappear with their network namespaces, a moment after their last
    /// process; those that remain are removed too.
    pub(crate) fn remove(&self, busybox: &Path) -> Result<(), CommandError> {
        let deadline = Instant::now() + Duration::from_secs(2);
        while !self.attached().is_empty() && Instant::now() < deadline {
            thread::sleep(Duration::from_millis(20));
        }
        for device in self.attached() {
            command::run(busybox, ["ip", "link", "del", &device])?;
        }
        if self.bridge_folder().exists() {
            command::run(busybox, ["ip", "link", "del", &self.bridge()])?;
        }
        Ok(())
    }

    fn attached(&self) -> Vec<String> {
        files::entries(&self.bridge_folder().join("brif"))
            .iter()
            .filter_map(|path| Some(path.file_name()?.to_string_lossy().into_owned()))
            .collect()
    }

    /// The range for tests of network devices: no office and no provider routes it.
    fn prefix(&self) -> String {
        format!("198.18.{}", self.index)
    }

    fn bridge_folder(&self) -> PathBuf {
        Path::new("/sys/class/net").join(self.bridge())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instances_get_networks_of_their_own() {
        let first = Network::choose(&[]).unwrap();
        let second = Network::choose(std::slice::from_ref(&first)).unwrap();
        assert_ne!(first.bridge(), second.bridge());
        assert_ne!(first.subnet(), second.subnet());
    }

    #[test]
    fn bridge_names_fit_the_kernel() {
        assert!(Network { index: u8::MAX }.bridge().len() < 16);
    }

    #[test]
    fn nothing_is_forwarded_or_translated() {
        let text = Network { index: 7 }.plugin_configuration(Path::new("/data"));
        let configuration: serde_json::Value = serde_json::from_str(&text).unwrap();
        let plugin = &configuration["plugins"][0];
        assert_eq!(plugin["isGateway"], false);
        assert_eq!(plugin["ipMasq"], false);
        assert_eq!(plugin["ipam"]["ranges"][0][0]["subnet"], "198.18.7.0/24");
    }
}
