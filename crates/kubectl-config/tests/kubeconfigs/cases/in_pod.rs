//! Inside a pod, as its service account (`rest/config.go`, `InClusterConfig`).

use super::user;
use crate::kubeconfigs::{Case, Identity};

fn pod(name: &'static str) -> Case {
    Case::new(name)
        .in_a_pod()
        .environment("KUBERNETES_SERVICE_HOST", "127.0.0.1")
        .environment("KUBERNETES_SERVICE_PORT", "@port@")
        .file("pod/token", "s3cret-account\n")
        .file("pod/ca.crt", "@authority-text@")
        .file("pod/namespace", "second\n")
}

pub(crate) fn cases() -> Vec<Case> {
    let account = Identity::bearer("s3cret-account");
    vec![
        pod("a service account")
            .namespace("second")
            .reaches(account.clone()),
        pod("a service account, and a namespace that the pod names")
            .environment("POD_NAMESPACE", "third")
            .namespace("third")
            .reaches(account.clone()),
        pod("a service account as somebody else")
            .arguments("--as olga")
            // kubectl tries `localhost:8080` then, since the flag alone makes a configuration for it.
            .without_kubectl()
            .reaches(account.impersonates("user", "olga")),
        pod("a service account, and --token")
            .arguments("--token s3cret-flag")
            .reaches(Identity::bearer("s3cret-flag")),
        pod("a service account, and --server")
            .arguments("--server @https@")
            .refused(&["credentials"]),
        pod("a service account and a kubeconfig")
            .kubeconfig(user("token: s3cret-token"))
            .reaches(Identity::bearer("s3cret-token")),
        pod("a service account, and --context")
            .arguments("--context nowhere")
            .refused(&["no kubeconfig"]),
    ]
}
