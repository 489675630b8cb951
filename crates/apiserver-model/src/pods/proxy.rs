//! `pods/proxy`: the API server itself connects to the pod and passes the answer on (kubernetes,
//! pkg/registry/core/pod/strategy.go, `ResourceLocation`; apimachinery, pkg/util/proxy).

mod pages;

use std::io;
use std::sync::Arc;

use bytes::Bytes;
use futures::{StreamExt, TryStreamExt, stream};
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, header, request};
use http_body::Frame;
use http_body_util::{BodyExt, BodyStream, Empty, StreamBody};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use serde_json::Value;

use super::responder::{self, End};
use crate::failure::Failure;
use crate::object::{self, text};
use crate::requests::{self, Answer, Call, Target};
use crate::state::Shared;

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

/// Any will do.
const AUDIT_ID: &str = "00000000-0000-4000-8000-000000000000";

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
    if way.path.is_empty() {
        return Ok(to_the_root(&way));
    }
    let response = ask(shared, &target.namespace, &way).await?;
    let (mut parts, mut body) = response.into_parts();
    let is_chunked = parts.headers.contains_key(header::TRANSFER_ENCODING);
    for name in HOP_BY_HOP {
        parts.headers.remove(*name);
    }
    parts
        .headers
        .append(header::CACHE_CONTROL, "no-cache, private".parse().unwrap());
    // As on every answer of an API server (k8s.io/apiserver, pkg/endpoints/filters/audit_init.go).
    parts
        .headers
        .append("audit-id", HeaderValue::from_static(AUDIT_ID));
    if !lead_back(&mut parts.headers, &way) && pages::is_page(&parts.headers) {
        // A page is read to its end before it is rewritten: a broken one is no answer at all.
        let page = body.collect().await.map_err(|_| broken_page())?.to_bytes();
        let page = pages::rewritten(&String::from_utf8_lossy(&page), &way.prefix);
        parts
            .headers
            .insert(header::CONTENT_LENGTH, page.len().into());
        return Ok(Response::from_parts(parts, requests::full(page)));
    }
    let is_typed = parts.headers.contains_key(header::CONTENT_TYPE);
    if is_typed || is_chunked {
        return Ok(Response::from_parts(parts, passed(body)));
    }
    let Some(first) = body.frame().await else {
        return Ok(Response::from_parts(parts, passed(body)));
    };
    if let Some(bytes) = first.as_ref().ok().and_then(Frame::data_ref) {
        parts
            .headers
            .insert(header::CONTENT_TYPE, pages::guessed(bytes).parse().unwrap());
    }
    let first = stream::iter([first.map_err(io::Error::other)]);
    let rest = TryStreamExt::map_err(BodyStream::new(body), io::Error::other);
    let body = StreamBody::new(first.chain(rest)).boxed_unsync();
    Ok(Response::from_parts(parts, body))
}

/// The path of the pod's server is never empty.
fn to_the_root(way: &Way) -> Answer {
    let mut answer = Response::new(requests::full(""));
    *answer.status_mut() = StatusCode::MOVED_PERMANENTLY;
    let location = format!("{}/", way.prefix);
    answer
        .headers_mut()
        .insert(header::LOCATION, location.parse().unwrap());
    answer
}

/// What an API server says that has an error of Go's and no words of its own.
fn broken_page() -> Failure {
    let mut failure = Failure::new(
        StatusCode::INTERNAL_SERVER_ERROR,
        "",
        "unexpected EOF",
        Value::Null,
    );
    object::remove(&mut failure.body, "/reason");
    failure
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
    let query = parts
        .uri
        .query()
        .filter(|_| !path.is_empty())
        .map(|query| format!("?{query}"));
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
