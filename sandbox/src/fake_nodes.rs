//! Fake nodes, with room for hundreds of replicas that cost next to nothing.
//!
//! A port-forward to such a replica takes the real path: from the API server, over TLS, to the
//! node's kubelet, which is kwok, and from there to a real server. Only the last step differs: all
//! replicas share one server.

use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};

use crate::api::Api;
use crate::cluster;
use crate::components;
use crate::error::SandboxError;
use crate::instance::Instance;
use crate::interrupt::Interrupt;
use crate::supervisor::{self, Supervisor};

/// Marks a fake node: as an annotation, which kwok looks for, as a label, which pods select, and as
/// a taint, which keeps all other pods away.
pub(crate) const MARK: &str = "kwok.x-k8s.io/node";
/// The mark's value.
pub(crate) const MARKED: &str = "fake";

/// The names of the nodes and the addresses of their pods, which are in the networks for
/// documentation (RFC 5737): no packet to them arrives anywhere.
const NODES: [(&str, &str); 3] = [
    ("fake-0", "192.0.2.0/24"),
    ("fake-1", "198.51.100.0/24"),
    ("fake-2", "203.0.113.0/24"),
];

/// How long to wait for a killed process to end.
const PATIENCE: Duration = Duration::from_secs(10);

/// Starts the programs that fake nodes need, creates the nodes, and waits until pods can be
/// scheduled there.
///
/// # Errors
/// When a program does not come up or the nodes do not become ready, and when interrupted.
pub(crate) fn ensure(
    instance: &mut Instance,
    kwok: &Path,
    interrupt: &Interrupt,
) -> Result<(), SandboxError> {
    let ports = instance.fake_node_ports()?;
    let api = Api::new(instance)?;
    let components = components::of_fake_nodes(instance, kwok, ports);
    Supervisor::new(instance, &api, interrupt).ensure_ready(&components)?;
    for (name, addresses) in NODES {
        api.apply(&url(instance, name), &node(name, addresses))?;
    }
    for (name, _) in NODES {
        cluster::wait_until_node_is_ready(&api, &url(instance, name), interrupt)?;
    }
    Ok(())
}

/// Removes the nodes and ends their programs. Their pods must be gone first: afterwards nothing
/// would report that they have ended.
///
/// # Errors
/// When the API server refuses, or a process cannot be ended.
pub(crate) fn remove(instance: &Instance) -> Result<(), SandboxError> {
    let api = Api::new(instance)?;
    for (name, _) in NODES {
        api.delete(&url(instance, name))?;
    }
    let processes = components::FAKE_NODES
        .iter()
        .rev()
        .filter_map(|component| supervisor::recorded_process(&instance.folder, component));
    for process in processes {
        if !process.kill(PATIENCE) {
            return Err(SandboxError::Unkillable(process.pid));
        }
    }
    Ok(())
}

fn url(instance: &Instance, node: &str) -> String {
    format!("{}/api/v1/nodes/{node}", instance.api_server_url())
}

fn node(name: &str, pod_addresses: &str) -> Value {
    json!({
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {
            "name": name,
            "annotations": { MARK: MARKED },
            "labels": { MARK: MARKED },
        },
        "spec": {
            "podCIDR": pod_addresses,
            "podCIDRs": [pod_addresses],
            "taints": [{ "key": MARK, "value": MARKED, "effect": "NoSchedule" }],
        },
    })
}
