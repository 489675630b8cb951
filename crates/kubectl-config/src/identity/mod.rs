//! Who this process is to the API server, and how it proves it: fetched once, kept until it expires
//! or is rejected, and then fetched again, once for all requests that wait for it.

mod credentials;
mod error;
mod exec;
mod exec_credential;
mod impersonation;
mod oidc;
mod token_file;

use std::sync::{Arc, Mutex, PoisonError};

use futures::FutureExt;
use futures::future::{BoxFuture, Shared};
use http::{HeaderMap, HeaderValue};

pub(crate) use self::credentials::{ClientCertificate, Credentials};
pub use self::error::IdentityError;
pub(crate) use self::exec::Plugin;
pub(crate) use self::oidc::Oidc;
pub(crate) use self::token_file::TokenFile;
use super::kubeconfig::Resolved;
use super::login::Login;
use super::server_url::Address;
use super::settings::Settings;
use crate::secret;

/// Where credentials come from.
enum Source {
    /// From the kubeconfig or the flags; nothing can renew them.
    Fixed(Arc<Credentials>),
    Renewable(Renewable),
}

/// What gives other credentials when asked again.
enum Renewable {
    TokenFile(TokenFile),
    Plugin(Arc<Plugin>),
    Oidc(Arc<Oidc>),
}

type Fetching = Shared<BoxFuture<'static, Result<Arc<Credentials>, IdentityError>>>;

enum State {
    None,
    Fetching(Fetching),
    Known(Arc<Credentials>),
}

/// The identity of a connection.
pub(crate) struct Identity {
    source: Source,
    state: Mutex<State>,
    impersonation: HeaderMap,
}

impl Identity {
    /// Decides where the credentials come from; nothing is run or asked yet.
    ///
    /// The order is client-go's (`transport/round_trippers.go`, `rest/exec.go`): a token file, a
    /// token, a user name with a password, a provider, a plugin. Over plain HTTP nothing is sent.
    pub(crate) fn new(
        resolved: &Resolved,
        settings: &Settings,
        address: &Address,
    ) -> Result<Self, IdentityError> {
        Ok(Self {
            source: source(resolved, settings, address)?,
            state: Mutex::new(State::None),
            impersonation: impersonation::headers(&resolved.user)?,
        })
    }

    /// The headers that say as whom to act.
    pub(crate) fn impersonation(&self) -> &HeaderMap {
        &self.impersonation
    }

    /// The credentials, fetched if there are none that are still valid.
    pub(crate) async fn credentials(&self) -> Result<Arc<Credentials>, IdentityError> {
        let source = match &self.source {
            Source::Fixed(credentials) => return Ok(Arc::clone(credentials)),
            Source::Renewable(source) => source,
        };
        let fetching = {
            let mut state = self.lock();
            match &*state {
                State::Known(known) if !known.has_expired() => return Ok(Arc::clone(known)),
                State::Fetching(fetching) => fetching.clone(),
                State::Known(_) | State::None => source.fetch(&mut state, false),
            }
        };
        self.finish(fetching).await
    }

    /// Other credentials than those that the API server has just rejected; `None` when there are
    /// none to be had.
    pub(crate) async fn renewed(
        &self,
        rejected: &Arc<Credentials>,
    ) -> Result<Option<Arc<Credentials>>, IdentityError> {
        let Source::Renewable(source) = &self.source else {
            return Ok(None);
        };
        let fetching = {
            let mut state = self.lock();
            match &*state {
                State::Known(known) if !Arc::ptr_eq(known, rejected) => {
                    return Ok(Some(Arc::clone(known)));
                }
                State::Fetching(fetching) => fetching.clone(),
                State::Known(_) | State::None => source.fetch(&mut state, true),
            }
        };
        let renewed = self.finish(fetching).await?;
        Ok(Some(renewed).filter(|renewed| !renewed.proves_the_same_as(rejected)))
    }

    async fn finish(&self, fetching: Fetching) -> Result<Arc<Credentials>, IdentityError> {
        let fetched = fetching.clone().await;
        let mut state = self.lock();
        // Only the first that waited finds it still under way.
        if let State::Fetching(current) = &*state
            && current.ptr_eq(&fetching)
        {
            *state = match &fetched {
                Ok(credentials) => State::Known(Arc::clone(credentials)),
                Err(_) => State::None,
            };
        }
        fetched
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Renewable {
    /// Begins to fetch on a task of its own: a request that gives up waiting must not end it.
    fn fetch(&self, state: &mut State, is_rejected: bool) -> Fetching {
        let work: BoxFuture<'static, Result<Credentials, IdentityError>> = match self {
            Self::TokenFile(file) => futures::future::ready(file.read()).boxed(),
            Self::Plugin(plugin) => {
                let plugin = Arc::clone(plugin);
                async move { plugin.run().await }.boxed()
            }
            Self::Oidc(oidc) => {
                let oidc = Arc::clone(oidc);
                async move { oidc.token(is_rejected).await }.boxed()
            }
        };
        let task = tokio::spawn(work);
        let fetching = async move {
            match task.await {
                Ok(fetched) => fetched.map(Arc::new),
                Err(error) => std::panic::resume_unwind(error.into_panic()),
            }
        }
        .boxed()
        .shared();
        *state = State::Fetching(fetching.clone());
        fetching
    }
}

fn source(
    resolved: &Resolved,
    settings: &Settings,
    address: &Address,
) -> Result<Source, IdentityError> {
    let user = &resolved.user;
    // What stands in the server's URL goes before everything else, as with Go's HTTP client.
    if let Some(login) = &address.login {
        return basic(login);
    }
    if !address.is_encrypted() {
        return Ok(Source::Fixed(Arc::default()));
    }
    // Both are refused when they cannot be used, whether or not they are needed.
    let oidc = user
        .auth_provider
        .as_ref()
        .map(|provider| Oidc::new(provider, resolved, settings))
        .transpose()?;
    let plugin = user
        .exec
        .as_ref()
        .map(|exec| Plugin::new(exec, resolved, settings))
        .transpose()?;
    if !user.token_file.is_empty() {
        let file = TokenFile::new(&user.token_file, user.token.clone());
        return Ok(Source::Renewable(Renewable::TokenFile(file)));
    }
    if !user.token.is_empty() {
        let header = bearer(user.token.expose())?;
        return Ok(Source::Fixed(Arc::new(Credentials::header(header))));
    }
    if !user.username.is_empty() || !user.password.is_empty() {
        return basic(&Login {
            user: user.username.clone(),
            password: user.password.clone(),
        });
    }
    let has_certificate =
        !user.client_certificate.is_empty() || !user.client_certificate_data.is_empty();
    match (oidc, plugin) {
        (Some(oidc), _) => Ok(Source::Renewable(Renewable::Oidc(Arc::new(oidc)))),
        (None, Some(plugin)) if !has_certificate => {
            Ok(Source::Renewable(Renewable::Plugin(Arc::new(plugin))))
        }
        (None, None) if !has_certificate => Err(IdentityError::Nobody(nobody(resolved))),
        _ => Ok(Source::Fixed(Arc::default())),
    }
}

fn nobody(resolved: &Resolved) -> String {
    match (&resolved.context, resolved.user_name.as_str()) {
        (Some(context), "") => format!("the kubeconfig's context `{context}` names no user, so it"),
        (None, "") => "the request".to_owned(),
        (_, user) => format!("the kubeconfig's user `{user}`"),
    }
}

fn bearer(token: &str) -> Result<HeaderValue, IdentityError> {
    secret::is_sent(token);
    header(&format!("Bearer {token}"), "token")
}

fn basic(login: &Login) -> Result<Source, IdentityError> {
    let header = login
        .basic()
        .map_err(|_| IdentityError::NotSendable("password"))?;
    Ok(Source::Fixed(Arc::new(Credentials::header(header))))
}

fn header(text: &str, what: &'static str) -> Result<HeaderValue, IdentityError> {
    let mut value = HeaderValue::from_str(text).map_err(|_| IdentityError::NotSendable(what))?;
    value.set_sensitive(true);
    Ok(value)
}
