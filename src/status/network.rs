//! Whether only a pod's own processes can answer at one of its ports.
//!
//! A pod has its own network namespace, and so its own ports, unless it uses the network of its
//! node. There, a process of another pod or of the node may already use the port. Declaring the
//! port keeps other pods that declare it off the node (`NodePorts` in
//! `pkg/scheduler/framework/plugins/nodeports`), but says nothing about whose process listens.

use k8s_openapi::api::core::v1::Pod;

use super::run::PodRun;

/// Who else may have answered at a port of a pod, as a clause; `None` if only its own processes
/// can. `others` are the other known pods.
#[must_use]
pub fn shared_network<'a>(pod: &Pod, others: impl IntoIterator<Item = &'a Pod>) -> Option<String> {
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
            "it has the same address as `{}`, {address}: either may have answered",
            name(other)
        ));
    }
    let node_of = |pod: &Pod| pod.spec.as_ref().and_then(|spec| spec.node_name.clone());
    let node = node_of(pod);
    let rival = running
        .iter()
        .find(|other| uses_host_network(other) && node_of(other) == node);
    let node = node.unwrap_or_default();
    Some(match rival {
        Some(rival) => format!(
            "it shares the network of node `{node}` with `{}` (`hostNetwork`): either may have \
             answered",
            name(rival)
        ),
        None => format!(
            "it uses the network of node `{node}` (`hostNetwork`), where any process may have answered"
        ),
    })
}

/// Whether a pod uses the network of its node.
fn uses_host_network(pod: &Pod) -> bool {
    pod.spec.as_ref().and_then(|spec| spec.host_network) == Some(true)
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
    use serde_json::json;

    use super::*;

    /// A running pod on a node, with or without its node's network.
    fn pod(name: &str, node: &str, is_host: bool) -> Pod {
        let address = if is_host { node } else { name };
        serde_json::from_value(json!({
            "metadata": {"name": name, "uid": name},
            "spec": {"nodeName": node, "hostNetwork": is_host, "containers": [
                {"name": "main", "ports": [{"containerPort": 80, "hostPort": 80}]}]},
            "status": {"podIP": address, "podIPs": [{"ip": address}], "containerStatuses": [
                {"name": "main", "image": "", "imageID": "", "ready": true, "restartCount": 0,
                 "state": {"running": {}}}]},
        }))
        .unwrap()
    }

    #[test]
    fn a_network_of_its_own_is_nobody_elses() {
        let asked = pod("web-0", "n", false);
        let other = pod("web-1", "n", false);
        assert_eq!(shared_network(&asked, [&asked, &other]), None);
        let host = pod("web-1", "n", true);
        assert_eq!(shared_network(&asked, [&host]), None);
    }

    #[test]
    fn one_address_of_two_pods_proves_nothing() {
        let asked = pod("web-0", "n", false);
        let mut other = pod("web-1", "m", false);
        let status = other.status.as_mut().unwrap();
        status.pod_ip = Some("web-0".to_owned());
        let words = shared_network(&asked, [&other]).unwrap();
        assert!(words.contains("the same address as `web-1`"), "{words}");
        // A pod that does not run cannot answer.
        other.status.as_mut().unwrap().container_statuses = None;
        assert_eq!(shared_network(&asked, [&other]), None);
    }

    #[test]
    fn the_network_of_a_node_proves_nothing_even_where_the_pod_declares_the_port() {
        let asked = pod("web-0", "n", true);
        let alone = shared_network(&asked, [&pod("web-1", "m", true)]).unwrap();
        assert!(alone.contains("any process may have answered"), "{alone}");
        let rival = shared_network(&asked, [&pod("web-1", "n", true)]).unwrap();
        assert!(rival.contains("with `web-1`"), "{rival}");
    }
}
