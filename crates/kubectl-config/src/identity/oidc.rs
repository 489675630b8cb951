//! A login at an OpenID Connect provider, renewed by its refresh token
//! (`k8s.io/client-go` `plugin/pkg/client/auth/oidc/oidc.go`).

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::Duration;

use base64::Engine;
use http::{Request, Uri, header};
use http_body_util::{BodyExt, Full, Limited};
use jiff::Timestamp;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::{Credentials, IdentityError, bearer};
use crate::kubeconfig::{AuthProvider, Resolved, credential_file, store_tokens};
use crate::secret::Secret;
use crate::settings::{Environment, Settings};
use crate::transport::{Route, Trust, http_client};

/// A token that expires sooner than this is as good as expired (`oidc.go`, `expiryDelta`).
const LEEWAY: Duration = Duration::from_secs(10);
const REMOVED: &str = "Kubernetes removed it in 1.26";
const PLUGIN: &str = "a credential plugin of the provider";
const TIME_LIMIT: Duration = Duration::from_secs(30);
/// What a form leaves as it is (WHATWG URL, `application/x-www-form-urlencoded`).
const FORM: percent_encoding::AsciiSet = percent_encoding::NON_ALPHANUMERIC
    .remove(b'*')
    .remove(b'-')
    .remove(b'.')
    .remove(b'_');
const LARGEST_ANSWER: usize = 1024 * 1024;

/// An OIDC login of the kubeconfig.
pub(crate) struct Oidc {
    config: Mutex<BTreeMap<String, Secret>>,
    kubeconfig: PathBuf,
    user: String,
    environment: Environment,
    before_read: fn() -> io::Result<()>,
}

#[derive(Deserialize)]
struct Claims {
    exp: f64,
}

#[derive(Deserialize)]
struct Discovery {
    token_endpoint: String,
}

#[derive(Deserialize)]
struct Tokens {
    id_token: Option<Secret>,
    refresh_token: Option<Secret>,
}

impl Oidc {
    pub(crate) fn new(
        provider: &AuthProvider,
        resolved: &Resolved,
        settings: &Settings,
    ) -> Result<Self, IdentityError> {
        let refuse = |reason, instead| {
            Err(IdentityError::Provider {
                name: provider.name.clone(),
                reason,
                instead,
            })
        };
        // A command in a kubeconfig that came from elsewhere is somebody else's program.
        if provider.config.contains_key("cmd-path") {
            return refuse(
                "it would run a command (`cmd-path`), in a form that Kubernetes removed in 1.26",
                PLUGIN,
            );
        }
        match provider.name.as_str() {
            "oidc" => {}
            "gcp" => return refuse(REMOVED, "`gke-gcloud-auth-plugin`"),
            "azure" => return refuse(REMOVED, "`kubelogin`"),
            _ => return refuse("there is no such provider", PLUGIN),
        }
        for key in ["idp-issuer-url", "client-id"] {
            if provider.config.get(key).is_none_or(Secret::is_empty) {
                return refuse("it lacks `idp-issuer-url` or `client-id`", PLUGIN);
            }
        }
        Ok(Self {
            config: Mutex::new(provider.config.clone()),
            kubeconfig: resolved.user.origin.clone(),
            user: resolved.user_name.clone(),
            environment: settings.environment.clone(),
            before_read: settings.before_read,
        })
    }

    /// The ID token; another one when the present one has expired or was rejected.
    pub(crate) async fn token(&self, is_rejected: bool) -> Result<Credentials, IdentityError> {
        let present = self.value("id-token");
        if !present.is_empty() {
            let expires = expiry(present.expose())?;
            let is_fresh = Timestamp::now()
                .checked_add(LEEWAY)
                .is_ok_and(|soon| soon < expires);
            if is_fresh && !is_rejected {
                return credentials(&present, expires);
            }
        }
        let refreshed = tokio::time::timeout(TIME_LIMIT, self.refresh()).await;
        refreshed.unwrap_or_else(|_| Err(failed("the issuer did not answer within 30 s")))
    }

    async fn refresh(&self) -> Result<Credentials, IdentityError> {
        let refresh_token = self.value("refresh-token");
        if refresh_token.is_empty() {
            return Err(failed(
                "the kubeconfig has no valid `id-token` and no `refresh-token`",
            ));
        }
        let issuer = self.value("idp-issuer-url");
        let well_known = format!(
            "{}/.well-known/openid-configuration",
            issuer.expose().trim_end_matches('/')
        );
        let request = Request::get(uri(&well_known)?);
        let discovery: Discovery = self
            .ask("question for its endpoints", request, String::new())
            .await?;
        let tokens = self
            .exchange(&discovery.token_endpoint, &refresh_token)
            .await?;
        let id_token = tokens
            .id_token
            .filter(|token| !token.is_empty())
            .ok_or_else(|| failed("the issuer returned no `id_token`"))?;
        let mut changed = BTreeMap::from([("id-token", id_token.clone())]);
        if let Some(token) = tokens.refresh_token.filter(|token| !token.is_empty()) {
            changed.insert("refresh-token", token);
        }
        // Stored first: a provider may accept the old refresh token no more.
        store_tokens(&self.kubeconfig, &self.user, &changed).map_err(|error| {
            failed(&format!(
                "the new tokens cannot be stored in `{}`: {error}",
                self.kubeconfig.display()
            ))
        })?;
        let mut config = self.lock();
        for (key, value) in changed {
            config.insert(key.to_owned(), value);
        }
        drop(config);
        let expires = expiry(id_token.expose())?;
        credentials(&id_token, expires)
    }

    /// Exchanges the refresh token. Issuers differ in where they want to see who asks: in a header or in
    /// the form (RFC 6749, section 2.3.1); one after the other is tried, as Go's `oauth2` does.
    async fn exchange(&self, endpoint: &str, token: &Secret) -> Result<Tokens, IdentityError> {
        let what = "refresh token";
        let form = format!(
            "grant_type=refresh_token&refresh_token={}",
            encoded(token.expose())
        );
        let id = encoded(self.value("client-id").expose());
        let secret = encoded(self.value("client-secret").expose());
        let pair = base64::engine::general_purpose::STANDARD.encode(format!("{id}:{secret}"));
        let request =
            Request::post(uri(endpoint)?).header(header::AUTHORIZATION, format!("Basic {pair}"));
        let first = match self.ask(what, request, form.clone()).await {
            Ok(tokens) => return Ok(tokens),
            Err(error) => error,
        };
        let mut form = format!("{form}&client_id={id}");
        if !secret.is_empty() {
            form.push_str("&client_secret=");
            form.push_str(&secret);
        }
        let second = self.ask(what, Request::post(uri(endpoint)?), form).await;
        second.map_err(|_| first)
    }

    async fn ask<T: DeserializeOwned>(
        &self,
        what: &str,
        request: http::request::Builder,
        form: String,
    ) -> Result<T, IdentityError> {
        let request = request
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header(header::ACCEPT, "application/json")
            .body(Full::new(form.into_bytes().into()))
            .map_err(|_| failed("the issuer's address cannot be used"))?;
        let route =
            Route::to(request.uri(), "", &self.environment).map_err(|error| failed(&error))?;
        let client =
            http_client::<Full<bytes::Bytes>>(&self.trust()?, &route, TIME_LIMIT, self.before_read)
                .map_err(|error| failed(&format!("its certificate authority: {error}")))?;
        let response = client
            .request(request)
            .await
            .map_err(|_| failed("the issuer cannot be reached"))?;
        let status = response.status();
        if !status.is_success() {
            return Err(failed(&format!(
                "the issuer answered the {what} with {status}"
            )));
        }
        let body = Limited::new(response.into_body(), LARGEST_ANSWER)
            .collect()
            .await
            .map_err(|_| failed("the issuer's answer broke off"))?
            .to_bytes();
        serde_json::from_slice(&body).map_err(|_| failed("the issuer's answer cannot be read"))
    }

    fn trust(&self) -> Result<Trust, IdentityError> {
        let data = self.value("idp-certificate-authority-data");
        let file = self.value("idp-certificate-authority");
        let authority = if !data.is_empty() {
            let decoded = base64::engine::general_purpose::STANDARD.decode(data.expose());
            Some(decoded.map_err(|_| failed("`idp-certificate-authority-data` is not base64"))?)
        } else if !file.is_empty() {
            Some(
                credential_file(Path::new(file.expose())).map_err(|error| {
                    failed(&format!("cannot read `{}`: {error}", file.expose()))
                })?,
            )
        } else {
            None
        };
        Ok(Trust {
            authority,
            ..Trust::default()
        })
    }

    fn value(&self, key: &str) -> Secret {
        self.lock().get(key).cloned().unwrap_or_default()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, Secret>> {
        self.config
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

fn credentials(token: &Secret, expires: Timestamp) -> Result<Credentials, IdentityError> {
    Ok(Credentials {
        expires: expires.checked_sub(LEEWAY).ok(),
        ..Credentials::header(bearer(token.expose())?)
    })
}

/// When a token expires, by its `exp` claim (RFC 7519); its signature is the API server's business.
fn expiry(token: &str) -> Result<Timestamp, IdentityError> {
    let invalid = || failed("the `id-token` is not a JSON Web Token");
    let mut parts = token.split('.');
    let (Some(_), Some(claims), Some(_), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err(invalid());
    };
    let bytes = base64::engine::general_purpose::URL_SAFE_NO_PAD
        .decode(claims)
        .map_err(|_| invalid())?;
    let claims: Claims = serde_json::from_slice(&bytes).map_err(|_| invalid())?;
    #[expect(
        clippy::cast_possible_truncation,
        reason = "what is beyond the range is refused by the next line"
    )]
    let seconds = claims.exp as i64;
    Timestamp::from_second(seconds).map_err(|_| invalid())
}

fn uri(text: &str) -> Result<Uri, IdentityError> {
    text.parse()
        .map_err(|_| failed("the issuer's address cannot be used"))
}

fn encoded(text: &str) -> String {
    percent_encoding::utf8_percent_encode(text, &FORM).to_string()
}

fn failed(reason: &str) -> IdentityError {
    IdentityError::Oidc(reason.to_owned())
}
