//! Flags that stand above the kubeconfig.

use super::{TRUSTED, config, user};
use crate::kubeconfigs::{Case, Identity};

fn above(name: &'static str, user_fields: &str, arguments: &str) -> Case {
    Case::new(name)
        .kubeconfig(user(user_fields))
        .arguments(arguments)
}

const ALICE: &str =
    "client-certificate-data: '@alice.crt-data@', client-key-data: '@alice.key-data@'";

pub(crate) fn cases() -> Vec<Case> {
    let mut cases = users();
    cases.extend(clusters());
    cases.extend(others());
    cases
}

fn users() -> Vec<Case> {
    vec![
        above("--token", "token: s3cret-old", "--token s3cret-new").reaches(Identity::bearer("s3cret-new")),
        // As in the kubeconfig, a file stands above a token.
        above("--token and a file", "tokenFile: '@folder@/token'", "--token s3cret-new")
            .file("token", "s3cret-old")
            .reaches(Identity::bearer("s3cret-old")),
        above("--token and a certificate", ALICE, "--token s3cret-new")
            .reaches(Identity::bearer("s3cret-new").with_certificate("alice")),
        above(
            "--token above a plugin",
            "exec: {apiVersion: client.authentication.k8s.io/v1, command: absent, interactiveMode: Never}",
            "--token s3cret-new",
        )
        .reaches(Identity::bearer("s3cret-new")),
        above("--token and a password", "username: olga, password: s3cret-password", "--token s3cret-new")
            .refused(&["token", "password"]),
        above("--username and --password", "", "--username piet --password s3cret-new")
            .reaches(Identity::basic("piet", "s3cret-new")),
        above(
            "--username and --password above others",
            "username: olga, password: s3cret-password",
            "--username piet --password s3cret-new",
        )
        .reaches(Identity::basic("piet", "s3cret-new")),
        above("--username and a token", "token: s3cret-old", "--username piet --password s3cret-new")
            .refused(&["token", "password"]),
        above("--token and --username", "", "--token s3cret-new --username piet --password s3cret-new")
            .refused(&["token", "password"]),
        above("--client-certificate and --client-key", ALICE, "--client-certificate @bob.crt@ --client-key @bob.key@")
            .reaches(Identity::certificate("bob")),
        above("--client-certificate with a relative path", "", "--client-certificate ../pki/bob.crt --client-key ../pki/bob.key")
            .reaches(Identity::certificate("bob")),
        above("--client-certificate without its key", ALICE, "--client-certificate @bob.crt@")
            .refused(&["key"]),
        above("--client-certificate that is missing", "", "--client-certificate @folder@/absent --client-key @bob.key@")
            .refused(&["@folder@/absent"]),
    ]
}

fn clusters() -> Vec<Case> {
    let somebody = Identity::bearer("s3cret-token");
    let elsewhere = |name, fields: &str, arguments| {
        Case::new(name)
            .kubeconfig(config(fields, "token: s3cret-token"))
            .arguments(arguments)
    };
    vec![
        elsewhere(
            "--server",
            "server: 'https://127.0.0.1:1', certificate-authority: '@authority@'",
            "--server @https@",
        )
        .reaches(somebody.clone()),
        elsewhere(
            "-s",
            "server: 'https://127.0.0.1:1', certificate-authority: '@authority@'",
            "-s @https@",
        )
        .reaches(somebody.clone()),
        elsewhere(
            "--server takes the kubeconfig's server's name away",
            &format!("{TRUSTED}, tls-server-name: wrong.example"),
            "--server @https@",
        )
        .reaches(somebody.clone()),
        elsewhere(
            "--tls-server-name",
            TRUSTED,
            "--tls-server-name other.example",
        )
        .reaches(somebody.clone().server_name("other.example")),
        elsewhere(
            "--certificate-authority",
            "server: '@https@'",
            "--certificate-authority @authority@",
        )
        .reaches(somebody.clone()),
        elsewhere(
            "--certificate-authority above another",
            "server: '@https@', certificate-authority-data: '@stranger-data@'",
            "--certificate-authority ../pki/authority.crt",
        )
        .reaches(somebody.clone()),
        elsewhere(
            "--certificate-authority takes the lack of verification away",
            "server: '@https@', insecure-skip-tls-verify: true",
            "--certificate-authority @stranger@",
        )
        .refused(&["certificate"]),
        elsewhere(
            "--insecure-skip-tls-verify",
            "server: '@https@', certificate-authority-data: '@stranger-data@'",
            "--insecure-skip-tls-verify",
        )
        .reaches(somebody.clone()),
        elsewhere(
            "--insecure-skip-tls-verify=false",
            "server: '@https@', insecure-skip-tls-verify: true",
            "--insecure-skip-tls-verify=false",
        )
        .reaches(somebody.clone()),
        elsewhere(
            "--insecure-skip-tls-verify and --certificate-authority",
            "server: '@https@'",
            "--insecure-skip-tls-verify --certificate-authority @authority@",
        )
        .refused(&["certificate-authority", "insecure-skip-tls-verify"]),
        elsewhere(
            "--server without a scheme",
            TRUSTED,
            "--server 127.0.0.1:@port@",
        )
        .reaches(Identity::anonymous().plain()),
        elsewhere(
            "--proxy-url above another",
            &format!("{TRUSTED}, proxy-url: 'http://127.0.0.1:1'"),
            "--proxy-url socks5://127.0.0.1:@port@",
        )
        .reaches(somebody.clone().via("socks5", "127.0.0.1:@port@")),
        elsewhere(
            "--proxy-url",
            TRUSTED,
            "--proxy-url http://127.0.0.1:@port@",
        )
        .reaches(somebody.clone().via("http", "127.0.0.1:@port@")),
        elsewhere(
            "--proxy-url with another scheme",
            TRUSTED,
            "--proxy-url ftp://127.0.0.1:@port@",
        )
        .refused(&["ftp"]),
    ]
}

fn others() -> Vec<Case> {
    let somebody = Identity::bearer("s3cret-token");
    let flag = |name, arguments| above(name, "token: s3cret-token", arguments);
    vec![
        flag("--token that is empty", "--token=").reaches(somebody.clone()),
        flag("--context that is empty", "--context=").reaches(somebody.clone()),
        flag("--server that is empty", "--server=").reaches(somebody.clone()),
        flag("--kubeconfig that is empty", "--kubeconfig=").reaches(somebody.clone()),
        flag("--as that is empty", "--as=").reaches(somebody),
        Case::new("only flags")
            .arguments("--server @https@ --certificate-authority @authority@ --token s3cret-flag")
            .reaches(Identity::bearer("s3cret-flag")),
    ]
}
