//! `EndpointSlice`s of services (kubernetes, pkg/controller/endpointslice and
//! staging/src/k8s.io/endpointslice/utils.go, `podToEndpoint`).

use serde_json::{Value, json};

use super::{MANAGER, replicas};
use crate::object::{self, set, text};
use crate::selector::Selector;
use crate::state::State;
use crate::store::Key;

const GROUP: &str = "discovery.k8s.io";
const SLICES: &str = "endpointslices";

/// Keeps one slice for every service with a selector; the garbage collector takes those of services that are gone.
pub(super) fn reconcile(state: &mut State) {
    for (key, service) in state.store.list("", "services", "") {
        let is_ours = !object::texts(&service, "/spec/selector").is_empty()
            && text(&service, "/spec/type") != "ExternalName"
            && !object::is_terminating(&service);
        if is_ours {
            keep(state, &key, &service);
        }
    }
}

fn keep(state: &mut State, service_key: &Key, service: &Value) {
    // Without endpoints both fields are null.
    let (mut endpoints, mut ports) = (json!(endpoints(state, service)), Value::Null);
    if endpoints == json!([]) {
        endpoints = Value::Null;
    } else {
        ports = json!(ports_of(service));
    }
    let slices = state.store.list(GROUP, SLICES, &service_key.namespace);
    let own = slices.iter().find(|(_, slice)| {
        object::controller(slice).is_some_and(|owner| owner["uid"] == object::uid(service))
    });
    let labels = labels(service);
    if let Some((key, slice)) = own {
        let same = slice["endpoints"] == endpoints
            && slice["ports"] == ports
            && slice["metadata"]["labels"] == labels;
        if same {
            return;
        }
        let generation = object::number(slice, "/metadata/generation").unwrap_or(0);
        let now = state.now.text();
        return state.change(key, MANAGER, None, |slice| {
            set(slice, "/endpoints", endpoints);
            set(slice, "/ports", ports);
            set(slice, "/metadata/labels", labels);
            set(slice, "/metadata/generation", generation + 1);
            set(slice, TRIGGERED, now);
        });
    }
    let name = object::name(service);
    let suffix = state.random.suffix();
    let mut slice = json!({
        "metadata": {
            "name": format!("{name}-{suffix}"), "generateName": format!("{name}-"),
            "namespace": service_key.namespace, "labels": labels,
            "ownerReferences": [{
                "apiVersion": "v1", "kind": "Service", "name": name, "uid": object::uid(service),
                "controller": true, "blockOwnerDeletion": true,
            }],
        },
        "addressType": "IPv4", "endpoints": endpoints, "ports": ports,
    });
    set(&mut slice, "/metadata/generation", 1);
    set(&mut slice, TRIGGERED, state.now.text());
    state.create_as(MANAGER, GROUP, SLICES, slice);
}

const TRIGGERED: &str = "/metadata/annotations/endpoints.kubernetes.io~1last-change-trigger-time";

/// The service's labels and the controller's own.
fn labels(service: &Value) -> Value {
    let mut labels = service["metadata"]["labels"].clone();
    set(
        &mut labels,
        "/kubernetes.io~1service-name",
        object::name(service),
    );
    set(
        &mut labels,
        "/endpointslice.kubernetes.io~1managed-by",
        "endpointslice-controller.k8s.io",
    );
    if text(service, "/spec/clusterIP") == "None" {
        set(&mut labels, "/service.kubernetes.io~1headless", "");
    }
    labels
}

/// Every pod of the service that has an address and has not ended, by name.
fn endpoints(state: &State, service: &Value) -> Vec<Value> {
    let selector =
        Selector::from_object(Some(&json!({ "matchLabels": service["spec"]["selector"] })));
    let unready_too = service["spec"]["publishNotReadyAddresses"] == true;
    let pods = state.store.list("", "pods", object::namespace(service));
    let chosen = pods.iter().map(|(_, pod)| pod).filter(|pod| {
        selector
            .as_ref()
            .is_some_and(|selector| selector.matches(pod))
            && object::has(pod, "/status/podIP")
            && !replicas::is_ended(pod)
    });
    chosen
        .map(|pod| {
            let serving = object::condition(pod, "Ready") == "True";
            let terminating = object::is_terminating(pod);
            let mut endpoint = json!({
                "addresses": [pod["status"]["podIP"]],
                "conditions": {
                    "ready": unready_too || serving && !terminating,
                    "serving": serving,
                    "terminating": terminating,
                },
                "targetRef": {
                    "kind": "Pod", "namespace": object::namespace(pod), "name": object::name(pod), "uid": object::uid(pod),
                },
                "nodeName": pod["spec"]["nodeName"],
            });
            if text(pod, "/spec/subdomain") == object::name(service) {
                endpoint["hostname"] = pod["spec"]["hostname"].clone();
            }
            endpoint
        })
        .collect()
}

/// Named target ports stay out: no test has any.
fn ports_of(service: &Value) -> Vec<Value> {
    object::items(service, "/spec/ports")
        .map(|port| {
            let target = port
                .get("targetPort")
                .filter(|target| target.as_i64().is_some_and(|target| target > 0));
            json!({
                "name": text(port, "/name"),
                "port": target.unwrap_or(&port["port"]),
                "protocol": port.get("protocol").cloned().unwrap_or_else(|| "TCP".into()),
            })
        })
        .collect()
}
