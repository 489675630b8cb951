//! Reads a server's address as kubectl does (`k8s.io/client-go` `rest/url_utils.go`,
//! `DefaultServerURL`).

use http::Uri;

use super::login::Login;

/// Where an API server is.
pub(crate) struct Address {
    /// Its URL, without any credentials.
    pub(crate) url: Uri,
    /// The user name and password that its URL carried.
    pub(crate) login: Option<Login>,
}

impl Address {
    /// Whether what is sent there is encrypted.
    pub(crate) fn is_encrypted(&self) -> bool {
        self.url.scheme_str() == Some("https")
    }
}

/// The address of a server; without a scheme it is plain HTTP, as it is to kubectl.
pub(crate) fn parse(server: &str) -> Option<Address> {
    let whole = if server.contains("://") {
        server.to_owned()
    } else {
        // A host and a port, and nothing behind them.
        let (_, path) = server.split_once('/').unwrap_or((server, ""));
        if !path.is_empty() {
            return None;
        }
        format!("http://{server}")
    };
    // What stands behind a question mark or a hash sign is dropped.
    let end = whole.find(['?', '#']).unwrap_or(whole.len());
    let (scheme, rest) = whole[..end].split_once("://")?;
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let (login, host) = Login::split(authority);
    let mut path = path.to_owned();
    while path.contains("//") {
        path = path.replace("//", "/");
    }
    let url: Uri = format!("{scheme}://{host}{path}").parse().ok()?;
    let is_http = matches!(url.scheme_str(), Some("http" | "https"));
    if !is_http || url.host().is_none_or(str::is_empty) {
        return None;
    }
    Some(Address { url, login })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_of_an_address() {
        for (given, expected) in [
            ("https://a:6443", Some("https://a:6443/")),
            ("https://a/k8s/clusters/x", Some("https://a/k8s/clusters/x")),
            ("https://a/x?b=c#d", Some("https://a/x")),
            ("a:8080", Some("http://a:8080/")),
            ("a", Some("http://a/")),
            ("a/b", None),
            ("ftp://a", None),
            ("https://me:hunter2@a:1/x", Some("https://a:1/x")),
            ("https://a//x//y", Some("https://a/x/y")),
            ("https://", None),
            ("", None),
        ] {
            let parsed = parse(given).map(|address| address.url.to_string());
            assert_eq!(parsed.as_deref(), expected, "{given}");
        }
    }
}
