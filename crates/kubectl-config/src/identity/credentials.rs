//! What proves an identity to the API server.

use std::fmt;

use http::HeaderValue;
use jiff::Timestamp;

use crate::secret::Secret;

/// A header, a client certificate, both, or nothing.
#[derive(Default)]
pub(crate) struct Credentials {
    pub(crate) authorization: Option<HeaderValue>,
    pub(crate) certificate: Option<ClientCertificate>,
    pub(crate) expires: Option<Timestamp>,
}

/// A client certificate and its key, as PEM.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct ClientCertificate {
    pub(crate) certificate: Vec<u8>,
    pub(crate) key: Secret,
}

impl Credentials {
    pub(crate) fn header(authorization: HeaderValue) -> Self {
        Self {
            authorization: Some(authorization),
            ..Self::default()
        }
    }

    /// Whether whoever rejects these rejects the others too.
    pub(crate) fn proves_the_same_as(&self, other: &Self) -> bool {
        self.authorization == other.authorization && self.certificate == other.certificate
    }

    pub(crate) fn has_expired(&self) -> bool {
        self.expires
            .is_some_and(|expires| Timestamp::now() > expires)
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Credentials")
            .field("authorization", &self.authorization.is_some())
            .field("certificate", &self.certificate.is_some())
            .field("expires", &self.expires)
            .finish()
    }
}

impl fmt::Debug for ClientCertificate {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("<client certificate>")
    }
}
