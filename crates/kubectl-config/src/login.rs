//! A user name with its password, as it stands in URLs and goes into headers.

use http::HeaderValue;
use http::header::InvalidHeaderValue;

use crate::secret::{self, Secret};

/// A user name and a password.
pub(crate) struct Login {
    pub(crate) user: String,
    pub(crate) password: Secret,
}

impl Login {
    /// The login before a URL's host, if there is one, and the host with its port.
    pub(crate) fn split(authority: &str) -> (Option<Self>, &str) {
        let Some((login, host)) = authority.rsplit_once('@') else {
            return (None, authority);
        };
        let (user, password) = login.split_once(':').unwrap_or((login, ""));
        let login = Self {
            user: decoded(user),
            password: Secret::new(decoded(password)),
        };
        (Some(login), host)
    }

    /// The value of an `Authorization` or `Proxy-Authorization` header (RFC 7617).
    pub(crate) fn basic(&self) -> Result<HeaderValue, InvalidHeaderValue> {
        use base64::Engine;
        let pair = format!("{}:{}", self.user, self.password.expose());
        secret::is_sent(&pair);
        let pair = base64::engine::general_purpose::STANDARD.encode(pair);
        secret::is_sent(&pair);
        secret::is_sent(self.password.expose());
        let mut value = HeaderValue::from_str(&format!("Basic {pair}"))?;
        value.set_sensitive(true);
        Ok(value)
    }
}

fn decoded(text: &str) -> String {
    percent_encoding::percent_decode_str(text)
        .decode_utf8_lossy()
        .into_owned()
}
