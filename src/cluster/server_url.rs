//! Reads a server's address as kubectl does (`k8s.io/client-go` `rest/url_utils.go`,
//! `DefaultServerURL`).

use http::Uri;

/// The URL of a server; without a scheme it is plain HTTP, as it is to kubectl.
pub(super) fn parse(server: &str) -> Option<Uri> {
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
    let uri: Uri = whole[..end].parse().ok()?;
    let is_http = matches!(uri.scheme_str(), Some("http" | "https"));
    (is_http && uri.host().is_some_and(|host| !host.is_empty())).then_some(uri)
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
            ("https://", None),
            ("", None),
        ] {
            let parsed = parse(given).map(|uri| uri.to_string());
            assert_eq!(parsed.as_deref(), expected, "{given}");
        }
    }
}
