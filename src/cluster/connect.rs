//! Builds the connection that every request of a run shares.

use http::Uri;
use jiff::Timestamp;
use kube::client::{ClientBuilder, ConfigExt};
use kube::{Client, Config};
use tower::ServiceBuilder;

use super::connection::identity::{Identity, IdentityError};
use super::connection::kubeconfig::{self, KubeconfigError, Resolved};
use super::connection::server_url;
use super::connection::settings::Settings;
use super::connection::transport::{Route, Transport, TransportError};
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
        let resolved = resolve(settings).await?;
        let address = server_url::parse(&resolved.cluster.server).ok_or_else(|| {
            KubeconfigError::Unusable(format!(
                "the server `{}` is neither a URL nor a host with a port",
                without_login(&resolved.cluster.server)
            ))
        })?;
        let identity = Identity::new(&resolved, settings, &address)?;
        let is_encrypted = address.is_encrypted();
        let base = address.url;
        let route = Route::to(&base, &resolved.cluster.proxy_url, &settings.environment)
            .map_err(KubeconfigError::Unusable)?;
        let transport = Transport::new(&resolved, identity, route, settings)?;
        transport.log_in().await?;
        let server = base.to_string().trim_end_matches('/').to_owned();
        let client = client(base, transport.clone(), &resolved.namespace);
        Ok(Self {
            default_namespace: resolved.namespace,
            context: resolved.context,
            skips_verification: is_encrypted && resolved.cluster.insecure_skip_tls_verify,
            sender: Sender::new(
                client,
                Some(transport),
                &server,
                limits,
                emitter,
                Jitter::random(),
            ),
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

/// Reads the kubeconfig on a thread of its own: it may be a pipe that never ends, and Ctrl-C and the
/// time are to be heard meanwhile.
async fn resolve(settings: &Settings) -> Result<Resolved, ClusterError> {
    let time = settings.login_time;
    let settings = settings.clone();
    let reading = tokio::task::spawn_blocking(move || kubeconfig::load(&settings));
    match tokio::time::timeout(time, reading).await {
        Ok(Ok(resolved)) => Ok(resolved?),
        Ok(Err(panic)) => std::panic::resume_unwind(panic.into_panic()),
        Err(_) => Err(KubeconfigError::Endless(time).into()),
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

/// What can be shown of an address that cannot be read.
fn without_login(server: &str) -> &str {
    server.rsplit_once('@').map_or(server, |(_, host)| host)
}

fn client(base: Uri, transport: Transport, namespace: &str) -> Client {
    let service = ServiceBuilder::new()
        .layer(Config::new(base).base_uri_layer())
        .service(transport);
    ClientBuilder::new(service, namespace).build()
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

impl From<TransportError> for ClusterError {
    fn from(error: TransportError) -> Self {
        match error {
            TransportError::Kubeconfig(error) => error.into(),
            TransportError::Trust(error) => KubeconfigError::Unusable(error.to_string()).into(),
        }
    }
}
