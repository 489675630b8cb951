//! `pods/proxy`: the API server itself connects to the pod and passes the answer on (kubernetes,
//! pkg/registry/core/pod/strategy.go, `ResourceLocation`; apimachinery, pkg/util/proxy).

mod pages;

use std::io;
use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, Method, Request, Response, header, request};
use http_body_util::{BodyExt, Empty};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use serde_json::Value;

use super::responder::{self, End};
use crate::apiserver::failure::Failure;
use crate::apiserver::object::{self, text};
use crate::apiserver::requests::{self, Answer, Call, Target};
use crate::apiserver::state::Shared;

/// Headers that belong to one connection (Go, net/http/httputil/reverseproxy.go, `hopHeaders`).
const HOP_BY_HOP: &[&str] = &[
    "connection",
    "proxy-connection",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// Where a request goes.
struct Way {
    /// The pod's name and UID.
    pod: (String, String),
    container: Option<String>,
    /// `10.244.0.7:80`.
    address: String,
    /// What the API server's own path has before the pod's path.
    prefix: String,
    path: String,
}

/// Asks the pod and passes its answer on.
pub(crate) async fn answer(
    shared: &Arc<Shared>,
    call: &Call,
    target: &Target,
    parts: &request::Parts,
) -> Result<Answer, Failure> {
    if call.method != Method::GET {
        return Err(Failure::method_not_allowed());
    }
    let way = find(shared, target, parts)?;
    let response = ask(shared, &target.namespace, &way).await?;
    let (mut parts, body) = response.into_parts();
    for name in HOP_BY_HOP {
        parts.headers.remove(*name);
    }
    parts
        .headers
        .append(header::CACHE_CONTROL, "no-cache, private".parse().unwrap());
    if lead_back(&mut parts.headers, &way) {
        return Ok(Response::from_parts(parts, passed(body)));
    }
    if pages::is_page(&parts.headers) {
        // A page is read to its end before its links are rewritten.
        let page = body.collect().await;
        let page = page.map_err(|_| unreachable("unexpected EOF"))?.to_bytes();
        let page = pages::rewritten(&page);
        parts
            .headers
            .insert(header::CONTENT_LENGTH, page.len().into());
        return Ok(Response::from_parts(parts, requests::full(page)));
    }
    Ok(Response::from_parts(parts, passed(body)))
}

/// A body that breaks off does so for the client, too.
fn passed(body: Incoming) -> requests::Body {
    body.map_err(io::Error::other).boxed_unsync()
}

fn find(shared: &Shared, target: &Target, parts: &request::Parts) -> Result<Way, Failure> {
    let words: Vec<&str> = target.name.split(':').collect();
    let (scheme, name, port) = match words.as_slice() {
        [name] => ("", *name, ""),
        [name, port] => ("", *name, *port),
        [scheme, name, port] => (*scheme, *name, *port),
        _ => ("none", "", ""),
    };
    if !["", "http", "https"].contains(&scheme) || name.is_empty() {
        let message = format!("invalid pod request {:?}", target.name);
        return Err(Failure::bad_request(message));
    }
    let named = Target {
        name: name.to_owned(),
        ..target.clone()
    };
    let (pod, container) = shared.with(|state| {
        let pod = state.live(&named)?;
        let container = super::running_container(state, &target.namespace, name);
        Ok::<_, Failure>((pod, container))
    })?;
    let address = text(&pod, "/status/podIP");
    if address.is_empty() {
        return Err(Failure::bad_request("address not allowed"));
    }
    if scheme == "https" {
        return Err(unreachable(
            "http: server gave HTTP response to HTTPS client",
        ));
    }
    let port = match port {
        "" => first_port(&pod).unwrap_or_else(|| "80".to_owned()),
        port => port.to_owned(),
    };
    let own = parts.uri.path();
    let (before, path) = own.split_once("/proxy").unwrap_or((own, ""));
    let path = if path.is_empty() { "/" } else { path };
    let query = parts.uri.query().map(|query| format!("?{query}"));
    Ok(Way {
        pod: (name.to_owned(), object::uid(&pod).to_owned()),
        container,
        address: format!("{address}:{port}"),
        prefix: format!("{before}/proxy"),
        path: format!("{path}{}", query.unwrap_or_default()),
    })
}

/// Without a port in the request the first one of the first container that names any.
fn first_port(pod: &Value) -> Option<String> {
    let mut ports = object::items(pod, "/spec/containers")
        .filter_map(|container| object::number(container, "/ports/0/containerPort"));
    ports.next().map(|port| port.to_string())
}

/// One request on a connection of its own.
async fn ask(
    shared: &Arc<Shared>,
    namespace: &str,
    way: &Way,
) -> Result<Response<Incoming>, Failure> {
    let (near, far) = tokio::io::duplex(64 * 1024);
    let (name, uid) = way.pod.clone();
    let (owner, namespace) = (Arc::clone(shared), namespace.to_owned());
    let container = way.container.clone();
    let server = tokio::spawn(async move {
        let pod = (namespace.as_str(), name.as_str(), uid.as_str());
        responder::serve(&owner, pod, container.as_deref(), far).await
    });
    let request = Request::get(&way.path)
        .header(header::HOST, &way.address)
        .body(Empty::<Bytes>::new())
        .map_err(|error| Failure::bad_request(error.to_string()))?;
    let sent = async {
        let (mut sender, connection) = http1::handshake(TokioIo::new(near)).await?;
        tokio::spawn(connection);
        sender.send_request(request).await
    };
    match sent.await {
        Ok(response) => Ok(response),
        Err(_) if matches!(server.await, Ok(End::Refused)) => Err(unreachable(&format!(
            "dial tcp {}: connect: connection refused",
            way.address
        ))),
        Err(_) => Err(unreachable("EOF")),
    }
}

fn unreachable(why: &str) -> Failure {
    Failure::unavailable(format!("error trying to reach service: {why}"))
}

/// A redirect within the pod leads back through the API server. Whether it is a redirect.
fn lead_back(headers: &mut HeaderMap, way: &Way) -> bool {
    let Some(location) = headers
        .get(header::LOCATION)
        .and_then(|value| value.to_str().ok())
    else {
        return false;
    };
    let own = format!("http://{}", way.address);
    let path = location.strip_prefix(&own).unwrap_or(location);
    if path.starts_with('/') && !path.starts_with(&way.prefix) {
        let through = format!("{}{path}", way.prefix);
        headers.insert(header::LOCATION, through.parse().unwrap());
    }
    true
}
