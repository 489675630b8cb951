//! The server that answers every port-forward to a pod of a fake node.

use super::flag;
use crate::component::{Component, Readiness};
use crate::keys;

pub(super) const NAME: &str = "keys";

/// The hidden command of this program that runs the server.
pub(crate) const COMMAND: &str = "serve-keys";

pub(super) fn component(port: u16) -> Component {
    Component {
        name: NAME,
        program: std::env::current_exe().unwrap_or_else(|_| "cryptoctl-sandbox".into()),
        arguments: vec![COMMAND.into(), flag("port", port)],
        files: Vec::new(),
        readiness: Readiness::http(port, keys::PATH),
    }
}
