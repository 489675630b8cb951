//! What a fresh cluster holds.

use serde_json::json;

use super::pods::node_address;
use super::state::State;

/// One node, the usual namespaces and the default storage class.
pub(crate) fn fill(state: &mut State) {
    let bootstrap = "kube-apiserver";
    for namespace in ["default", "kube-node-lease", "kube-public", "kube-system"] {
        state.create_as(
            bootstrap,
            "",
            "namespaces",
            json!({ "metadata": { "name": namespace } }),
        );
    }
    add_node(state, "node-1");
    state.create_as(
        bootstrap,
        "storage.k8s.io",
        "storageclasses",
        json!({
            "metadata": {
                "name": "standard",
                "annotations": { "storageclass.kubernetes.io/is-default-class": "true" },
            },
            "provisioner": "rancher.io/local-path",
            "volumeBindingMode": "WaitForFirstConsumer",
        }),
    );
}

/// Adds a node; its name ends with a number.
pub(super) fn add_node(state: &mut State, name: &str) {
    let node = json!({
        "metadata": { "name": name, "labels": { "kubernetes.io/hostname": name } },
        "status": {
            "addresses": [{ "type": "InternalIP", "address": node_address(name) }],
            "conditions": [{ "type": "Ready", "status": "True", "reason": "KubeletReady" }],
            "nodeInfo": { "kubeletVersion": "v1.37.2" },
        },
    });
    state.create_as("kubelet", "", "nodes", node);
}
