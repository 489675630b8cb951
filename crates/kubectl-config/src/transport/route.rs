//! The way to a server: straight, or through a proxy, as Go's HTTP client decides it
//! (`golang.org/x/net/http/httpproxy`), which kubectl uses.

use std::fmt;
use std::net::IpAddr;

use http::{HeaderValue, Uri};

use super::no_proxy;
use crate::login::Login;
use crate::settings::Environment;

/// How a connection is made.
pub(crate) enum Route {
    Direct,
    /// `CONNECT` to an HTTP proxy, itself reached with or without TLS.
    Tunnel {
        proxy: Uri,
        authorization: Option<HeaderValue>,
    },
    Socks {
        proxy: Uri,
        login: Option<Login>,
    },
    /// Whole URLs to an HTTP proxy: for a server without TLS.
    Forward {
        proxy: Uri,
        authorization: Option<HeaderValue>,
    },
}

impl fmt::Debug for Route {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Direct => "direct",
            Self::Tunnel { .. } => "tunnel",
            Self::Socks { .. } => "socks",
            Self::Forward { .. } => "forward",
        })
    }
}

impl Route {
    /// The way to a server, by the kubeconfig's `proxy-url` or else by the environment.
    ///
    /// The error is a sentence about what is wrong; it never shows a password.
    pub(crate) fn to(
        server: &Uri,
        proxy_url: &str,
        environment: &Environment,
    ) -> Result<Self, String> {
        let route = if !proxy_url.is_empty() {
            Self::through("`proxy-url`", proxy_url, &["http", "https", "socks5"])?
        } else if let Some((variable, proxy)) = proxy_of_environment(server, environment) {
            let schemes = ["http", "https", "socks5", "socks5h"];
            Self::through(&format!("`{variable}`"), &proxy, &schemes)?
        } else {
            Self::Direct
        };
        Ok(match route {
            Self::Tunnel {
                proxy,
                authorization,
            } if server.scheme_str() == Some("http") => Self::Forward {
                proxy,
                authorization,
            },
            other => other,
        })
    }

    /// The proxy's address, without credentials.
    pub(crate) fn proxy(&self) -> Option<&Uri> {
        match self {
            Self::Direct => None,
            Self::Tunnel { proxy, .. }
            | Self::Socks { proxy, .. }
            | Self::Forward { proxy, .. } => Some(proxy),
        }
    }

    fn through(what: &str, url: &str, schemes: &[&str]) -> Result<Self, String> {
        let given: Uri = url.parse().map_err(|_| format!("{what} is no URL"))?;
        let scheme = given.scheme_str().unwrap_or_default().to_lowercase();
        if !schemes.contains(&scheme.as_str()) {
            return Err(format!(
                "{what} has the scheme `{scheme}` instead of `http`, `https` or `socks5`"
            ));
        }
        let authority = given
            .authority()
            .map(ToString::to_string)
            .unwrap_or_default();
        let (login, address) = Login::split(&authority);
        let has_port = address
            .rsplit_once(':')
            .is_some_and(|(_, port)| port.parse::<u16>().is_ok());
        let port = match (has_port, scheme.as_str()) {
            (true, _) => "",
            (false, "http") => ":80",
            (false, "https") => ":443",
            (false, _) => ":1080",
        };
        let proxy = format!("{scheme}://{address}{port}/")
            .parse()
            .map_err(|_| format!("{what} names no host"))?;
        if scheme.starts_with("socks5") {
            return Ok(Self::Socks { proxy, login });
        }
        let authorization = login.map(|login| login.basic()).transpose();
        let authorization =
            authorization.map_err(|_| format!("{what} has a password that cannot be sent"))?;
        Ok(Self::Tunnel {
            proxy,
            authorization,
        })
    }
}

/// The variable and the proxy that it names for a server; never one for this very machine.
fn proxy_of_environment(server: &Uri, environment: &Environment) -> Option<(&'static str, String)> {
    let host = server.host()?.trim_matches(['[', ']']);
    let is_local = host == "localhost"
        || host
            .parse::<IpAddr>()
            .is_ok_and(|address| address.is_loopback());
    if is_local {
        return None;
    }
    let (variable, proxy) = match server.scheme_str() {
        Some("https") => ("HTTPS_PROXY", &environment.https_proxy),
        _ => ("HTTP_PROXY", &environment.http_proxy),
    };
    let proxy = proxy.clone().filter(|proxy| !proxy.is_empty())?;
    let default = if variable == "HTTPS_PROXY" { 443 } else { 80 };
    let port = server.port_u16().unwrap_or(default);
    let no_proxy = environment.no_proxy.as_deref().unwrap_or_default();
    if no_proxy::excepts(no_proxy, host, port) {
        return None;
    }
    let has_scheme = proxy.contains("://");
    let url = if has_scheme {
        proxy
    } else {
        format!("http://{proxy}")
    };
    Some((variable, url))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_machine_is_reached_without_a_proxy() {
        let environment = Environment {
            https_proxy: Some("proxy.example:3128".to_owned()),
            ..Environment::default()
        };
        for (server, expected) in [
            ("https://cluster.example:6443", true),
            ("https://127.0.0.1:6443", false),
            ("https://[::1]:6443", false),
            ("https://localhost:6443", false),
            ("http://cluster.example:6443", false),
        ] {
            let found = proxy_of_environment(&server.parse().unwrap(), &environment);
            assert_eq!(found.is_some(), expected, "{server}");
        }
    }

    #[test]
    fn credentials_are_taken_out_of_the_address() {
        let route =
            Route::through("`proxy-url`", "http://me:p%40ss@proxy.example", &["http"]).unwrap();
        let Route::Tunnel {
            proxy,
            authorization,
        } = route
        else {
            panic!("{route:?}");
        };
        assert_eq!(proxy, "http://proxy.example:80/");
        assert_eq!(authorization.unwrap(), "Basic bWU6cEBzcw==");
    }
}
