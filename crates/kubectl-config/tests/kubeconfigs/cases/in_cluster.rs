//! A pod's variables where there is no service account.

use super::user;
use crate::kubeconfigs::{Case, Identity};

fn pod(name: &'static str) -> Case {
    Case::new(name)
        .environment("KUBERNETES_SERVICE_HOST", "127.0.0.1")
        .environment("KUBERNETES_SERVICE_PORT", "@port@")
}

pub(crate) fn cases() -> Vec<Case> {
    vec![
        pod("a pod's variables without a service account").refused(&["no kubeconfig"]),
        pod("a kubeconfig stands above a pod's variables")
            .kubeconfig(user("token: s3cret-token"))
            .reaches(Identity::bearer("s3cret-token")),
    ]
}
