//! Builds the connection that every request of a run shares.

use jiff::Timestamp;
use kube::Client;
use kubectl_config::{Connection, ConnectionError, IdentityError, KubeconfigError, Settings};

use super::error::ClusterError;
use super::hint;
use super::request::jitter::Jitter;
use super::request::sender::{Sender, TimeLimits};
use crate::emitter::Emitter;

/// A cluster that can be talked to.
#[derive(Clone)]
pub struct Cluster {
    pub(crate) sender: Sender,
    context: Option<String>,
    skips_verification: bool,
    default_namespace: String,
}

impl Cluster {
    /// Loads the kubeconfig, logs in and prepares the connection; nothing is sent to the API server
    /// yet.
    ///
    /// # Errors
    /// [`ClusterError::Configuration`] when there is no usable kubeconfig,
    /// [`ClusterError::Credentials`] when they cannot be had.
    pub async fn connect(
        settings: &Settings,
        limits: TimeLimits,
        emitter: Emitter,
    ) -> Result<Self, ClusterError> {
        let connection = Connection::open(settings).await?;
        let client = connection.client();
        let server = connection.server.to_string();
        Ok(Self {
            sender: Sender::new(
                client,
                Some(connection.transport),
                server.trim_end_matches('/'),
                limits,
                emitter,
                Jitter::random(),
            ),
            context: connection.context,
            skips_verification: connection.skips_verification,
            default_namespace: connection.namespace,
        })
    }

    /// A cluster behind a client that somebody else has built, on any service; what happens is the
    /// same in every run.
    #[must_use]
    pub fn over(client: Client, server: &str, limits: TimeLimits, emitter: Emitter) -> Self {
        let default_namespace = client.default_namespace().to_owned();
        let sender = Sender::new(client, None, server, limits, emitter, Jitter::fixed());
        Self {
            sender,
            context: None,
            skips_verification: false,
            default_namespace,
        }
    }

    /// The API server's URL.
    #[must_use]
    pub fn server(&self) -> &str {
        self.sender.server()
    }

    /// The time now by the API server's clock, which the times of its objects are read by; what it
    /// answered last decides.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.sender.now()
    }

    /// Pauses before a write that names a version is repeated for a later one, the longer the more often that
    /// has failed.
    pub(crate) async fn let_others_write(&self, failures: u32) {
        tokio::time::sleep(self.sender.pause_after(failures)).await;
    }

    /// Whether the API server is known to be silent now, so that what was last seen may be old.
    #[must_use]
    pub fn is_unresponsive(&self) -> bool {
        self.sender.health().is_unresponsive()
    }

    /// The kubeconfig's context, unless this runs inside a cluster.
    #[must_use]
    pub fn context(&self) -> Option<&str> {
        self.context.as_deref()
    }

    /// Whether the API server's certificate is not checked (`insecure-skip-tls-verify`).
    #[must_use]
    pub fn skips_verification(&self) -> bool {
        self.skips_verification
    }

    /// The namespace of the kubeconfig's context, or `default`.
    #[must_use]
    pub fn default_namespace(&self) -> &str {
        &self.default_namespace
    }
}

/// A GET of a path that is known to be valid.
pub(crate) fn get(path: &str) -> http::Request<Vec<u8>> {
    let mut request = http::Request::new(Vec::new());
    if let Ok(uri) = path.parse() {
        *request.uri_mut() = uri;
    }
    request
}

impl From<ConnectionError> for ClusterError {
    fn from(error: ConnectionError) -> Self {
        match error {
            ConnectionError::Kubeconfig(error) => error.into(),
            ConnectionError::Identity(error) => error.into(),
        }
    }
}

impl From<KubeconfigError> for ClusterError {
    fn from(error: KubeconfigError) -> Self {
        Self::Configuration {
            hint: hint::of_kubeconfig(&error),
            reason: match std::error::Error::source(&error) {
                Some(source) => format!("{error}: {source}"),
                None => error.to_string(),
            },
        }
    }
}

impl From<IdentityError> for ClusterError {
    fn from(error: IdentityError) -> Self {
        Self::Credentials {
            hint: hint::of_identity(&error),
            source: Box::new(error),
        }
    }
}
