//! A scripted server below the client: a function answers each request.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use cryptoctl::cluster::{Cluster, TimeLimits};
use cryptoctl::emitter::{Emitter, Events};
use cryptoctl::event::EventKind;
use futures::{FutureExt, StreamExt};
use http::{Method, Request, Response};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::Frame;
use kube::Client;
use kube::client::Body;
use serde_json::{Value, json};
use tokio::time::Instant;
use tower::{BoxError, service_fn};

pub(super) type AnswerBody = UnsyncBoxBody<Bytes, BoxError>;

/// A request as the server saw it.
#[derive(Debug, Clone)]
pub(super) struct Seen {
    pub(super) method: Method,
    pub(super) path: String,
    pub(super) query: String,
    pub(super) body: Value,
    pub(super) at: Duration,
}

/// How the server answers.
pub(super) enum Reply {
    /// A status, headers and a whole body.
    Whole(u16, Vec<(&'static str, String)>, Vec<u8>),
    /// A body that is produced piece by piece.
    Streamed(AnswerBody),
    /// The connection breaks before the answer.
    Lost,
    /// Nothing ever comes.
    Silence,
}

impl Reply {
    pub(super) fn json(status: u16, body: &Value) -> Self {
        Self::Whole(status, Vec::new(), body.to_string().into_bytes())
    }

    /// A refusal in the API server's form.
    pub(super) fn refusal(status: u16, reason: &str) -> Self {
        Self::json(status, &refusal(status, reason))
    }

    /// A refusal that says when to retry.
    pub(super) fn retry_after(status: u16, seconds: u64) -> Self {
        let body = refusal(status, "TooManyRequests").to_string().into_bytes();
        Self::Whole(status, vec![("retry-after", seconds.to_string())], body)
    }

    /// A body of these pieces, which then ends.
    pub(super) fn pieces(pieces: impl futures::Stream<Item = Bytes> + Send + 'static) -> Self {
        let frames = pieces.map(|piece| Ok::<_, BoxError>(Frame::data(piece)));
        Self::Streamed(StreamBody::new(frames).boxed_unsync())
    }
}

pub(super) fn refusal(status: u16, reason: &str) -> Value {
    json!({"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": status,
           "reason": reason, "message": format!("refused with {status}")})
}

type Answers = dyn FnMut(&Seen) -> Reply + Send;

/// The server and the cluster that is reached through it.
pub(super) struct Scripted {
    pub(super) cluster: Cluster,
    pub(super) events: Events,
    seen: Arc<Mutex<Vec<Seen>>>,
}

impl Scripted {
    /// A server whose answers come from a function.
    pub(super) fn new(answers: impl FnMut(&Seen) -> Reply + Send + 'static) -> Self {
        let limits = TimeLimits {
            request: Duration::from_secs(15),
            patience: Duration::from_mins(2),
        };
        let seen: Arc<Mutex<Vec<Seen>>> = Arc::default();
        let answers: Arc<Mutex<Box<Answers>>> = Arc::new(Mutex::new(Box::new(answers)));
        let log = Arc::clone(&seen);
        let started = Instant::now();
        let service = service_fn(move |request: Request<Body>| {
            let (log, answers) = (Arc::clone(&log), Arc::clone(&answers));
            async move {
                let (head, body) = request.into_parts();
                let bytes = body.collect().await?.to_bytes();
                let seen = Seen {
                    method: head.method,
                    path: head.uri.path().to_owned(),
                    query: head.uri.query().unwrap_or_default().to_owned(),
                    body: serde_json::from_slice(&bytes).unwrap_or(Value::Null),
                    at: started.elapsed(),
                };
                log.lock().unwrap().push(seen.clone());
                let reply = (answers.lock().unwrap())(&seen);
                answer(reply).await
            }
        });
        let (emitter, events) = Emitter::new();
        let client = Client::new(service, "default");
        Self {
            cluster: Cluster::over(client, "https://scripted", limits, emitter),
            events,
            seen,
        }
    }

    /// A server that gives these answers in turn, and repeats the last one.
    pub(super) fn in_turn(replies: Vec<fn() -> Reply>) -> Self {
        let mut replies: VecDeque<fn() -> Reply> = replies.into();
        Self::new(move |request| match (replies.len(), replies.front()) {
            // Heartbeats are answered separately.
            _ if request.path == "/version" => Reply::Silence,
            (0, _) | (_, None) => Reply::Silence,
            (1, Some(last)) => last(),
            _ => replies.pop_front().unwrap()(),
        })
    }

    /// The requests so far, without heartbeats.
    pub(super) fn seen(&self) -> Vec<Seen> {
        let seen = self.seen.lock().unwrap().clone();
        seen.into_iter()
            .filter(|request| request.path != "/version")
            .collect()
    }

    /// How often each method was used.
    pub(super) fn count(&self, method: &Method) -> usize {
        self.seen()
            .iter()
            .filter(|request| request.method == *method)
            .count()
    }

    /// The events since the last call.
    pub(super) fn events(&mut self) -> Vec<EventKind> {
        let mut events = Vec::new();
        // Pending events are available immediately.
        let _ = self
            .events
            .receive(&mut events, usize::MAX >> 1)
            .now_or_never();
        events.into_iter().map(|event| event.kind).collect()
    }
}

async fn answer(reply: Reply) -> Result<Response<AnswerBody>, BoxError> {
    match reply {
        Reply::Lost => Err("connection reset by peer".into()),
        Reply::Silence => std::future::pending().await,
        Reply::Streamed(body) => Ok(Response::new(body)),
        Reply::Whole(status, headers, bytes) => {
            let mut response = Response::builder().status(status);
            for (name, value) in headers {
                response = response.header(name, value);
            }
            let body = Full::new(Bytes::from(bytes)).map_err(|never| match never {});
            Ok(response.body(body.boxed_unsync()).unwrap())
        }
    }
}

/// A pod as the API server would show it.
pub(super) fn pod(name: &str, uid: &str, version: u64) -> Value {
    json!({"apiVersion": "v1", "kind": "Pod", "metadata": {
        "name": name, "namespace": "default", "uid": uid, "resourceVersion": version.to_string(),
    }})
}
