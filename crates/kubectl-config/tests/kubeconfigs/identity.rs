//! Who somebody is to the API server, and by which way they came.

/// The proxy that a request came through.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Via {
    /// `http`, `https` or `socks5`.
    pub(crate) kind: &'static str,
    /// What the proxy was asked for: host and port.
    pub(crate) target: String,
    /// `Proxy-Authorization`, or SOCKS' name and password with a colon between.
    pub(crate) credentials: Option<String>,
}

/// Everything in a request that says who sends it, and where to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Identity {
    /// Whether TLS was used.
    pub(crate) encrypted: bool,
    /// The whole header `Authorization`.
    pub(crate) authorization: Option<String>,
    /// All headers `Impersonate-*`, without that part of the name, in lower case and in order.
    pub(crate) impersonation: Vec<(String, String)>,
    /// The common name of the client's certificate.
    pub(crate) certificate: Option<String>,
    /// The name of the server that the client named in the handshake (SNI).
    pub(crate) server_name: Option<String>,
    /// The proxy.
    pub(crate) via: Option<Via>,
    /// What stands before `/api` and `/apis` in the path.
    pub(crate) prefix: String,
}

impl Identity {
    /// Nobody, over TLS, directly and to an address.
    pub(crate) fn anonymous() -> Self {
        Self {
            encrypted: true,
            authorization: None,
            impersonation: Vec::new(),
            certificate: None,
            server_name: None,
            via: None,
            prefix: String::new(),
        }
    }

    /// The owner of a token.
    pub(crate) fn bearer(token: &str) -> Self {
        Self::anonymous().authorization(&format!("Bearer {token}"))
    }

    /// The owner of a password.
    pub(crate) fn basic(user: &str, password: &str) -> Self {
        let credentials = super::encoding::base64(format!("{user}:{password}"));
        Self::anonymous().authorization(&format!("Basic {credentials}"))
    }

    /// The owner of a certificate.
    pub(crate) fn certificate(name: &str) -> Self {
        Self::anonymous().with_certificate(name)
    }

    /// The whole header `Authorization`.
    pub(crate) fn authorization(mut self, value: &str) -> Self {
        self.authorization = Some(value.to_owned());
        self
    }

    /// A client certificate in addition.
    pub(crate) fn with_certificate(mut self, name: &str) -> Self {
        self.certificate = Some(name.to_owned());
        self
    }

    /// One header `Impersonate-<name>`.
    pub(crate) fn impersonates(mut self, name: &str, value: &str) -> Self {
        self.impersonation
            .push((name.to_lowercase(), value.to_owned()));
        self.impersonation.sort();
        self
    }

    /// Without TLS.
    pub(crate) fn plain(mut self) -> Self {
        self.encrypted = false;
        self
    }

    /// The server's name in the handshake.
    pub(crate) fn server_name(mut self, name: &str) -> Self {
        self.server_name = Some(name.to_owned());
        self
    }

    /// Through a proxy.
    pub(crate) fn via(mut self, kind: &'static str, target: &str) -> Self {
        self.via = Some(Via {
            kind,
            target: target.to_owned(),
            credentials: None,
        });
        self
    }

    /// What the proxy is told about the client.
    pub(crate) fn proxy_credentials(mut self, credentials: &str) -> Self {
        let via = self.via.as_mut().unwrap();
        via.credentials = Some(credentials.to_owned());
        self
    }

    /// The path before `/api`.
    pub(crate) fn prefix(mut self, prefix: &str) -> Self {
        prefix.clone_into(&mut self.prefix);
        self
    }

    /// With another text in the place of the proxy's target.
    pub(crate) fn map(&self, change: impl Fn(&str) -> String) -> Self {
        let mut identity = self.clone();
        if let Some(via) = &mut identity.via {
            via.target = change(&via.target);
        }
        identity
    }
}
