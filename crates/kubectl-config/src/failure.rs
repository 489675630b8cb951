//! What is behind an error of a request: libraries wrap it in others that say nothing of it.

use std::error::Error;

/// Whether a connection could not even be made.
#[must_use]
pub fn was_connecting(error: &(dyn Error + 'static)) -> bool {
    find::<hyper_util::client::legacy::Error>(error)
        .is_some_and(hyper_util::client::legacy::Error::is_connect)
}

/// The first error of type `E` in a chain, inside I/O errors too: those name not the error that they
/// carry as their source, but that error's source.
#[must_use]
pub fn find<'a, E: Error + 'static>(error: &'a (dyn Error + 'static)) -> Option<&'a E> {
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
#[must_use]
pub fn innermost(error: &(dyn Error + 'static)) -> Box<dyn Error + Send + Sync> {
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
}
