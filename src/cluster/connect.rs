//! Builds the connection that every request of a run shares.

use std::time::Duration;

use http::{HeaderName, HeaderValue, header};
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use kube::client::{Body, ClientBuilder, ConfigExt};
use kube::{Client, Config};
use tower::{BoxError, ServiceBuilder};

use super::connection::{ConnectionSettings, TimeLimits};
use super::error::ClusterError;
use super::kubeconfig;
use super::link::Link;
use super::sender::Sender;
use crate::event::Emitter;

/// A cluster that can be talked to.
#[derive(Clone)]
pub struct Cluster {
    pub(super) sender: Sender,
    context: Option<String>,
    default_namespace: String,
}

impl Cluster {
    /// Loads the kubeconfig and prepares the connection; nothing is sent yet.
    ///
    /// # Errors
    /// [`ClusterError::Configuration`] when there is no usable kubeconfig.
    pub async fn connect(
        settings: &ConnectionSettings,
        emitter: Emitter,
    ) -> Result<Self, ClusterError> {
        let kubeconfig::Loaded {
            mut config,
            context,
        } = kubeconfig::load(settings).await?;
        config.default_retry = false;
        config.connect_timeout = Some(settings.limits.request.min(Duration::from_secs(10)));
        if let Some(user) = &settings.impersonate_user {
            config.auth_info.impersonate = Some(user.clone());
        }
        if !settings.impersonate_groups.is_empty() {
            config.auth_info.impersonate_groups = Some(settings.impersonate_groups.clone());
        }
        if let Ok(value) = HeaderValue::from_str(&settings.user_agent) {
            let name: HeaderName = header::USER_AGENT;
            config.headers.push((name, value));
        }
        let server = config
            .cluster_url
            .to_string()
            .trim_end_matches('/')
            .to_owned();
        let client = client(config).map_err(|_| ClusterError::Configuration {
            reason: "the kubeconfig's certificates, credentials or proxy cannot be used".to_owned(),
            hint: "compare with `kubectl config view --minify`".to_owned(),
        })?;
        let mut cluster = Self::over(client, &server, settings.limits, emitter);
        cluster.context = context;
        Ok(cluster)
    }

    /// A cluster behind a client that somebody else has built, on any service.
    #[must_use]
    pub fn over(client: Client, server: &str, limits: TimeLimits, emitter: Emitter) -> Self {
        let default_namespace = client.default_namespace().to_owned();
        let sender = Sender::new(client, server, limits, Link::new(emitter));
        Self {
            sender,
            context: None,
            default_namespace,
        }
    }

    /// The API server's URL.
    #[must_use]
    pub fn server(&self) -> &str {
        self.sender.server()
    }

    /// The kubeconfig's context, unless this runs inside a cluster.
    #[must_use]
    pub fn context(&self) -> Option<&str> {
        self.context.as_deref()
    }

    /// The namespace of the kubeconfig's context, or `default`.
    #[must_use]
    pub fn default_namespace(&self) -> &str {
        &self.default_namespace
    }
}

/// A GET of a path that is known to be valid.
pub(super) fn get(path: &str) -> http::Request<Vec<u8>> {
    let mut request = http::Request::new(Vec::new());
    if let Ok(uri) = path.parse() {
        *request.uri_mut() = uri;
    }
    request
}

/// The default stack without its retries, and without Nagle's algorithm: small writes on a warm
/// connection would otherwise wait 40 ms for the peer's delayed acknowledgement.
fn client(config: Config) -> Result<Client, kube::Error> {
    if config.proxy_url.is_some() {
        return Ok(ClientBuilder::try_from(config)?.build());
    }
    let mut connector = HttpConnector::new();
    connector.enforce_http(false);
    connector.set_nodelay(true);
    connector.set_connect_timeout(config.connect_timeout);
    let connector = config.rustls_https_connector_with_connector(connector)?;
    let transport: hyper_util::client::legacy::Client<_, Body> =
        hyper_util::client::legacy::Client::builder(TokioExecutor::new()).build(connector);
    let service = ServiceBuilder::new()
        .layer(config.base_uri_layer())
        .option_layer(config.auth_layer()?)
        .layer(config.extra_headers_layer()?)
        .map_err(BoxError::from)
        .service(transport);
    Ok(ClientBuilder::new(service, config.default_namespace.clone()).build())
}
