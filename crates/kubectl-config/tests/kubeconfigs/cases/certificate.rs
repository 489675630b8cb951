//! Client certificates, in files and in the kubeconfig itself.

use super::user;
use crate::kubeconfigs::{Case, Identity};

const FILES: &str = "client-certificate: '@alice.crt@', client-key: '@alice.key@'";
const DATA: &str =
    "client-certificate-data: '@alice.crt-data@', client-key-data: '@alice.key-data@'";

pub(crate) fn cases() -> Vec<Case> {
    let alice = Identity::certificate("alice");
    vec![
        Case::new("a certificate and a key in files")
            .kubeconfig(user(FILES))
            .reaches(alice.clone()),
        Case::new("a certificate and a key in the kubeconfig")
            .kubeconfig(user(DATA))
            .reaches(alice.clone()),
        Case::new("a certificate in a file and a key in the kubeconfig")
            .kubeconfig(user(
                "client-certificate: '@alice.crt@', client-key-data: '@alice.key-data@'",
            ))
            .reaches(alice.clone()),
        Case::new("paths relative to the kubeconfig")
            .kubeconfig(user(
                "client-certificate: pki/alice.crt, client-key: ./pki/alice.key",
            ))
            .reaches(alice.clone()),
        Case::new("a certificate and a key in one file")
            .kubeconfig(user(
                "client-certificate: '@folder@/both', client-key: '@folder@/both'",
            ))
            .file("both", "@alice.crt-text@@alice.key-text@")
            .reaches(alice.clone()),
        Case::new("a key before its certificate in one file")
            .kubeconfig(user(
                "client-certificate: '@folder@/both', client-key: '@folder@/both'",
            ))
            .file("both", "@alice.key-text@@alice.crt-text@")
            .reaches(alice.clone()),
        Case::new("a certificate and a token")
            .kubeconfig(user(&format!("{FILES}, token: s3cret-token")))
            .reaches(alice.clone().authorization("Bearer s3cret-token")),
        Case::new("a certificate and a password")
            .kubeconfig(user(&format!(
                "{DATA}, username: olga, password: s3cret-password"
            )))
            .reaches(Identity::basic("olga", "s3cret-password").with_certificate("alice")),
        Case::new("a certificate twice")
            .kubeconfig(user(
                "client-certificate: '@bob.crt@', client-certificate-data: '@alice.crt-data@', \
                 client-key-data: '@alice.key-data@'",
            ))
            .refused(&["client-certificate"]),
        Case::new("a key twice")
            .kubeconfig(user(
                "client-certificate-data: '@alice.crt-data@', client-key: '@bob.key@', \
                 client-key-data: '@alice.key-data@'",
            ))
            .refused(&["client-key"]),
        Case::new("a certificate without a key")
            .kubeconfig(user("client-certificate: '@alice.crt@'"))
            .refused(&["client-key"]),
        Case::new("a key without a certificate, and a token")
            .kubeconfig(user("client-key: '@alice.key@', token: s3cret-token"))
            .reaches(Identity::bearer("s3cret-token")),
        Case::new("a certificate and somebody else's key")
            .kubeconfig(user(
                "client-certificate: '@alice.crt@', client-key: '@bob.key@'",
            ))
            .refused(&["certificate", "key"]),
        Case::new("a certificate's file that is missing")
            .kubeconfig(user(
                "client-certificate: '@folder@/absent', client-key: '@alice.key@'",
            ))
            .refused(&["@folder@/absent"]),
        Case::new("a key's file that is missing")
            .kubeconfig(user(
                "client-certificate: '@alice.crt@', client-key: '@folder@/absent'",
            ))
            .refused(&["@folder@/absent"]),
        Case::new("a certificate that is none")
            .kubeconfig(user(
                "client-certificate: '@folder@/certificate', client-key: '@alice.key@'",
            ))
            .file("certificate", "s3cret")
            .refused(&["certificate"]),
        Case::new("a certificate that is no base64")
            .kubeconfig(user(
                "client-certificate-data: '***s3cret', client-key-data: '@alice.key-data@'",
            ))
            .refused(&["@folder@/config"]),
    ]
}
