//! Whether the server is who it should be.

use super::cluster;
use crate::kubeconfigs::{Case, Identity};

pub(crate) fn cases() -> Vec<Case> {
    let somebody = Identity::bearer("s3cret-token");
    vec![
        Case::new("an authority in a file")
            .kubeconfig(cluster("server: '@https@', certificate-authority: '@authority@'"))
            .reaches(somebody.clone()),
        Case::new("an authority in the kubeconfig")
            .kubeconfig(cluster("server: '@https@', certificate-authority-data: '@authority-data@'"))
            .reaches(somebody.clone()),
        Case::new("an authority with a path relative to the kubeconfig")
            .kubeconfig(cluster("server: '@https@', certificate-authority: pki/authority.crt"))
            .reaches(somebody.clone()),
        Case::new("an authority twice")
            .kubeconfig(cluster(
                "server: '@https@', certificate-authority: '@stranger@', \
                 certificate-authority-data: '@authority-data@'",
            ))
            .refused(&["certificate-authority"]),
        Case::new("two authorities in a file, with text between")
            .kubeconfig(cluster("server: '@https@', certificate-authority: '@folder@/both'"))
            .file("both", "# first\n@stranger-text@\n# second\n@authority-text@")
            .reaches(somebody.clone()),
        Case::new("another authority")
            .kubeconfig(cluster("server: '@https@', certificate-authority: '@stranger@'"))
            .refused(&["certificate"]),
        Case::new("no authority")
            .kubeconfig(cluster("server: '@https@'"))
            .refused(&["certificate"]),
        Case::new("an authority's file that is missing")
            .kubeconfig(cluster("server: '@https@', certificate-authority: '@folder@/absent'"))
            .refused(&["@folder@/absent"]),
        Case::new("a folder in the place of an authority's file")
            .kubeconfig(cluster("server: '@https@', certificate-authority: '@folder@/pki'"))
            .refused(&["@folder@/pki"]),
        Case::new("an authority that is none")
            .kubeconfig(cluster("server: '@https@', certificate-authority: '@folder@/config'"))
            .refused(&["certificate"]),
        Case::new("an authority that is no base64")
            .kubeconfig(cluster("server: '@https@', certificate-authority-data: '***s3cret'"))
            .refused(&["@folder@/config"]),
        Case::new("an authority in the kubeconfig that is none")
            .kubeconfig(cluster("server: '@https@', certificate-authority-data: czNjcmV0"))
            .refused(&["certificate-authority-data"]),
        Case::new("the system's authorities, named by a variable")
            .kubeconfig(cluster("server: '@https@'"))
            .environment("SSL_CERT_FILE", "@authority@")
            .reaches(somebody.clone()),
        Case::new("no verification")
            .kubeconfig(cluster("server: '@https@', insecure-skip-tls-verify: true"))
            .reaches(somebody.clone()),
        Case::new("no verification, and an authority")
            .kubeconfig(cluster(
                "server: '@https@', insecure-skip-tls-verify: true, certificate-authority: '@stranger@'",
            ))
            .refused(&["certificate-authority", "insecure-skip-tls-verify"]),
        Case::new("a server's name")
            .kubeconfig(cluster(
                "server: '@https@', certificate-authority: '@authority@', tls-server-name: other.example",
            ))
            .reaches(somebody.clone().server_name("other.example")),
        Case::new("a server's name that a wildcard covers")
            .kubeconfig(cluster(
                "server: '@https@', certificate-authority: '@authority@', tls-server-name: a.wild.example",
            ))
            .reaches(somebody.clone().server_name("a.wild.example")),
        Case::new("a server's name that is not in its certificate")
            .kubeconfig(cluster(
                "server: '@https@', certificate-authority: '@authority@', tls-server-name: wrong.example",
            ))
            .refused(&["certificate"]),
        Case::new("a server's name, and no verification")
            .kubeconfig(cluster(
                "server: '@https@', insecure-skip-tls-verify: true, tls-server-name: wrong.example",
            ))
            .reaches(somebody.clone().server_name("wrong.example")),
        Case::new("a server's name that is an address")
            .kubeconfig(cluster(
                "server: 'https://localhost:@port@', certificate-authority: '@authority@', \
                 tls-server-name: 127.0.0.1",
            ))
            .reaches(somebody.clone()),
        Case::new("a server by name")
            .kubeconfig(cluster(
                "server: 'https://localhost:@port@', certificate-authority: '@authority@'",
            ))
            .reaches(somebody.server_name("localhost")),
    ]
}
