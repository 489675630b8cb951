//! HTTP requests to the instance's own components, as its administrator.

use std::time::Duration;

use serde_json::Value;
use ureq::Agent;
use ureq::tls::{Certificate, ClientCert, PrivateKey, RootCerts, TlsConfig};

use crate::certificates::{ADMINISTRATOR, AUTHORITY};
use crate::files::{self, FileError};
use crate::instance::Instance;

/// A component gave no answer, or not the expected one.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ApiError {
    /// A certificate could not be read.
    #[error(transparent)]
    File(#[from] FileError),
    /// A certificate was damaged.
    #[error("the administrator's certificate is damaged")]
    Certificate(#[source] ureq::Error),
    /// No answer arrived.
    #[error("no answer from `{url}`")]
    NoAnswer { url: String, source: ureq::Error },
    /// The component refused the request.
    #[error("`{url}` answered {status}: {message}")]
    Refused {
        url: String,
        status: u16,
        message: String,
    },
}

/// Sends requests to the components of one instance.
#[derive(Debug)]
pub(crate) struct Api {
    agent: Agent,
}

impl Api {
    /// Reads the administrator's certificate.
    ///
    /// # Errors
    /// When it cannot be read.
    pub(crate) fn new(instance: &Instance) -> Result<Self, ApiError> {
        let read = |name: &str| files::read(&instance.certificate_file(name));
        let parse = |name: &str| -> Result<Certificate<'static>, ApiError> {
            Certificate::from_pem(read(name)?.as_bytes()).map_err(ApiError::Certificate)
        };
        let key = PrivateKey::from_pem(read(&format!("{ADMINISTRATOR}.key"))?.as_bytes())
            .map_err(ApiError::Certificate)?;
        let own = parse(&format!("{ADMINISTRATOR}.crt"))?;
        let tls = TlsConfig::builder()
            .root_certs(RootCerts::new_with_certs(&[parse(AUTHORITY)?]))
            .client_cert(Some(ClientCert::new_with_certs(&[own], key)))
            .build();
        let agent = Agent::config_builder()
            .tls_config(tls)
            .proxy(None)
            .http_status_as_error(false)
            .timeout_global(Some(Duration::from_secs(2)))
            // A restarted component has closed its old connections.
            .max_idle_connections(0)
            .build()
            .new_agent();
        Ok(Self { agent })
    }

    /// Whether the address answers 200.
    pub(crate) fn answers(&self, url: &str) -> bool {
        self.agent
            .get(url)
            .call()
            .is_ok_and(|response| response.status() == 200)
    }

    /// The JSON at the address, or `None` if it does not exist.
    ///
    /// # Errors
    /// When there is no answer, or it is neither 200 nor 404.
    pub(crate) fn get(&self, url: &str) -> Result<Option<Value>, ApiError> {
        match Self::read(url, self.agent.get(url).call()) {
            Ok(value) => Ok(Some(value)),
            Err(ApiError::Refused { status: 404, .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Server-side applies an object.
    ///
    /// # Errors
    /// When there is no answer or the API server refuses.
    pub(crate) fn apply(&self, url: &str, object: &Value) -> Result<(), ApiError> {
        let address = format!("{url}?fieldManager=cryptoctl-sandbox&force=true");
        let request = self
            .agent
            .patch(address)
            .content_type("application/apply-patch+yaml");
        Self::read(url, request.send(object.to_string())).map(drop)
    }

    /// Deletes an object; a missing one counts as deleted.
    ///
    /// # Errors
    /// When there is no answer or the API server refuses.
    pub(crate) fn delete(&self, url: &str) -> Result<(), ApiError> {
        match Self::read(url, self.agent.delete(url).call()) {
            Err(ApiError::Refused { status: 404, .. }) => Ok(()),
            other => other.map(drop),
        }
    }

    fn read(
        url: &str,
        answer: Result<ureq::http::Response<ureq::Body>, ureq::Error>,
    ) -> Result<Value, ApiError> {
        let no_answer = |source| ApiError::NoAnswer {
            url: url.to_owned(),
            source,
        };
        let mut response = answer.map_err(no_answer)?;
        let status = response.status();
        let text = response.body_mut().read_to_string().map_err(no_answer)?;
        let value: Value = serde_json::from_str(&text).unwrap_or_default();
        if status.is_success() {
            return Ok(value);
        }
        let message = value["message"].as_str().unwrap_or(&text).to_owned();
        Err(ApiError::Refused {
            url: url.to_owned(),
            status: status.as_u16(),
            message,
        })
    }
}
