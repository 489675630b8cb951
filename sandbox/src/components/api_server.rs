//! The API server.

use super::{file_flag, flag};
use crate::certificates::{AUTHORITY, SERVICE_ACCOUNT_KEY, SERVICE_ACCOUNT_PUBLIC_KEY};
use crate::component::{Component, Readiness};
use crate::instance::Instance;

pub(super) const NAME: &str = "kube-apiserver";

/// Who requested what and when, without the objects themselves: enough to count requests.
const AUDIT_POLICY: &str = "\
apiVersion: audit.k8s.io/v1
kind: Policy
omitStages:
- RequestReceived
rules:
- level: Metadata
";

pub(super) fn component(instance: &Instance) -> Component {
    let ports = &instance.settings.ports;
    let tokens = instance.folder.join("tokens.csv");
    let audit_policy = instance.folder.join("audit-policy.yaml");
    Component {
        name: NAME,
        program: instance.tools().kubernetes_program(NAME),
        arguments: vec![
            flag("bind-address", "127.0.0.1"),
            flag("advertise-address", "127.0.0.1"),
            flag("secure-port", ports.api_server),
            file_flag(instance, "tls-cert-file", "kube-apiserver.crt"),
            file_flag(instance, "tls-private-key-file", "kube-apiserver.key"),
            flag("anonymous-auth", false),
            flag("authorization-mode", "Node,RBAC"),
            flag("enable-admission-plugins", "NodeRestriction"),
            file_flag(instance, "client-ca-file", AUTHORITY),
            flag("token-auth-file", tokens.display()),
            flag("etcd-servers", format!("https://127.0.0.1:{}", ports.etcd)),
            file_flag(instance, "etcd-cafile", AUTHORITY),
            file_flag(instance, "etcd-certfile", "kube-apiserver.crt"),
            file_flag(instance, "etcd-keyfile", "kube-apiserver.key"),
            file_flag(instance, "kubelet-certificate-authority", AUTHORITY),
            file_flag(instance, "kubelet-client-certificate", "kube-apiserver.crt"),
            file_flag(instance, "kubelet-client-key", "kube-apiserver.key"),
            // Otherwise exec, logs and port-forward would look up the node's name in DNS.
            flag("kubelet-preferred-address-types", "InternalIP"),
            flag("service-account-issuer", "https://kubernetes.default.svc"),
            file_flag(
                instance,
                "service-account-key-file",
                SERVICE_ACCOUNT_PUBLIC_KEY,
            ),
            file_flag(
                instance,
                "service-account-signing-key-file",
                SERVICE_ACCOUNT_KEY,
            ),
            flag("service-cluster-ip-range", "10.96.0.0/16"),
            // Loopback is refused as an endpoint, but no pod needs the API server.
            flag("endpoint-reconciler-type", "none"),
            flag("allow-privileged", true),
            flag("audit-policy-file", audit_policy.display()),
            flag("audit-log-path", instance.audit_log().display()),
            flag("audit-log-maxsize", 100),
            flag("audit-log-maxbackup", 1),
        ],
        files: vec![
            (
                tokens,
                format!(
                    "{},sandbox,sandbox,system:masters\n",
                    instance.settings.token
                ),
            ),
            (audit_policy, AUDIT_POLICY.into()),
        ],
        readiness: Readiness::https(ports.api_server, "/readyz"),
    }
}
