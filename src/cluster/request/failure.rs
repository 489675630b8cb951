//! Translates the failures of the HTTP and TLS libraries, and only those, into [`ClusterError`].

use std::error::Error;

use super::super::connection::identity::IdentityError;
use super::super::connection::transport::ProxyError;
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

/// Whether a connection could not even be made.
pub(crate) fn was_connecting(error: &(dyn Error + 'static)) -> bool {
    find::<hyper_util::client::legacy::Error>(error)
        .is_some_and(hyper_util::client::legacy::Error::is_connect)
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

/// The first error of type `E` in a chain, inside I/O errors too: those name not the error that they
/// carry as their source, but that error's source.
pub(crate) fn find<'a, E: Error + 'static>(error: &'a (dyn Error + 'static)) -> Option<&'a E> {
    let mut current = Some(error);
    while let Some(error) = current {
        if let Some(found) = error.downcast_ref::<E>() {
            return Some(found);
        }
        current = match error
            .downcast_ref::<std::io::Error>()
            .and_then(std::io::Error::get_ref)
        {
            Some(carried) => Some(carried),
            None => error.source(),
        };
    }
    None
}

/// The text of the last error in a chain: the layers above it only say "error sending request".
pub(crate) fn innermost(error: &(dyn Error + 'static)) -> Box<dyn Error + Send + Sync> {
    let mut last = error;
    while let Some(source) = last.source() {
        last = source;
    }
    last.to_string().into()
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    #[test]
    fn an_untrusted_certificate_is_found_however_deep_it_is_wrapped() {
        let tls = rustls::Error::InvalidCertificate(rustls::CertificateError::UnknownIssuer);
        let wrapped = io::Error::other(io::Error::new(io::ErrorKind::InvalidData, tls));
        let error = kube::Error::Service(Box::new(wrapped));
        assert!(find::<rustls::Error>(&error).is_some());
    }

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
