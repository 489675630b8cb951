//! The registry for every image pull: it has no images, and says so in several ways.

use super::flag;
use crate::component::{Component, Readiness};
use crate::instance::Instance;

pub(crate) const NAME: &str = "registry";

/// The hidden command of this program that runs the registry.
pub(crate) const COMMAND: &str = "serve-registry";

pub(super) fn component(instance: &Instance) -> Component {
    let port = instance.settings.ports.registry;
    Component {
        name: NAME,
        program: std::env::current_exe().unwrap_or_else(|_| "cryptoctl-sandbox".into()),
        arguments: vec![COMMAND.into(), flag("port", port)],
        files: Vec::new(),
        readiness: Readiness::http(port, "/v2/"),
    }
}

/// Redirects containerd here for the images of every registry, and never to the network.
pub(super) fn hosts(instance: &Instance) -> String {
    let url = format!("http://127.0.0.1:{}", instance.settings.ports.registry);
    format!("server = \"{url}\"\n\n[host.\"{url}\"]\n  capabilities = [\"pull\", \"resolve\"]\n")
}
