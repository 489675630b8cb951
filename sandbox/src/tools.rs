//! The paths of the cluster's programs.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

/// Everything that was built or unpacked for the sandbox.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Tools {
    pub(crate) kubernetes: PathBuf,
    pub(crate) etcd: PathBuf,
    pub(crate) packages: PathBuf,
    pub(crate) images: PathBuf,
}

impl Tools {
    /// One of Kubernetes' own programs.
    pub(crate) fn kubernetes_program(&self, name: &str) -> PathBuf {
        self.kubernetes.join(name)
    }

    /// The etcd server.
    pub(crate) fn etcd_program(&self) -> PathBuf {
        // Go names a program after its package, which is `go.etcd.io/etcd/server/v3`.
        self.etcd.join("server")
    }

    /// containerd.
    pub(crate) fn containerd(&self) -> PathBuf {
        program_in(&self.packages, "containerd")
    }

    /// containerd's client.
    pub(crate) fn ctr(&self) -> PathBuf {
        program_in(&self.packages, "ctr")
    }

    /// The program that creates containers.
    pub(crate) fn runc(&self) -> PathBuf {
        program_in(&self.packages, "runc")
    }

    /// The folder of the network plugins.
    pub(crate) fn network_plugins(&self) -> PathBuf {
        self.packages.join("usr/lib/cni")
    }

    /// Many small Unix programs in one file, without libraries.
    pub(crate) fn busybox(&self) -> PathBuf {
        program_in(&self.packages, "busybox")
    }
}

/// The path of a program in the unpacked packages, which differs between Debian releases.
pub(crate) fn program_in(packages: &Path, name: &str) -> PathBuf {
    ["usr/bin", "usr/sbin", "bin", "sbin"]
        .iter()
        .map(|folder| packages.join(folder).join(name))
        .find(|path| path.exists())
        .unwrap_or_else(|| packages.join(name))
}
