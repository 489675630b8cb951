//! kubelet, which runs the pods on this machine.

use serde_json::{Value, json};

use super::flag;
use crate::certificates::{AUTHORITY, NODE};
use crate::component::{Component, Readiness};
use crate::instance::Instance;
use crate::kubeconfig;

pub(super) const NAME: &str = "kubelet";

pub(super) fn component(instance: &Instance) -> Component {
    let kubeconfig = instance.folder.join("kubelet.kubeconfig");
    let configuration = instance.folder.join("kubelet.yaml");
    Component {
        name: NAME,
        program: instance.tools().kubernetes_program(NAME),
        arguments: vec![
            flag("kubeconfig", kubeconfig.display()),
            flag("config", configuration.display()),
            flag("root-dir", instance.folder.join("kubelet").display()),
            flag("cert-dir", instance.folder.join("kubelet/pki").display()),
            // Sets the node's address to loopback, which is not reachable from outside.
            flag("hostname-override", NODE),
        ],
        files: vec![
            (kubeconfig, kubeconfig::of_component(instance, NAME)),
            (configuration, format!("{:#}\n", settings(instance))),
        ],
        readiness: Readiness::http(instance.settings.ports.kubelet_health, "/healthz"),
    }
}

fn settings(instance: &Instance) -> Value {
    let ports = &instance.settings.ports;
    json!({
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",

        // Access: holders of a certificate, if the API server allows it.
        "address": "127.0.0.1",
        "port": ports.kubelet,
        "readOnlyPort": 0,
        "healthzBindAddress": "127.0.0.1",
        "healthzPort": ports.kubelet_health,
        "tlsCertFile": instance.certificate_file("kubelet.crt"),
        "tlsPrivateKeyFile": instance.certificate_file("kubelet.key"),
        "authentication": {
            "anonymous": { "enabled": false },
            "webhook": { "enabled": true },
            "x509": { "clientCAFile": instance.certificate_file(AUTHORITY) },
        },
        "authorization": { "mode": "Webhook" },

        // Resources of this machine: none that another instance uses too.
        "containerRuntimeEndpoint": format!("unix://{}", instance.containerd_socket().display()),
        "cgroupDriver": "cgroupfs",
        "cgroupRoot": format!("/{}", instance.cgroup()),
        "podLogsDir": instance.folder.join("pod-logs"),
        "volumePluginDir": instance.folder.join("volume-plugins"),
        "makeIPTablesUtilChains": false,
        "failCgroupV1": false,
        "failSwapOn": false,
        "maxPods": 200,

        // There is no DNS. An address where nothing listens refuses a query at once; without one,
        // every pod would get a warning event.
        "clusterDNS": [instance.settings.network.gateway()],
        "resolvConf": "",

        // A small disk is no reason to evict pods, or to remove the images that cannot be pulled
        // again.
        "evictionHard": {
            "memory.available": "100Mi",
            "nodefs.available": "1%",
            "nodefs.inodesFree": "1%",
            "imagefs.available": "1%",
            "imagefs.inodesFree": "1%",
        },
        "imageGCHighThresholdPercent": 100,

        // A test needs several restarts of a crashing container within seconds; the usual back-off
        // would take minutes.
        "crashLoopBackOff": { "maxContainerRestartPeriod": "5s" },
        // One slow pull must not delay the others, nor many pulls each other.
        "serializeImagePulls": false,
        "registryPullQPS": 0,
    })
}
