//! The scheduler.

use super::{file_flag, flag};
use crate::certificates::AUTHORITY;
use crate::component::{Component, Readiness};
use crate::instance::Instance;
use crate::kubeconfig;

pub(super) const NAME: &str = "kube-scheduler";

pub(super) fn component(instance: &Instance) -> Component {
    let port = instance.settings.ports.scheduler;
    let kubeconfig = instance.folder.join("kube-scheduler.kubeconfig");
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
            file_flag(instance, "tls-cert-file", "kube-scheduler.crt"),
            file_flag(instance, "tls-private-key-file", "kube-scheduler.key"),
            flag("leader-elect", false),
        ],
        files: vec![(kubeconfig.clone(), kubeconfig::of_component(instance, NAME))],
        readiness: Readiness::https(port, "/healthz"),
    }
}
