//! The requests to the API server: they read the newest state, and are not too many.

use std::time::Duration;

use apiserver_model::Request;
use http::Method;

use super::Case;

/// Requests within a second, and within ten, at most; questions to replicas come on top. A namespace that `up` made in
/// vain is looked through before it goes again: a request for each of its kinds.
const BURST: usize = 70;
const SUSTAINED: usize = 110;

/// Every request of the wrong kind, and every request storm.
pub(super) fn broken(case: &Case<'_>) -> Vec<String> {
    let requests = &case.run.requests[case.played.requests.clone()];
    let mut wrong: Vec<String> = requests
        .iter()
        .filter(|request| may_be_stale(request))
        .map(|request| format!("a deciding read takes old answers: {}", request.line()))
        .collect();
    for (span, most) in [
        (Duration::from_secs(1), BURST),
        (Duration::from_secs(10), SUSTAINED),
    ] {
        if let Some(count) = densest(requests, span).filter(|count| *count > most) {
            wrong.push(format!("{count} requests within {span:?}"));
        }
    }
    wrong
}

fn may_be_stale(request: &Request) -> bool {
    let is_watch = request.parameter("watch").is_some();
    request.method == Method::GET && !is_watch && request.parameter("resourceVersion").is_some()
        || is_watch
            && matches!(
                request.parameter("resourceVersion").as_deref(),
                None | Some("" | "0")
            )
}

/// The largest number of requests in any span of this length.
fn densest(requests: &[Request], span: Duration) -> Option<usize> {
    let is_question = |request: &&Request| request.path.ends_with("/portforward");
    let requests: Vec<&Request> = requests
        .iter()
        .filter(|request| !is_question(request))
        .collect();
    let mut first = 0;
    let counts = requests.iter().enumerate().map(|(index, request)| {
        while requests[first].at + span < request.at {
            first += 1;
        }
        index + 1 - first
    });
    counts.max()
}
