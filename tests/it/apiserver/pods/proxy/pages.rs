//! The API server rewrites HTML on its way (apimachinery, pkg/util/proxy/transport.go, `rewriteResponse`): it takes the
//! page apart and prints it again, so that even a text without any link can differ from what the pod sent.

use http::{HeaderMap, header};

/// Whether an answer is one that gets rewritten.
pub(super) fn is_page(headers: &HeaderMap) -> bool {
    let value = headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok());
    let kind = value.unwrap_or_default().split(';').next();
    kind.unwrap_or_default().trim() == "text/html"
}

/// The page as it is printed again. Links stay as they are here: no test has any.
pub(super) fn rewritten(page: &[u8]) -> Vec<u8> {
    let mut printed = Vec::with_capacity(page.len());
    let mut is_tag = false;
    for &byte in page {
        is_tag |= byte == b'<';
        let escaped: &[u8] = match byte {
            _ if is_tag => &[byte],
            b'\'' => b"&#39;",
            b'"' => b"&#34;",
            b'>' => b"&gt;",
            b'\r' => b"&#13;",
            other => &[other],
        };
        printed.extend_from_slice(escaped);
        is_tag &= byte != b'>';
    }
    printed
}
