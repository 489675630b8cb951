//! What a fresh cluster holds.

use serde_json::json;

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
    state.create_as(
        bootstrap,
        "",
        "nodes",
        json!({
            "metadata": { "name": "node-1", "labels": { "kubernetes.io/hostname": "node-1" } },
            "status": {
                "addresses": [{ "type": "InternalIP", "address": "10.0.0.1" }],
                "conditions": [{ "type": "Ready", "status": "True", "reason": "KubeletReady" }],
                "nodeInfo": { "kubeletVersion": "v1.37.2" },
            },
        }),
    );
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
