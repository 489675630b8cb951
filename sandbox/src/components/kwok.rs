//! kwok, which acts as the kubelet of fake nodes: it reports every pod there as running, and
//! connects every port-forward to the one server of the keys.
//!
//! It ignores nodes without the mark, so the real node stays kubelet's own.

use std::path::Path;

use serde_json::{Value, json};

use super::{file_flag, flag};
use crate::component::{Component, Readiness};
use crate::fake_nodes::{MARK, MARKED};
use crate::instance::Instance;
use crate::kubeconfig;
use crate::ports::FakeNodePorts;

pub(super) const NAME: &str = "kwok";

/// How long a node counts as alive after its last heartbeat; the same as kubelet's default.
const LEASE_SECONDS: u32 = 40;

pub(super) fn component(instance: &Instance, program: &Path, ports: FakeNodePorts) -> Component {
    let port = ports.kwok;
    let kubeconfig = instance.folder.join("kwok.kubeconfig");
    let configuration = instance.folder.join("kwok.yaml");
    Component {
        name: NAME,
        program: program.to_owned(),
        arguments: vec![
            flag("kubeconfig", kubeconfig.display()),
            flag("config", configuration.display()),
            flag(
                "manage-nodes-with-annotation-selector",
                format_args!("{MARK}={MARKED}"),
            ),
            flag("node-lease-duration-seconds", LEASE_SECONDS),
            // Where the API server finds the kubelets of the nodes. Without the server's address,
            // it would listen on all addresses of the machine.
            flag("node-ip", "127.0.0.1"),
            flag("node-port", port),
            flag("server-address", format_args!("127.0.0.1:{port}")),
            file_flag(instance, "tls-cert-file", "kwok.crt"),
            file_flag(instance, "tls-private-key-file", "kwok.key"),
        ],
        files: vec![
            (kubeconfig, kubeconfig::of_component(instance, NAME)),
            (configuration, settings(ports)),
        ],
        readiness: Readiness::https(port, "/healthz"),
    }
}

/// All documents of the configuration, as a stream of YAML.
fn settings(ports: FakeNodePorts) -> String {
    let forward = json!({
        "apiVersion": "kwok.x-k8s.io/v1alpha1",
        "kind": "ClusterPortForward",
        "metadata": { "name": "keys" },
        "spec": {
            "forwards": [{ "target": { "address": "127.0.0.1", "port": ports.keys } }],
        },
    });
    let documents = [
        stage(
            "node-is-ready",
            "Node",
            r#"(.status.conditions // []) | any(.type == "Ready" and .status == "True") | not"#,
            &json!({ "patches": [status(&node(ports.kwok))] }),
        ),
        stage(
            "pod-runs",
            "Pod",
            r#".metadata.deletionTimestamp == null and .status.phase == "Pending""#,
            &json!({ "patches": [status(POD)] }),
        ),
        stage(
            "pod-is-gone",
            "Pod",
            ".metadata.deletionTimestamp != null",
            &json!({ "delete": true }),
        ),
        forward,
    ];
    documents
        .map(|document| format!("---\n{document:#}\n"))
        .concat()
}

/// The new status of every object of a kind that meets the condition.
fn stage(name: &str, kind: &str, condition: &str, next: &Value) -> Value {
    json!({
        "apiVersion": "kwok.x-k8s.io/v1alpha1",
        "kind": "Stage",
        "metadata": { "name": name },
        "spec": {
            "resourceRef": { "apiGroup": "v1", "kind": kind },
            "selector": { "matchExpressions": [
                { "jq": { "key": condition, "operator": "In", "values": ["true"] } },
            ] },
            "next": next,
        },
    })
}

/// A status change that keeps all conditions except those that it names.
fn status(template: &str) -> Value {
    json!({ "subresource": "status", "root": "status", "type": "strategic", "template": template })
}

/// A ready node, with room for as many pods as kubelet allows by default.
fn node(port: u16) -> String {
    format!(
        r#"
conditions:
- type: Ready
  status: "True"
  reason: KubeletReady
  message: it is fake
  lastHeartbeatTime: {{{{ Now | Quote }}}}
  lastTransitionTime: {{{{ Now | Quote }}}}
addresses:
- {{ type: InternalIP, address: 127.0.0.1 }}
daemonEndpoints:
  kubeletEndpoint: {{ Port: {port} }}
capacity: {{ cpu: "16", memory: 64Gi, pods: "110" }}
allocatable: {{ cpu: "16", memory: 64Gi, pods: "110" }}
"#
    )
}

/// A pod whose containers are all running and ready.
const POD: &str = r#"
{{ $now := Now | Quote }}
phase: Running
startTime: {{ $now }}
hostIP: 127.0.0.1
{{ $address := PodIPWith .spec.nodeName false .metadata.uid .metadata.name .metadata.namespace | Quote }}
podIP: {{ $address }}
podIPs:
- ip: {{ $address }}
conditions:
{{ range $type := list "PodReadyToStartContainers" "Initialized" "ContainersReady" "Ready" }}
- { type: {{ $type }}, status: "True", lastTransitionTime: {{ $now }} }
{{ end }}
containerStatuses:
{{ $uid := .metadata.uid }}
{{ range .spec.containers }}
- name: {{ .name | Quote }}
  image: {{ .image | Quote }}
  imageID: {{ .image | Quote }}
  containerID: kwok://{{ $uid }}/{{ .name }}
  restartCount: 0
  ready: true
  started: true
  state:
    running: { startedAt: {{ $now }} }
{{ end }}
"#;

#[cfg(test)]
mod tests {
    use super::*;

    const PORTS: FakeNodePorts = FakeNodePorts {
        kwok: 20_001,
        keys: 20_002,
    };

    #[test]
    fn only_marked_nodes_are_touched() {
        let component = component(&Instance::example(), Path::new("/cache/kwok"), PORTS);
        let selector = format!("--manage-nodes-with-annotation-selector={MARK}={MARKED}");
        assert!(component.arguments.contains(&selector), "{component:?}");
        assert!(
            !component
                .arguments
                .iter()
                .any(|argument| argument.contains("manage-all-nodes")),
            "{component:?}"
        );
    }

    #[test]
    fn forwards_end_at_the_server_of_the_keys() {
        let documents: Vec<Value> = settings(PORTS)
            .split("---\n")
            .skip(1)
            .map(|document| serde_json::from_str(document).unwrap())
            .collect();
        let forward = documents.last().unwrap();
        assert_eq!(
            forward["spec"]["forwards"][0]["target"],
            json!({ "address": "127.0.0.1", "port": PORTS.keys })
        );
    }
}
