//! Files that containerd and kubelet leave outside the instance's folder, in places that cannot be
//! configured. Files of others are kept.

use std::fs;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};

use crate::files;

/// The sockets of containerd's helper processes. Call this before the instance's folder, which
/// records them, is removed.
pub(crate) fn remove_shim_sockets(folder: &Path) {
    const SOCKETS: &str = "/run/containerd/s";
    let tasks = folder.join("containerd/state/io.containerd.runtime.v2.task/k8s.io");
    for task in files::entries(&tasks) {
        let address = fs::read_to_string(task.join("address")).unwrap_or_default();
        if let Some(path) = address.strip_prefix("unix://").map(PathBuf::from)
            && path.starts_with(SOCKETS)
        {
            let _ = fs::remove_file(path);
        }
    }
    remove_empty_folders(&[SOCKETS, "/run/containerd"]);
}

/// The network plugins keep the result of every connection of a running pod's sandbox. Call this
/// before the instance's folder, which records the sandboxes, is removed.
pub(crate) fn remove_network_results(folder: &Path) {
    const RESULTS: &str = "/var/lib/cni/results";
    let results = files::entries(Path::new(RESULTS));
    for sandbox in
        files::entries(&folder.join("containerd/root/io.containerd.grpc.v1.cri/sandboxes"))
    {
        let identifier = sandbox
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        for result in &results {
            if result.to_string_lossy().contains(&identifier) {
                let _ = fs::remove_file(result);
            }
        }
    }
    remove_empty_folders(&[RESULTS, "/var/lib/cni"]);
}

/// kubelet links the logs of all containers in one folder.
pub(crate) fn remove_log_links(folder: &Path) {
    const LINKS: &str = "/var/log/containers";
    for link in files::entries(Path::new(LINKS)) {
        if fs::read_link(&link).is_ok_and(|target| target.starts_with(folder)) {
            let _ = fs::remove_file(link);
        }
    }
    remove_empty_folders(&[LINKS]);
}

/// Every kubelet listens for devices on the same socket: if it does not answer, it is unused.
pub(crate) fn remove_device_socket() {
    const DEVICES: &str = "/var/lib/kubelet/device-plugins";
    let socket = Path::new(DEVICES).join("kubelet.sock");
    if UnixStream::connect(&socket).is_err() {
        let _ = fs::remove_file(socket);
        let _ = fs::remove_file(Path::new(DEVICES).join("kubelet_internal_checkpoint"));
        remove_empty_folders(&[DEVICES, "/var/lib/kubelet"]);
    }
}

fn remove_empty_folders(paths: &[&str]) {
    for path in paths {
        // Fails if others have files in it, as it should.
        let _ = fs::remove_dir(path);
    }
}
