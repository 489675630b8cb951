//! From a request to its answer.

mod answer;
mod create;
mod delete;
mod discovery;
mod json_patch;
mod list;
mod patch;
mod reviews;
mod target;
mod update;
mod validate;
mod watch;

pub(crate) use answer::{Answer, Body, full, streamed, text};
pub(crate) use delete::{delete_now, preconditions as check_preconditions};
pub(crate) use target::{Target, parameters};

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, Method, Request, StatusCode, header, request};
use http_body_util::BodyExt;
use serde_json::Value;
use tower::BoxError;

use super::failure::Failure;
use super::faults::Fault;
use super::journal;
use super::object;
use super::pods;
use super::state::{Shared, State};

/// Answers a request; an error means that the connection breaks.
pub(crate) async fn handle<B>(shared: Arc<Shared>, request: Request<B>) -> io::Result<Answer>
where
    B: http_body::Body<Data = Bytes>,
    B::Error: Into<BoxError>,
{
    let mut answer = answer_to(Arc::clone(&shared), request).await?;
    let now = shared.with(|state| state.now.http_date());
    answer
        .headers_mut()
        .entry(header::DATE)
        .or_insert(now.parse().unwrap());
    Ok(answer)
}

async fn answer_to<B>(shared: Arc<Shared>, request: Request<B>) -> io::Result<Answer>
where
    B: http_body::Body<Data = Bytes>,
    B::Error: Into<BoxError>,
{
    let (parts, body) = request.into_parts();
    let body = body
        .collect()
        .await
        .map_err(|error| io::Error::other(error.into()))?
        .to_bytes();
    let path = parts.uri.path().to_owned();
    let query = parts.uri.query().unwrap_or_default().to_owned();
    let mut healed = shared.healed.listen();
    let (number, fault) = shared.with(|state| {
        let fault = state.faults.strike(&parts.method, &path, &query);
        state.journal.requests.push(journal::Request {
            method: parts.method.clone(),
            path: path.clone(),
            query: query.clone(),
            headers: parts.headers.clone(),
            body: body.clone(),
            at: state.now.instant,
            executed: None,
            fault: fault.as_ref().map(|fault| format!("{fault:?}")),
        });
        state.asked = true;
        let number = state.journal.requests.len();
        (
            number,
            fault
                .filter(|_| number <= state.journal.most)
                .or((number > state.journal.most).then_some(Fault::Hang)),
        )
    });
    shared.while_frozen().await;
    match &fault {
        Some(Fault::Delayed(delay)) => tokio::time::sleep(*delay).await,
        Some(Fault::Held) => healed.raised().await,
        Some(Fault::Error {
            status,
            reason,
            message,
            retry_after,
        }) => {
            return Ok(answer::fault(*status, reason, message, *retry_after));
        }
        Some(Fault::Replaced {
            status,
            page,
            is_executed: false,
        }) => return Ok(answer::page(*status, *page)),
        Some(Fault::Endless {
            status,
            beginning,
            piece,
        }) => return Ok(answer::endless(*status, beginning, piece)),
        Some(Fault::CutBefore) => return Err(io::ErrorKind::ConnectionReset.into()),
        Some(Fault::Hang) => std::future::pending().await,
        Some(Fault::Meanwhile(disturbance)) => disturbance.happen(&shared),
        _ => {}
    }
    let call = Call {
        method: parts.method.clone(),
        path,
        query: parameters(&query),
        headers: parts.headers.clone(),
        body,
        fault,
    };
    let is_read = call.method == Method::GET && !parts.headers.contains_key(header::UPGRADE);
    if call.fault == Some(Fault::Twice) && is_read && !call.flag("watch") {
        // The first answer is lost on the way.
        let _ = execute(&shared, &call, request::Parts::clone(&parts)).await;
    }
    let mut response = recorded(&shared, &call, parts, number).await;
    if let Some(Fault::Warned(text)) = &call.fault {
        let warning = format!("299 - {text:?}").parse().unwrap();
        response.headers_mut().append(header::WARNING, warning);
    }
    shared.while_frozen().await;
    let fault = call.fault;
    match fault {
        Some(Fault::Late(delay)) => tokio::time::sleep(delay).await,
        Some(Fault::CutAfter) => return Err(io::ErrorKind::ConnectionReset.into()),
        Some(Fault::CutBody(limit)) => {
            return Ok(response.map(|body| answer::cut_after(body, limit)));
        }
        Some(Fault::EndBody(limit)) => {
            return Ok(answer::end_after(response, limit));
        }
        Some(Fault::Replaced { status, page, .. }) => return Ok(answer::page(status, page)),
        _ => {}
    }
    Ok(response)
}

/// Executes a request and notes what became of it.
async fn recorded(
    shared: &Arc<Shared>,
    call: &Call,
    parts: request::Parts,
    number: usize,
) -> Answer {
    let (target, before) = shared.with(|state| {
        let target = Target::of(&state.kinds, &call.path)
            .filter(|target| call.method != Method::GET || target.subresource == "exec");
        let live = target.and_then(|target| state.live(&target).ok());
        let uid = live.map(|live| object::uid(&live).to_owned());
        (uid, state.store.revision())
    });
    let response = execute(shared, call, parts)
        .await
        .unwrap_or_else(|failure| answer::refused(&failure));
    shared.with(|state| {
        let after = state.store.revision();
        if let Some(request) = state.journal.requests.get_mut(number - 1) {
            let status = response.status().as_u16();
            request.executed = Some(journal::Executed {
                status,
                target,
                before,
                after,
            });
        }
    });
    response
}

/// A request that was read.
pub(crate) struct Call {
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) query: BTreeMap<String, String>,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    /// What goes wrong with it.
    pub(crate) fault: Option<Fault>,
}

impl Call {
    /// A query parameter, or "".
    pub(crate) fn parameter(&self, name: &str) -> &str {
        self.query.get(name).map(String::as_str).unwrap_or_default()
    }

    /// A boolean query parameter.
    pub(crate) fn flag(&self, name: &str) -> bool {
        matches!(self.parameter(name), "true" | "1")
    }

    /// Nothing is to be stored.
    pub(crate) fn is_dry_run(&self) -> bool {
        self.parameter("dryRun") == "All"
    }

    /// The media type of the body without its parameters.
    fn content_type(&self) -> &str {
        let value = self
            .headers
            .get(header::CONTENT_TYPE)
            .and_then(|value| value.to_str().ok());
        value
            .unwrap_or_default()
            .split(';')
            .next()
            .unwrap_or_default()
            .trim()
    }

    /// The field manager of an update: as named, or the start of the User-Agent (endpoints/handlers/create.go).
    fn manager(&self) -> String {
        match self.parameter("fieldManager") {
            "" => {
                let agent = self
                    .headers
                    .get(header::USER_AGENT)
                    .and_then(|value| value.to_str().ok());
                agent
                    .and_then(|agent| agent.split('/').next())
                    .unwrap_or("unknown")
                    .to_owned()
            }
            manager => manager.to_owned(),
        }
    }

    /// The body as an object.
    fn object(&self) -> Result<Value, Failure> {
        serde_json::from_slice(&self.body).map_err(|error| {
            Failure::bad_request(format!("the object provided is unrecognized: {error}"))
        })
    }
}

async fn execute(
    shared: &Arc<Shared>,
    call: &Call,
    parts: request::Parts,
) -> Result<Answer, Failure> {
    if matches!(call.path.as_str(), "/readyz" | "/livez" | "/healthz") {
        return Ok(text("ok"));
    }
    let user = shared.with(|state| state.access.authenticate(&call.headers))?;
    if let Some(found) = shared.with(|state| discovery::answer(state, &call.path, &call.headers)) {
        return Ok(answer::json(StatusCode::OK, &found));
    }
    if let Some(review) = shared.with(|state| reviews::answer(state, call, &user)) {
        return review.map(|review| answer::json(StatusCode::CREATED, &review));
    }
    let Some(target) = shared.with(|state| Target::of(&state.kinds, &call.path)) else {
        let known = shared.with(|state| Target::names_version(&state.kinds, &call.path));
        return if known {
            Err(Failure::no_such_path())
        } else {
            Ok(answer::no_such_path())
        };
    };
    let verb = target.verb(&call.method, call.flag("watch"));
    shared.with(|state| state.access.authorize(&user, verb, &target))?;
    match (target.kind.resource.as_str(), target.subresource.as_str()) {
        ("pods", "log") => pods::log::answer(shared, call, &target),
        ("pods", "proxy") => pods::proxy::answer(shared, call, &target, &parts).await,
        ("pods", "exec" | "portforward") => {
            // Since 1.35 a WebSocket, too, needs the verb of the POST that it replaces (gate
            // AuthorizePodWebsocketUpgradeCreatePermission).
            shared.with(|state| state.access.authorize(&user, "create", &target))?;
            if target.subresource == "exec" {
                pods::exec::answer(shared, call, &target, parts)
            } else {
                pods::portforward::answer(shared, call, &target, parts)
            }
        }
        ("pods", "eviction") => {
            let done = shared.with(|state| pods::eviction::evict(state, call, &target))?;
            Ok(answer::json(StatusCode::CREATED, &done))
        }
        (_, "" | "status" | "finalize" | "scale") => plain(shared, call, &target, verb),
        _ => Ok(answer::no_such_path()),
    }
}

fn plain(
    shared: &Arc<Shared>,
    call: &Call,
    target: &Target,
    verb: &str,
) -> Result<Answer, Failure> {
    if verb == "watch" {
        return watch::answer(shared, call, target);
    }
    let (status, mut object) = shared.with(|state| match verb {
        "get" => list::get(state, call, target).map(|object| (StatusCode::OK, object)),
        "list" => list::list(state, call, target).map(|list| (StatusCode::OK, list)),
        "create" => create::create(state, call, target).map(|object| (StatusCode::CREATED, object)),
        "update" => update::replace(state, call, target).map(|object| (StatusCode::OK, object)),
        "patch" => patch::patch(state, call, target),
        "delete" => delete::delete(state, call, target).map(|object| (StatusCode::OK, object)),
        _ => Err(Failure::method_not_allowed()),
    })?;
    answer::as_requested(&mut object, &call.headers);
    Ok(answer::json(status, &object))
}

impl State {
    /// The live object that a request names.
    pub(crate) fn live(&self, target: &Target) -> Result<Arc<Value>, Failure> {
        let found = self.store.get(&target.key());
        found.ok_or_else(|| Failure::not_found(&target.kind, &target.name))
    }
}
