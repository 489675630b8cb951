//! Whether what answers at a port of a pod can only be the pod's own process.
//!
//! A pod has a network namespace of its own, and so ports of its own, unless it uses its node's. There
//! a process of another pod, or of the node, may have taken the port first.

use k8s_openapi::api::core::v1::{ContainerPort, Pod, PodSpec};

use super::container::long_running;
use super::run::PodRun;

/// Ports of Kubernetes' own programs on a node: kubelet, kube-proxy, controller manager and scheduler
/// (`kubernetes.io/docs/reference/networking/ports-and-protocols`).
const OF_THE_NODE: std::ops::RangeInclusive<u16> = 10248..=10259;
/// Ports at which a node leads to Services of type `NodePort`, unless its API server says otherwise.
const NODE_PORTS: std::ops::RangeInclusive<u16> = 30000..=32767;

/// Who else may have answered at a port of a pod, as a clause; `None` when only its own processes
/// can. `others` are the pods that are known beside it.
///
/// A port that a pod with its node's network declares is its own as far as Kubernetes can tell: the
/// scheduler and the kubelet keep a second pod that declares it away from the node (`NodePorts` in
/// `pkg/scheduler/framework/plugins/nodeports`).
#[must_use]
pub fn shared_port<'a>(
    pod: &Pod,
    port: u16,
    others: impl IntoIterator<Item = &'a Pod>,
) -> Option<String> {
    let running: Vec<&Pod> = others
        .into_iter()
        .filter(|other| other.metadata.uid != pod.metadata.uid && PodRun::of(other).is_running())
        .collect();
    let name = |other: &Pod| other.metadata.name.clone().unwrap_or_default();
    if !uses_host_network(pod) {
        let (other, address) = running.iter().find_map(|other| {
            let mut shared =
                addresses(pod).filter(|address| addresses(other).any(|it| it == *address));
            Some((other, shared.next()?))
        })?;
        return Some(format!(
            "it has the same address as `{}`, {address}, and either may have answered",
            name(other)
        ));
    }
    let node = pod.spec.as_ref()?.node_name.as_deref().unwrap_or_default();
    let is_declared = declares(pod, port);
    let rival = running.iter().find(|other| {
        uses_host_network(other)
            && other
                .spec
                .as_ref()
                .and_then(|spec| spec.node_name.as_deref())
                == Some(node)
            && (!is_declared || declares(other, port))
    });
    if let Some(rival) = rival {
        return Some(format!(
            "it shares the network of node `{node}` with `{}` (`hostNetwork`), and either may have \
             answered",
            name(rival)
        ));
    }
    if !is_declared {
        return Some(format!(
            "it uses the network of node `{node}` (`hostNetwork`) without declaring port {port}, and \
             any process there may have answered"
        ));
    }
    if OF_THE_NODE.contains(&port) || NODE_PORTS.contains(&port) {
        return Some(format!(
            "it uses the network of node `{node}` (`hostNetwork`), and port {port} there is \
             Kubernetes' own"
        ));
    }
    None
}

/// Whether a pod has the network of its node instead of one of its own.
#[must_use]
pub fn uses_host_network(pod: &Pod) -> bool {
    pod.spec.as_ref().and_then(|spec| spec.host_network) == Some(true)
}

/// Whether a container that stays declares this TCP port for every address of the node.
fn declares(pod: &Pod, port: u16) -> bool {
    let is_it = |declared: &ContainerPort| {
        let is_everywhere = declared
            .host_ip
            .as_deref()
            .is_none_or(|address| ["", "0.0.0.0", "::"].contains(&address));
        declared.container_port == i32::from(port)
            && declared.protocol.as_deref().is_none_or(|it| it == "TCP")
            && is_everywhere
    };
    let spec: Option<&PodSpec> = pod.spec.as_ref();
    spec.is_some_and(|spec| {
        let mut ports = long_running(spec).flat_map(|container| container.ports.iter().flatten());
        ports.any(is_it)
    })
}

fn addresses(pod: &Pod) -> impl Iterator<Item = &str> {
    let status = pod.status.as_ref();
    let several = status.and_then(|status| status.pod_ips.as_deref());
    let one = status.and_then(|status| status.pod_ip.as_deref());
    let several = several.unwrap_or_default().iter().map(|it| it.ip.as_str());
    several.chain(one).filter(|address| !address.is_empty())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    /// A running pod on a node, with its node's network or not, that declares these ports.
    fn pod(name: &str, node: &str, is_host: bool, ports: &Value) -> Pod {
        let address = if is_host { node } else { name };
        serde_json::from_value(json!({
            "metadata": {"name": name, "uid": name},
            "spec": {"nodeName": node, "hostNetwork": is_host,
                     "containers": [{"name": "main", "ports": ports}]},
            "status": {"podIP": address, "podIPs": [{"ip": address}], "containerStatuses": [
                {"name": "main", "image": "", "imageID": "", "ready": true, "restartCount": 0,
                 "state": {"running": {}}}]},
        }))
        .unwrap()
    }

    fn port(number: u16) -> Value {
        json!([{"containerPort": number, "hostPort": number}])
    }

    #[test]
    fn a_network_of_its_own_is_nobody_elses() {
        let asked = pod("web-0", "n", false, &json!([]));
        let other = pod("web-1", "n", false, &json!([]));
        assert_eq!(shared_port(&asked, 80, [&asked, &other]), None);
        let host = pod("web-1", "n", true, &port(80));
        assert_eq!(shared_port(&asked, 80, [&host]), None);
    }

    #[test]
    fn one_address_of_two_pods_proves_nothing() {
        let asked = pod("web-0", "n", false, &json!([]));
        let mut other = pod("web-1", "m", false, &json!([]));
        let status = other.status.as_mut().unwrap();
        status.pod_ip = Some("web-0".to_owned());
        let words = shared_port(&asked, 80, [&other]).unwrap();
        assert!(words.contains("the same address as `web-1`"), "{words}");
        // What does not run cannot answer.
        other.status.as_mut().unwrap().container_statuses = None;
        assert_eq!(shared_port(&asked, 80, [&other]), None);
    }

    #[test]
    fn a_port_of_the_node_is_the_pods_only_where_it_is_reserved() {
        let table = [
            // (what it declares, what its neighbour on the node declares, the port, why not)
            (json!([]), None, 8080, Some("without declaring port 8080")),
            (json!([]), Some(json!([])), 8080, Some("with `web-1`")),
            (port(9090), None, 8080, Some("without declaring port 8080")),
            (port(8080), None, 8080, None),
            (port(8080), Some(port(9090)), 8080, None),
            (port(8080), Some(port(8080)), 8080, Some("with `web-1`")),
            (port(10248), None, 10248, Some("Kubernetes' own")),
            (port(30080), None, 30080, Some("Kubernetes' own")),
            (
                json!([{"containerPort": 8080, "protocol": "UDP"}]),
                None,
                8080,
                Some("without declaring port 8080"),
            ),
            (
                json!([{"containerPort": 8080, "hostPort": 8080, "hostIP": "10.0.0.1"}]),
                None,
                8080,
                Some("without declaring port 8080"),
            ),
        ];
        for (declared, neighbour, asked_at, expected) in table {
            let asked = pod("web-0", "n", true, &declared);
            let neighbour = neighbour.map(|ports| pod("web-1", "n", true, &ports));
            let far = pod("web-2", "m", true, &declared);
            let others = neighbour.iter().chain([&far]);
            let why = shared_port(&asked, asked_at, others);
            match expected {
                None => assert_eq!(why, None, "{declared}"),
                Some(words) => assert!(
                    why.as_ref().is_some_and(|why| why.contains(words)),
                    "{declared}: {why:?}"
                ),
            }
        }
    }
}
