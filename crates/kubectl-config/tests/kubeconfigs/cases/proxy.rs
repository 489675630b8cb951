//! Proxies, from the kubeconfig and from the environment.
//!
//! Go never sends requests to loopback addresses through the environment's proxies, so those cases ask for
//! a name that only the proxy resolves, or for an address that leads to the recorder in both ways.

use super::{cluster, config};
use crate::kubeconfigs::encoding::base64;
use crate::kubeconfigs::{Case, Identity};

const PROXY: &str = "127.0.0.1:@port@";
const TARGET: &str = "cluster.example:6443";

fn through(proxy: &str) -> String {
    cluster(&format!(
        "server: 'https://{TARGET}', certificate-authority: '@authority@', proxy-url: '{proxy}'"
    ))
}

fn direct() -> String {
    cluster(&format!(
        "server: 'https://{TARGET}', certificate-authority: '@authority@'"
    ))
}

/// A server that is no loopback address to Go, but can be reached directly all the same.
fn everywhere() -> String {
    cluster("server: 'https://0.0.0.0:@port@', certificate-authority: '@authority@'")
}

fn somebody(kind: &'static str) -> Identity {
    Identity::bearer("s3cret-token")
        .server_name("cluster.example")
        .via(kind, TARGET)
}

fn basic() -> String {
    format!("Basic {}", base64("olga:s3cret-password"))
}

pub(crate) fn cases() -> Vec<Case> {
    let mut cases = kubeconfigs();
    cases.extend(variables());
    cases.extend(exceptions());
    cases
}

fn kubeconfigs() -> Vec<Case> {
    vec![
        Case::new("http")
            .kubeconfig(through(&format!("http://{PROXY}")))
            .reaches(somebody("http")),
        Case::new("http with credentials")
            .kubeconfig(through(&format!("http://olga:s3cret-password@{PROXY}")))
            .reaches(somebody("http").proxy_credentials(&basic())),
        Case::new("http with credentials in percent signs")
            .kubeconfig(through(&format!("http://olga:s3cret%3Apassword@{PROXY}")))
            .reaches(somebody("http").proxy_credentials(&format!(
                "Basic {}",
                base64("olga:s3cret:password")
            ))),
        Case::new("https")
            .kubeconfig(through(&format!("https://{PROXY}")))
            .reaches(somebody("https")),
        Case::new("https with credentials")
            .kubeconfig(through(&format!("https://olga:s3cret-password@{PROXY}")))
            .reaches(somebody("https").proxy_credentials(&basic())),
        Case::new("socks5")
            .kubeconfig(through(&format!("socks5://{PROXY}")))
            .reaches(somebody("socks5")),
        Case::new("socks5 with credentials")
            .kubeconfig(through(&format!("socks5://olga:s3cret-password@{PROXY}")))
            .reaches(somebody("socks5").proxy_credentials("olga:s3cret-password")),
        Case::new("a proxy to a loopback address")
            .kubeconfig(cluster(&format!(
                "server: '@https@', certificate-authority: '@authority@', proxy-url: 'http://{PROXY}'"
            )))
            .reaches(Identity::bearer("s3cret-token").via("http", "127.0.0.1:@port@")),
        Case::new("a server without TLS behind a proxy")
            .kubeconfig(config(
                &format!("server: 'http://cluster.example', proxy-url: 'http://{PROXY}'"),
                "as: somebody",
            ))
            .reaches(
                Identity::anonymous()
                    .plain()
                    .impersonates("User", "somebody")
                    .via("http", "cluster.example"),
            ),
        Case::new("a client certificate behind a proxy")
            .kubeconfig(config(
                &format!("server: 'https://{TARGET}', certificate-authority: '@authority@', proxy-url: 'http://{PROXY}'"),
                "client-certificate: '@alice.crt@', client-key: '@alice.key@'",
            ))
            .reaches(
                Identity::certificate("alice")
                    .server_name("cluster.example")
                    .via("http", TARGET),
            ),
        Case::new("socks5h")
            .kubeconfig(through(&format!("socks5h://{PROXY}")))
            .refused(&["socks5h"]),
        Case::new("another scheme")
            .kubeconfig(through(&format!("ftp://olga:s3cret-password@{PROXY}")))
            .refused(&["ftp"]),
        Case::new("no scheme")
            .kubeconfig(through(PROXY))
            .refused(&["proxy-url"]),
        Case::new("a proxy that nobody is behind")
            .kubeconfig(through("http://olga:s3cret-password@127.0.0.1:1"))
            .refused(&["127.0.0.1:1"]),
    ]
}

fn variables() -> Vec<Case> {
    let proxy = format!("http://{PROXY}");
    vec![
        Case::new("HTTPS_PROXY")
            .kubeconfig(direct())
            .environment("HTTPS_PROXY", &proxy)
            .reaches(somebody("http")),
        Case::new("https_proxy")
            .kubeconfig(direct())
            .environment("https_proxy", &proxy)
            .reaches(somebody("http")),
        Case::new("HTTPS_PROXY stands above https_proxy")
            .kubeconfig(direct())
            .environment("HTTPS_PROXY", &proxy)
            .environment("https_proxy", "http://127.0.0.1:1")
            .reaches(somebody("http")),
        Case::new("HTTPS_PROXY without a scheme")
            .kubeconfig(direct())
            .environment("HTTPS_PROXY", PROXY)
            .reaches(somebody("http")),
        Case::new("HTTPS_PROXY with credentials")
            .kubeconfig(direct())
            .environment(
                "HTTPS_PROXY",
                &format!("http://olga:s3cret-password@{PROXY}"),
            )
            .reaches(somebody("http").proxy_credentials(&basic())),
        Case::new("HTTPS_PROXY that is no URL")
            .kubeconfig(direct())
            .environment("HTTPS_PROXY", "http://olga:s3cret-password@[127.0.0.1")
            .refused(&["HTTPS_PROXY"]),
        Case::new("HTTPS_PROXY with SOCKS")
            .kubeconfig(direct())
            .environment("HTTPS_PROXY", &format!("socks5://{PROXY}"))
            .reaches(somebody("socks5")),
        Case::new("HTTP_PROXY is not for TLS")
            .kubeconfig(everywhere())
            .environment("HTTP_PROXY", &proxy)
            .reaches(Identity::bearer("s3cret-token")),
        Case::new("HTTP_PROXY without TLS")
            .kubeconfig(config("server: 'http://cluster.example'", "as: somebody"))
            .environment("HTTP_PROXY", &proxy)
            .reaches(
                Identity::anonymous()
                    .plain()
                    .impersonates("User", "somebody")
                    .via("http", "cluster.example"),
            ),
        Case::new("ALL_PROXY means nothing")
            .kubeconfig(everywhere())
            .environment("ALL_PROXY", &proxy)
            .reaches(Identity::bearer("s3cret-token")),
    ]
}

/// What is reached directly although there is a proxy.
fn exceptions() -> Vec<Case> {
    let proxy = format!("http://{PROXY}");
    vec![
        Case::new("loopback addresses are never behind the environment's proxy")
            .kubeconfig(cluster(
                "server: '@https@', certificate-authority: '@authority@'",
            ))
            .environment("HTTPS_PROXY", &proxy)
            .reaches(Identity::bearer("s3cret-token")),
        Case::new("NO_PROXY with the name")
            .kubeconfig(direct())
            .environment("HTTPS_PROXY", &proxy)
            .environment("NO_PROXY", "elsewhere.example, cluster.example")
            .refused(&["cluster.example"]),
        Case::new("no_proxy with the domain")
            .kubeconfig(direct())
            .environment("HTTPS_PROXY", &proxy)
            .environment("no_proxy", ".example")
            .refused(&["cluster.example"]),
        Case::new("NO_PROXY with another port")
            .kubeconfig(direct())
            .environment("HTTPS_PROXY", &proxy)
            .environment("NO_PROXY", "cluster.example:443")
            .reaches(somebody("http")),
        Case::new("an address behind the environment's proxy")
            .kubeconfig(everywhere())
            .environment("HTTPS_PROXY", &proxy)
            .reaches(Identity::bearer("s3cret-token").via("http", "0.0.0.0:@port@")),
        Case::new("NO_PROXY with the address")
            .kubeconfig(everywhere())
            .environment("HTTPS_PROXY", &proxy)
            .environment("NO_PROXY", "192.0.2.1,0.0.0.0")
            .reaches(Identity::bearer("s3cret-token")),
        Case::new("NO_PROXY with the address and its port")
            .kubeconfig(everywhere())
            .environment("HTTPS_PROXY", &proxy)
            .environment("NO_PROXY", "0.0.0.0:@port@")
            .reaches(Identity::bearer("s3cret-token")),
        Case::new("NO_PROXY with a network")
            .kubeconfig(everywhere())
            .environment("HTTPS_PROXY", &proxy)
            .environment("NO_PROXY", "10.0.0.0/8,0.0.0.0/8")
            .reaches(Identity::bearer("s3cret-token")),
        Case::new("NO_PROXY with another network")
            .kubeconfig(everywhere())
            .environment("HTTPS_PROXY", &proxy)
            .environment("NO_PROXY", "10.0.0.0/8")
            .reaches(Identity::bearer("s3cret-token").via("http", "0.0.0.0:@port@")),
        Case::new("NO_PROXY with everything")
            .kubeconfig(everywhere())
            .environment("HTTPS_PROXY", &proxy)
            .environment("NO_PROXY", "*")
            .reaches(Identity::bearer("s3cret-token")),
        Case::new("NO_PROXY does not touch the kubeconfig's proxy")
            .kubeconfig(through(&proxy))
            .environment("NO_PROXY", "*")
            .reaches(somebody("http")),
        Case::new("the kubeconfig's proxy stands above the environment's")
            .kubeconfig(through(&proxy))
            .environment("HTTPS_PROXY", "http://127.0.0.1:1")
            .reaches(somebody("http")),
    ]
}
