//! The headers that say as whom to act (`k8s.io/client-go` `transport/round_trippers.go`).

use http::{HeaderMap, HeaderName, HeaderValue};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_encode};

use super::IdentityError;
use crate::kubeconfig::UserEntry;

/// What must be escaped in the name of an extra field: all but a header's own characters
/// (RFC 9110, section 5.6.2), and the percent sign.
const ESCAPED: AsciiSet = NON_ALPHANUMERIC
    .remove(b'!')
    .remove(b'#')
    .remove(b'$')
    .remove(b'&')
    .remove(b'\'')
    .remove(b'*')
    .remove(b'+')
    .remove(b'-')
    .remove(b'.')
    .remove(b'^')
    .remove(b'_')
    .remove(b'`')
    .remove(b'|')
    .remove(b'~');

pub(crate) fn headers(user: &UserEntry) -> Result<HeaderMap, IdentityError> {
    let mut headers = HeaderMap::new();
    if user.impersonate.is_empty() {
        return Ok(headers);
    }
    headers.append("impersonate-user", value(&user.impersonate)?);
    if !user.as_uid.is_empty() {
        headers.append("impersonate-uid", value(&user.as_uid)?);
    }
    for group in &user.as_groups {
        headers.append("impersonate-group", value(group)?);
    }
    for (key, values) in &user.as_user_extra {
        let name = format!(
            "impersonate-extra-{}",
            percent_encode(key.as_bytes(), &ESCAPED)
        );
        let name = HeaderName::try_from(name).map_err(|_| not_sendable())?;
        for text in values {
            headers.append(name.clone(), value(text)?);
        }
    }
    Ok(headers)
}

fn value(text: &str) -> Result<HeaderValue, IdentityError> {
    HeaderValue::from_str(text).map_err(|_| not_sendable())
}

fn not_sendable() -> IdentityError {
    IdentityError::NotSendable("name to impersonate")
}
