//! Translates the failures of the HTTP and TLS libraries, and only those, into [`ClusterError`].

use kubectl_config::failure::{find, innermost, was_connecting};
use kubectl_config::{IdentityError, ProxyError};

use super::super::error::ClusterError;

/// Translates what the client returns when no usable answer came.
pub(crate) fn translate(server: &str, error: kube::Error) -> ClusterError {
    let error = match error {
        kube::Error::Api(status) => {
            let code = http::StatusCode::from_u16(status.code)
                .unwrap_or(http::StatusCode::INTERNAL_SERVER_ERROR);
            return ClusterError::from_status(server, code, None, *status);
        }
        other => other,
    };
    if let Some(reason) = find::<IdentityError>(&error) {
        return reason.clone().into();
    }
    let not_sent = was_connecting(&error);
    // Once connected, a broken record says nothing of certificates, and the request may be on its way.
    if let Some(reason) = find::<rustls::Error>(&error).filter(|_| not_sent) {
        return ClusterError::Certificate {
            server: server.to_owned(),
            reason: reason.to_string(),
        };
    }
    let server = server.to_owned();
    let source = match find::<ProxyError>(&error) {
        Some(proxied) => proxied.to_string().into(),
        None => innermost(&error),
    };
    if not_sent {
        ClusterError::Unreachable { server, source }
    } else {
        ClusterError::AnswerLost { server, source }
    }
}

/// Where a decoder stopped, without the text around it, which may be a Secret's.
pub(crate) fn position(error: &serde_json::Error) -> String {
    format!(
        "{:?} error at line {}, column {}",
        error.classify(),
        error.line(),
        error.column()
    )
    .to_lowercase()
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    #[test]
    fn a_broken_record_after_the_connection_was_made_is_a_lost_answer() {
        let tls = rustls::Error::DecryptError;
        let error = kube::Error::Service(Box::new(io::Error::other(tls)));
        let translated = translate("https://server", error);
        assert!(
            matches!(translated, ClusterError::AnswerLost { .. }),
            "{translated:?}"
        );
    }
}
