//! What the server was asked: the basis of assertions such as "nothing was written".

use bytes::Bytes;
use http::{HeaderMap, Method};
use serde_json::Value;
use tokio::time::Instant;

/// One request.
#[derive(Debug, Clone)]
pub struct Request {
    /// The method.
    pub method: Method,
    /// The path without its query.
    pub path: String,
    /// The query, or "".
    pub query: String,
    /// All headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
    /// When it arrived.
    pub at: Instant,
    /// What the server answered once it had executed the request; the client may never have heard it.
    pub executed: Option<Executed>,
    /// The fault that struck it, in words.
    pub fault: Option<String>,
}

/// What became of a request on the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Executed {
    /// The status of the answer.
    pub status: u16,
    /// The UID of the object that the path names, from before.
    pub target: Option<String>,
    /// The store's revision before.
    pub before: u64,
    /// The store's revision after.
    pub after: u64,
}

impl Request {
    /// The User-Agent.
    pub fn user_agent(&self) -> &str {
        self.headers
            .get("user-agent")
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
    }

    /// A query parameter.
    pub fn parameter(&self, name: &str) -> Option<String> {
        super::requests::parameters(&self.query).remove(name)
    }

    /// The body as JSON.
    pub fn json(&self) -> Option<Value> {
        serde_json::from_slice(&self.body).ok()
    }

    /// Whether it could change something: no read, no dry run, no review of permissions, and no Lease, which only says who
    /// is at work. A command that is executed in a container can, although its request is a `GET`.
    pub fn is_write(&self) -> bool {
        is_write(&self.method, &self.path, &self.query)
    }

    /// Whether it is about a Lease.
    pub fn is_of_lease(&self) -> bool {
        is_of_lease(&self.path)
    }

    /// `GET /api/v1/pods?limit=1`.
    pub fn line(&self) -> String {
        let query = if self.query.is_empty() {
            String::new()
        } else {
            format!("?{}", self.query)
        };
        format!("{} {}{query}", self.method, self.path)
    }
}

fn is_of_lease(path: &str) -> bool {
    path.starts_with("/apis/coordination.k8s.io/")
}

/// As [`Request::is_write`].
pub(crate) fn is_write(method: &Method, path: &str, query: &str) -> bool {
    if is_of_lease(path) {
        return false;
    }
    if path.starts_with("/api/v1/namespaces/") && path.ends_with("/exec") {
        return true;
    }
    let reads = [Method::GET, Method::HEAD, Method::OPTIONS].contains(method);
    let review = path.starts_with("/apis/authorization.k8s.io/");
    let parameters = super::requests::parameters(query);
    let is_dry_run = parameters.get("dryRun").is_some_and(|value| value == "All");
    !reads && !review && !is_dry_run
}

/// All requests so far.
#[derive(Debug)]
pub(crate) struct Journal {
    /// In the order of their arrival.
    pub(crate) requests: Vec<Request>,
    /// What happened in the cluster besides, with the number of requests before it.
    pub(crate) disturbances: Vec<(usize, Instant, String)>,
    /// More requests than this are not answered any more: a storm must not go on for ever in paused time.
    pub(crate) most: usize,
}

impl Default for Journal {
    fn default() -> Self {
        Self {
            requests: Vec::new(),
            disturbances: Vec::new(),
            most: usize::MAX,
        }
    }
}
