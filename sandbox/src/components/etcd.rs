//! etcd, the cluster's database. Only holders of the instance's certificates can access it.

use super::{file_flag, flag};
use crate::certificates::AUTHORITY;
use crate::component::{Component, Readiness};
use crate::instance::Instance;

pub(super) const NAME: &str = "etcd";

pub(super) fn component(instance: &Instance) -> Component {
    let ports = &instance.settings.ports;
    let client = format!("https://127.0.0.1:{}", ports.etcd);
    let peer = format!("https://127.0.0.1:{}", ports.etcd_peer);
    Component {
        name: NAME,
        program: instance.tools().etcd_program(),
        arguments: vec![
            flag("name", &instance.name),
            flag("data-dir", instance.folder.join("etcd").display()),
            flag("listen-client-urls", &client),
            flag("advertise-client-urls", &client),
            "--client-cert-auth".into(),
            file_flag(instance, "trusted-ca-file", AUTHORITY),
            file_flag(instance, "cert-file", "etcd.crt"),
            file_flag(instance, "key-file", "etcd.key"),
            flag("listen-peer-urls", &peer),
            flag("initial-advertise-peer-urls", &peer),
            flag("initial-cluster", format!("{}={peer}", instance.name)),
            "--peer-client-cert-auth".into(),
            file_flag(instance, "peer-trusted-ca-file", AUTHORITY),
            file_flag(instance, "peer-cert-file", "etcd.crt"),
            file_flag(instance, "peer-key-file", "etcd.key"),
            // The cluster need not survive a power failure, and the disk is often slow.
            "--unsafe-no-fsync".into(),
            flag("log-level", "warn"),
        ],
        files: Vec::new(),
        readiness: Readiness::https(ports.etcd, "/health"),
    }
}
