//! From settings to a connection that requests can be sent over.

use http::Uri;
use kube::client::{ClientBuilder, ConfigExt};
use kube::{Client, Config};
use thiserror::Error;
use tower::ServiceBuilder;

use crate::identity::{Identity, IdentityError};
use crate::kubeconfig::{self, KubeconfigError, Resolved};
use crate::server_url;
use crate::settings::Settings;
use crate::transport::{Route, Transport};

/// Why there is no connection; nothing was sent to the API server.
#[derive(Debug, Error)]
pub enum ConnectionError {
    /// No kubeconfig, no such context, or one that cannot be used.
    #[error(transparent)]
    Kubeconfig(#[from] KubeconfigError),
    /// The credentials that it names cannot be had.
    #[error(transparent)]
    Identity(#[from] IdentityError),
}

/// The way to one API server, as one identity; clones share it.
#[derive(Clone)]
pub struct Connection {
    /// The API server's URL, without any credentials.
    pub server: Uri,
    /// The name of the kubeconfig's context; `None` inside a cluster, or when flags name everything.
    pub context: Option<String>,
    /// The namespace of the context, or `default`.
    pub namespace: String,
    /// Whether the API server's certificate is not checked (`insecure-skip-tls-verify`).
    pub skips_verification: bool,
    /// What carries requests there.
    pub transport: Transport,
}

impl Connection {
    /// Loads the kubeconfig, logs in and prepares the connection; nothing is sent to the API server
    /// yet.
    ///
    /// # Errors
    /// [`ConnectionError`].
    pub async fn open(settings: &Settings) -> Result<Self, ConnectionError> {
        let resolved = resolve(settings).await?;
        let address = server_url::parse(&resolved.cluster.server).ok_or_else(|| {
            KubeconfigError::Unusable(format!(
                "the server `{}` is neither a URL nor a host with a port",
                without_login(&resolved.cluster.server)
            ))
        })?;
        let identity = Identity::new(&resolved, settings, &address)?;
        let is_encrypted = address.is_encrypted();
        let proxy_url = &resolved.cluster.proxy_url;
        let route = Route::to(&address.url, proxy_url, &settings.environment)
            .map_err(KubeconfigError::Unusable)?;
        let transport = Transport::new(&resolved, identity, route, settings)?;
        transport.log_in().await?;
        Ok(Self {
            server: address.url,
            context: resolved.context,
            namespace: resolved.namespace,
            skips_verification: is_encrypted && resolved.cluster.insecure_skip_tls_verify,
            transport,
        })
    }

    /// A client that sends its requests over this connection, each once.
    #[must_use]
    pub fn client(&self) -> Client {
        let service = ServiceBuilder::new()
            .layer(Config::new(self.server.clone()).base_uri_layer())
            .service(self.transport.clone());
        ClientBuilder::new(service, &self.namespace).build()
    }
}

/// Reads the kubeconfig on a thread of its own: it may be a pipe that never ends, and the caller's other
/// work and the time are to go on meanwhile.
async fn resolve(settings: &Settings) -> Result<Resolved, KubeconfigError> {
    let time = settings.login_time;
    let settings = settings.clone();
    let reading = tokio::task::spawn_blocking(move || kubeconfig::load(&settings));
    match tokio::time::timeout(time, reading).await {
        Ok(Ok(resolved)) => resolved,
        Ok(Err(panic)) => std::panic::resume_unwind(panic.into_panic()),
        Err(_) => Err(KubeconfigError::Endless(time)),
    }
}

/// What can be shown of an address that cannot be read.
fn without_login(server: &str) -> &str {
    server.rsplit_once('@').map_or(server, |(_, host)| host)
}
