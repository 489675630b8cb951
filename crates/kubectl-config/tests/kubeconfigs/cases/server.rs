//! What may stand in `server`.

use super::{cluster, config, user};
use crate::kubeconfigs::{Case, Identity};

fn at(server: &str) -> String {
    cluster(&format!(
        "server: '{server}', certificate-authority: '@authority@'"
    ))
}

pub(crate) fn cases() -> Vec<Case> {
    let somebody = Identity::bearer("s3cret-token");
    vec![
        Case::new("a path")
            .kubeconfig(at("@https@/k8s/clusters/x"))
            .reaches(somebody.clone().prefix("/k8s/clusters/x")),
        Case::new("a path that ends with a slash")
            .kubeconfig(at("@https@/k8s/clusters/x/"))
            .reaches(somebody.clone().prefix("/k8s/clusters/x")),
        Case::new("a slash")
            .kubeconfig(at("@https@/"))
            .reaches(somebody.clone()),
        Case::new("a path and a query")
            .kubeconfig(at("@https@/k8s?a=b"))
            .reaches(somebody.clone().prefix("/k8s")),
        Case::new("a query")
            .kubeconfig(at("@https@?a=b"))
            .reaches(somebody.clone()),
        Case::new("a name and a password in the URL")
            .kubeconfig(at("https://olga:s3cret-password@127.0.0.1:@port@"))
            .reaches(Identity::basic("olga", "s3cret-password")),
        Case::new("a name and a password in the URL of a server that nobody is behind")
            .kubeconfig(at("https://olga:s3cret-password@127.0.0.1:1"))
            .refused(&["127.0.0.1:1"]),
        Case::new("an upper-case scheme")
            .kubeconfig(at("HTTPS://127.0.0.1:@port@"))
            .reaches(somebody.clone()),
        Case::new("no scheme: no TLS, and no token, even with an authority")
            .kubeconfig(at("127.0.0.1:@port@"))
            .reaches(Identity::anonymous().plain()),
        Case::new("no TLS: no token")
            .kubeconfig(cluster("server: '@http@'"))
            .reaches(Identity::anonymous().plain()),
        Case::new("no TLS: no password")
            .kubeconfig(config("server: '@http@'", "username: olga, password: s3cret-password"))
            .reaches(Identity::anonymous().plain()),
        Case::new("no TLS: no plugin")
            .kubeconfig(config(
                "server: '@http@'",
                "exec: {apiVersion: client.authentication.k8s.io/v1, command: absent, interactiveMode: Never}",
            ))
            .reaches(Identity::anonymous().plain()),
        Case::new("no TLS: somebody else nevertheless")
            .kubeconfig(config("server: '@http@'", "as: somebody"))
            .reaches(Identity::anonymous().plain().impersonates("User", "somebody")),
        Case::new("no server")
            .kubeconfig(cluster("certificate-authority: '@authority@'"))
            .refused(&["server"]),
        Case::new("another scheme")
            .kubeconfig(at("ftp://127.0.0.1:@port@"))
            .refused(&["ftp"]),
        Case::new("a text that is no URL")
            .kubeconfig(at("https://[127.0.0.1"))
            .refused(&["server"]),
        Case::new("--server with a path")
            .kubeconfig(user("token: s3cret-token"))
            .arguments("--server @https@/k8s/clusters/x/")
            .reaches(somebody.prefix("/k8s/clusters/x")),
    ]
}
