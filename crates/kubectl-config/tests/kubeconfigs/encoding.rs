//! Base64 in the two alphabets of RFC 4648.

const STANDARD: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// With padding, as kubeconfigs and HTTP credentials have it.
pub(crate) fn base64(bytes: impl AsRef<[u8]>) -> String {
    let mut text = String::new();
    for chunk in bytes.as_ref().chunks(3) {
        let mut bits = 0_usize;
        for position in 0..3 {
            bits = bits << 8 | usize::from(chunk.get(position).copied().unwrap_or(0));
        }
        for position in 0..4 {
            if position <= chunk.len() {
                let index = bits >> (18 - 6 * position) & 63;
                text.push(char::from(STANDARD[index]));
            } else {
                text.push('=');
            }
        }
    }
    text
}

/// For URLs and without padding, as JSON Web Tokens have it.
pub(crate) fn base64_url(bytes: impl AsRef<[u8]>) -> String {
    base64(bytes)
        .replace('+', "-")
        .replace('/', "_")
        .replace('=', "")
}

/// A JSON Web Token that ends at a time, in seconds since 1970, with a signature that nobody checks.
pub(crate) fn web_token(expires: i64) -> String {
    let header = base64_url(r#"{"alg":"RS256","typ":"JWT"}"#);
    let payload = base64_url(format!(r#"{{"sub":"olga","exp":{expires}}}"#));
    format!("{header}.{payload}.s3cret")
}
