//! The controller manager, which also provisions volumes as folders of this machine.

use super::{file_flag, flag};
use crate::certificates::{AUTHORITY, SERVICE_ACCOUNT_KEY};
use crate::component::{Component, Readiness};
use crate::instance::Instance;
use crate::kubeconfig;

pub(super) const NAME: &str = "kube-controller-manager";

pub(super) fn component(instance: &Instance) -> Component {
    let port = instance.settings.ports.controller_manager;
    let kubeconfig = instance.folder.join("kube-controller-manager.kubeconfig");
    Component {
        name: NAME,
        program: instance.tools().kubernetes_program(NAME),
        arguments: vec![
            flag("kubeconfig", kubeconfig.display()),
            flag("authentication-kubeconfig", kubeconfig.display()),
            flag("authorization-kubeconfig", kubeconfig.display()),
            file_flag(instance, "client-ca-file", AUTHORITY),
            flag("bind-address", "127.0.0.1"),
            flag("secure-port", port),
            file_flag(instance, "tls-cert-file", "kube-controller-manager.crt"),
            file_flag(
                instance,
                "tls-private-key-file",
                "kube-controller-manager.key",
            ),
            flag("leader-elect", false),
            flag("use-service-account-credentials", true),
            file_flag(
                instance,
                "service-account-private-key-file",
                SERVICE_ACCOUNT_KEY,
            ),
            file_flag(instance, "root-ca-file", AUTHORITY),
            flag("enable-hostpath-provisioner", true),
            flag(
                "flex-volume-plugin-dir",
                instance.folder.join("volume-plugins").display(),
            ),
            // With the usual limit of 20 requests per second, many parallel tests would wait for
            // it.
            flag("kube-api-qps", 200),
            flag("kube-api-burst", 400),
        ],
        files: vec![(kubeconfig.clone(), kubeconfig::of_component(instance, NAME))],
        readiness: Readiness::https(port, "/healthz"),
    }
}
