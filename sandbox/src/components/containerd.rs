//! containerd, which runs the containers, and the images that it gets.

use std::path::Path;

use super::{flag, registry};
use crate::command::{self, CommandError};
use crate::component::{Component, Readiness};
use crate::image::{Image, PAUSE};
use crate::instance::Instance;

pub(super) const NAME: &str = "containerd";

/// The containerd namespace in which kubelet works.
const NAMESPACE: &str = "k8s.io";

pub(super) fn component(instance: &Instance) -> Component {
    let folder = instance.folder.join("containerd");
    let configuration = folder.join("config.toml");
    Component {
        name: NAME,
        program: instance.tools().containerd(),
        arguments: vec![
            flag("config", configuration.display()),
            flag("log-level", "info"),
        ],
        files: vec![
            (configuration, settings(instance)),
            (
                folder.join("registries/_default/hosts.toml"),
                registry::hosts(instance),
            ),
            (
                folder.join("network/sandbox.conflist"),
                instance
                    .settings
                    .network
                    .plugin_configuration(&folder.join("addresses")),
            ),
        ],
        readiness: Readiness::Socket(instance.containerd_socket()),
    }
}

fn settings(instance: &Instance) -> String {
    let folder = instance.folder.join("containerd");
    let quoted = |path: &Path| format!("{:?}", path.display().to_string());
    format!(
        r#"version = 2
root = {root}
state = {state}
# The first keeps a folder under /opt, the others need what this machine may not have.
disabled_plugins = [
  "io.containerd.internal.v1.opt",
  "io.containerd.snapshotter.v1.aufs",
  "io.containerd.snapshotter.v1.btrfs",
  "io.containerd.snapshotter.v1.devmapper",
  "io.containerd.snapshotter.v1.zfs",
]

[grpc]
  address = {socket}

[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "{pause}"
  # Without CAP_SYS_RESOURCE, as on many rented machines, runc could not lower the score.
  restrict_oom_score_adj = true
  # Loads no profile that would be left behind.
  disable_apparmor = true
  netns_mounts_under_state_dir = true
  stream_server_address = "127.0.0.1"
  stream_server_port = "0"

  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = {plugins}
    conf_dir = {network}

  [plugins."io.containerd.grpc.v1.cri".registry]
    config_path = {registries}

  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "overlayfs"
    default_runtime_name = "runc"

    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"

      [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
        BinaryName = {runc}
        Root = {runc_root}
        SystemdCgroup = false
"#,
        root = quoted(&folder.join("root")),
        state = quoted(&folder.join("state")),
        socket = quoted(&instance.containerd_socket()),
        pause = PAUSE,
        plugins = quoted(&instance.tools().network_plugins()),
        network = quoted(&folder.join("network")),
        registries = quoted(&folder.join("registries")),
        runc = quoted(&instance.tools().runc()),
        runc_root = quoted(&folder.join("runc")),
    )
}

/// Loads the images that containerd does not have yet.
///
/// # Errors
/// When containerd cannot be reached or refuses an image.
pub(crate) fn import_images(instance: &Instance, images: &[Image]) -> Result<(), CommandError> {
    let socket = instance.containerd_socket();
    let client = |arguments: &[&str]| {
        let mut command = std::process::Command::new(instance.tools().ctr());
        command
            .arg("--address")
            .arg(&socket)
            .args(["--namespace", NAMESPACE])
            .args(arguments);
        command::output_of(command)
    };
    let present = client(&["images", "list", "--quiet"])?;
    for image in images {
        if !present.lines().any(|name| name == image.name) {
            client(&["images", "import", &image.archive.display().to_string()])?;
        }
    }
    Ok(())
}
