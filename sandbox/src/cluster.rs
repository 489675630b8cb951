//! Objects that the API server needs before the cluster can be used.

use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::api::{Api, ApiError};
use crate::certificates::NODE;
use crate::fake_nodes;
use crate::instance::Instance;
use crate::interrupt::{Interrupt, Interrupted};

/// How long to wait for the node and the default namespace.
const PATIENCE: Duration = Duration::from_mins(1);

/// The cluster did not become usable.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ClusterError {
    /// The API server did not answer as expected.
    #[error(transparent)]
    Api(#[from] ApiError),
    /// The user asked to stop.
    #[error(transparent)]
    Interrupted(#[from] Interrupted),
    /// The node or the namespace does not exist.
    #[error("{what} after {} seconds: {last_seen}", PATIENCE.as_secs())]
    NotUsable {
        what: &'static str,
        last_seen: String,
    },
}

/// Creates the storage class of the exercise: the default class, with folders of this machine as
/// volumes.
///
/// # Errors
/// When the API server refuses.
pub(crate) fn ensure_storage_class(instance: &Instance, api: &Api) -> Result<(), ClusterError> {
    let url = format!(
        "{}/apis/storage.k8s.io/v1/storageclasses/standard",
        instance.api_server_url()
    );
    if api.get(&url)?.is_some() {
        return Ok(());
    }
    let class = json!({
        "apiVersion": "storage.k8s.io/v1",
        "kind": "StorageClass",
        "metadata": {
            "name": "standard",
            "annotations": { "storageclass.kubernetes.io/is-default-class": "true" },
        },
        "provisioner": "kubernetes.io/host-path",
        "reclaimPolicy": "Delete",
        "volumeBindingMode": "Immediate",
    });
    Ok(api.apply(&url, &class)?)
}

/// Waits until pods can run: the node is ready and the default namespace has its service account.
///
/// # Errors
/// When that takes too long, and when interrupted.
pub(crate) fn wait_until_usable(
    instance: &Instance,
    api: &Api,
    interrupt: &Interrupt,
) -> Result<(), ClusterError> {
    let server = instance.api_server_url();
    wait_until_node_is_ready(api, &format!("{server}/api/v1/nodes/{NODE}"), interrupt)?;
    wait("the default namespace cannot be used", interrupt, || {
        let url = format!("{server}/api/v1/namespaces/default/serviceaccounts/default");
        let missing = api.get(&url)?.is_none();
        Ok(missing.then(|| "it has no service account `default`".to_owned()))
    })
}

/// Waits until pods can be scheduled on the node at this address.
///
/// # Errors
/// When that takes too long, and when interrupted.
pub(crate) fn wait_until_node_is_ready(
    api: &Api,
    url: &str,
    interrupt: &Interrupt,
) -> Result<(), ClusterError> {
    wait("the node is not ready", interrupt, || {
        Ok(node_problem(api.get(url)?.as_ref()))
    })
}

fn wait(
    what: &'static str,
    interrupt: &Interrupt,
    mut problem: impl FnMut() -> Result<Option<String>, ApiError>,
) -> Result<(), ClusterError> {
    let deadline = Instant::now() + PATIENCE;
    while let Some(last_seen) = problem()? {
        interrupt.check()?;
        if Instant::now() > deadline {
            return Err(ClusterError::NotUsable { what, last_seen });
        }
        thread::sleep(Duration::from_millis(50));
    }
    Ok(())
}

/// Why the node cannot run pods, or `None` if it can.
fn node_problem(node: Option<&Value>) -> Option<String> {
    let Some(node) = node else {
        return Some("kubelet has not registered it".to_owned());
    };
    let ready = node["status"]["conditions"]
        .as_array()
        .into_iter()
        .flatten()
        .find(|condition| condition["type"] == "Ready");
    let status = ready.map(|condition| &condition["status"]);
    // A fake node keeps the taint with which it was created.
    let tainted = node["spec"]["taints"]
        .as_array()
        .is_some_and(|taints| taints.iter().any(|taint| taint["key"] != fake_nodes::MARK));
    match status {
        Some(status) if status == "True" && tainted => Some("it still has a taint".to_owned()),
        Some(status) if status == "True" => None,
        _ => Some(
            ready
                .and_then(|ready| ready["message"].as_str())
                .unwrap_or("no word yet")
                .to_owned(),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_is_usable_when_it_is_ready_and_untainted() {
        let node = |status: &str, taints: Value| {
            json!({
                "spec": { "taints": taints },
                "status": { "conditions": [
                    { "type": "DiskPressure", "status": "False" },
                    { "type": "Ready", "status": status, "message": "no network" },
                ]},
            })
        };
        assert_eq!(node_problem(Some(&node("True", json!(null)))), None);
        assert_eq!(
            node_problem(Some(&node("False", json!([])))).as_deref(),
            Some("no network")
        );
        assert!(node_problem(Some(&node("True", json!([{ "key": "not-ready" }])))).is_some());
        assert!(node_problem(None).is_some());
        let fake = json!([{ "key": fake_nodes::MARK, "effect": "NoSchedule" }]);
        assert_eq!(node_problem(Some(&node("True", fake))), None);
    }
}
