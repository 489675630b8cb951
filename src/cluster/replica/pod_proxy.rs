//! Asks one pod one HTTP question through the API server's pod proxy, where port-forwards are not
//! allowed or do not work.
//!
//! The API server asks the pod itself and passes the answer on, with changes: it says by itself when
//! the pod cannot be reached, rewrites HTML pages and redirects, guesses a content type where there is
//! none, and sends whatever came without a length in chunks (apimachinery, `pkg/util/proxy`; Go,
//! `net/http/httputil/reverseproxy.go`). What it may have changed proves nothing here.

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Request, StatusCode, header, response};
use kube::core::Status;
use percent_encoding::percent_decode_str;
use tokio::time::{Instant, timeout_at};

use super::super::connect::Cluster;
use super::super::error::ClusterError;
use super::super::request::failure;
use super::forward::{AskError, Question};
use super::reading::{self, Reading, Stop};
use crate::answer::{Answer, Cut, Fragment};
use crate::json;

/// Every answer of an API server has this header, what it passes on included
/// (`k8s.io/apiserver` `pkg/endpoints/filters/audit_init.go`).
const AUDIT_ID: &str = "audit-id";

/// Enough for any error of the API server.
const LARGEST_STATUS: u64 = 64 * 1024;

/// What Go guesses from a body (`net/http/sniff.go`), without the guesses for HTML, which is
/// rewritten anyway.
const GUESSES: &[&str] = &[
    "application/octet-stream",
    "application/ogg",
    "application/pdf",
    "application/postscript",
    "application/vnd.ms-fontobject",
    "application/wasm",
    "application/x-gzip",
    "application/x-rar-compressed",
    "application/zip",
    "audio/aiff",
    "audio/basic",
    "audio/midi",
    "audio/mpeg",
    "audio/wave",
    "font/collection",
    "font/otf",
    "font/ttf",
    "font/woff",
    "font/woff2",
    "image/bmp",
    "image/gif",
    "image/jpeg",
    "image/png",
    "image/webp",
    "image/x-icon",
    "text/plain; charset=utf-16be",
    "text/plain; charset=utf-16le",
    "text/plain; charset=utf-8",
    "text/xml; charset=utf-8",
    "video/avi",
    "video/mp4",
    "video/webm",
];

/// Whether a content type that came through the proxy may be the proxy's own guess.
#[must_use]
pub fn may_be_guessed(content_type: &str) -> bool {
    GUESSES.contains(&content_type)
}

impl Cluster {
    /// Asks a pod through the API server's proxy.
    ///
    /// # Errors
    /// [`AskError`] when there is no complete answer that is provably the pod's.
    pub async fn ask_by_proxy(
        &self,
        namespace: &str,
        pod: &str,
        question: &Question,
    ) -> Result<Answer, AskError> {
        let _waiting = self.sender.waiting();
        let started = Instant::now();
        let until = started + question.timeout;
        let request = request(namespace, pod, question)?;
        let response = timeout_at(until, self.sender.passed_on(request)).await;
        let response = response.map_err(|_| AskError::TimedOut)?;
        let (head, body) = response.map_err(AskError::NotProxied)?.into_parts();
        let mut bounds = question.clone();
        if !head.status.is_success() {
            bounds.kept = bounds.kept.max(LARGEST_STATUS);
        }
        let mut reading = Reading::of(&bounds);
        let read = timeout_at(until, reading.take(body)).await;
        let server = self.server();
        if let Some(error) = own_words(server, &head, &reading, question) {
            return Err(error);
        }
        let cut = match read {
            Ok(Ok(())) => None,
            Ok(Err(Stop::TooLarge(limit))) => Some(Cut::TooLarge(limit)),
            // The API server breaks the connection where the pod has broken its own.
            Ok(Err(Stop::Broken(error))) => {
                let error = failure::translate(server, error);
                let source = std::error::Error::source(&error);
                Some(Cut::Broken(
                    source.map_or_else(|| error.to_string(), ToString::to_string),
                ))
            }
            Err(_) => Some(Cut::TimedOut(question.timeout)),
        };
        if let Some(cut) = cut.or_else(|| doubt(head.status, &head.headers)) {
            return Err(unfinished(head, reading, cut));
        }
        Ok(Answer {
            status: head.status,
            content_type: reading::text(&head.headers, header::CONTENT_TYPE),
            content_encoding: reading::text(&head.headers, header::CONTENT_ENCODING),
            // It is rewritten, so it is not what the pod has said.
            location: None,
            sha256: reading.sha256(),
            bytes: reading.bytes,
            beginning: reading.beginning.freeze(),
            latency: started.elapsed(),
        })
    }
}

/// What is known of the pod's answer where its end is not proven. A page is rewritten, so that only
/// its status counts; an error that broke off may be the API server's own.
fn unfinished(head: response::Parts, mut reading: Reading, cut: Cut) -> AskError {
    let is_page = is_page(&head.headers);
    let is_the_pods = head.status.is_success()
        || reading.bytes > LARGEST_STATUS
        || matches!(cut, Cut::Unproven(_) | Cut::Rewritten(_));
    reading.head = Some(head);
    let mut fragment = reading.fragment(cut);
    if !is_the_pods {
        fragment.status = None;
    }
    if is_page || !is_the_pods {
        fragment = Fragment {
            head: None,
            bytes: 0,
            beginning: Bytes::new(),
            ..fragment
        };
    }
    if let Some(head) = &mut fragment.head {
        head.location = None;
    }
    AskError::Unfinished(Box::new(fragment))
}

fn request(namespace: &str, pod: &str, question: &Question) -> Result<Request<Vec<u8>>, AskError> {
    let Question { port, path, .. } = question;
    if leads_elsewhere(path) {
        // Whatever stands in between may take `..` for a way out of the pod's part of the address.
        let reason = format!("`{path}` cannot be asked for through the API server's pod proxy");
        return Err(AskError::NotForwarded(reason));
    }
    let uri = format!("/api/v1/namespaces/{namespace}/pods/{pod}:{port}/proxy{path}");
    let mut request = Request::get(uri)
        .body(Vec::new())
        .map_err(|error| AskError::NotForwarded(error.to_string()))?;
    let headers = request.headers_mut();
    headers.insert(header::ACCEPT, HeaderValue::from_static("*/*"));
    // Otherwise the API server asks for compressed bodies, and unpacks them.
    headers.insert(
        header::ACCEPT_ENCODING,
        HeaderValue::from_static("identity"),
    );
    Ok(request)
}

fn leads_elsewhere(path: &str) -> bool {
    let path = path.split('?').next().unwrap_or_default();
    let mut segments = path.split('/');
    segments.any(|segment| {
        let segment = percent_decode_str(segment).collect::<Vec<u8>>();
        segment == b"." || segment == b".."
    })
}

/// What the API server, or something before it, has said itself: never an answer of the pod.
fn own_words(
    server: &str,
    head: &response::Parts,
    reading: &Reading,
    question: &Question,
) -> Option<AskError> {
    let code = head.status;
    if !code.is_success()
        && let Some(status) = status(reading)
    {
        let message = status.message.clone();
        let reached = message.strip_prefix("error trying to reach service: ");
        let refusal = format!(":{}: connect: connection refused", question.port);
        return Some(match reached {
            // With a dialler in between, the words may speak of its own port.
            Some(why) if why.starts_with("dial tcp ") && why.ends_with(&refusal) => {
                AskError::NotListeningOutside
            }
            Some(why) => AskError::NotReached(why.to_owned()),
            None => AskError::NotProxied(ClusterError::from_status(server, code, None, status)),
        });
    }
    if head.headers.contains_key(AUDIT_ID) {
        return None;
    }
    Some(AskError::NotProxied(if code.is_success() {
        ClusterError::Undecodable {
            reason: "it was not an API server that answered".to_owned(),
        }
    } else {
        ClusterError::from_status(server, code, None, Status::default())
    }))
}

/// A `Status` object; a pod that answers with one is taken for the API server, and proves nothing.
fn status(reading: &Reading) -> Option<Status> {
    let object: serde_json::Value = json::from_slice(&reading.beginning).ok()?;
    if object["kind"] != "Status" || object["apiVersion"] != "v1" {
        return None;
    }
    Some(json::from_value(object).unwrap_or_default())
}

/// Why an answer that came to its end proves nothing: only a length proves an end here, and nothing
/// proves that a page is the pod's own.
fn doubt(status: StatusCode, headers: &HeaderMap) -> Option<Cut> {
    if is_page(headers) {
        return Some(Cut::Rewritten("the API server's proxy rewrites HTML pages"));
    }
    (!reading::has_length(status, headers)).then_some(Cut::Unproven(
        "the answer has no length, and the API server's proxy hides whether it came to its end",
    ))
}

fn is_page(headers: &HeaderMap) -> bool {
    let media_type = reading::text(headers, header::CONTENT_TYPE).unwrap_or_default();
    let media_type = media_type.split(';').next().unwrap_or_default().trim();
    media_type.eq_ignore_ascii_case("text/html")
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn question() -> Question {
        Question {
            port: 8080,
            path: "/keys".to_owned(),
            timeout: Duration::from_secs(1),
            largest_body: 1024,
            kept: 1024,
        }
    }

    fn head(code: u16, headers: &[(header::HeaderName, &'static str)]) -> response::Parts {
        let mut answer = http::Response::new(());
        *answer.status_mut() = StatusCode::from_u16(code).unwrap();
        for (name, value) in headers {
            let value = HeaderValue::from_static(value);
            answer.headers_mut().insert(name, value);
        }
        answer.into_parts().0
    }

    fn reading(body: &str) -> Reading {
        let mut reading = Reading::of(&question());
        reading.bytes = body.len() as u64;
        reading.beginning.extend_from_slice(body.as_bytes());
        reading
    }

    fn said(code: u16, body: &str, is_audited: bool) -> Option<AskError> {
        let audited = [(header::HeaderName::from_static(AUDIT_ID), "a")];
        let head = head(code, if is_audited { &audited } else { &[] });
        own_words("https://server", &head, &reading(body), &question())
    }

    fn status(code: u16, reason: &str, message: &str) -> String {
        serde_json::json!({
            "kind": "Status", "apiVersion": "v1", "status": "Failure", "code": code,
            "reason": reason, "message": message,
        })
        .to_string()
    }

    #[test]
    fn what_the_api_server_says_itself_is_never_the_pods() {
        let refused =
            "error trying to reach service: dial tcp 10.0.0.7:8080: connect: connection refused";
        let error = said(503, &status(503, "ServiceUnavailable", refused), true);
        assert!(
            matches!(error, Some(AskError::NotListeningOutside)),
            "{error:?}"
        );

        let by_dialler = "error trying to reach service: proxy error from localhost:8131: dial tcp 127.0.0.1:8131: connect: connection refused";
        let error = said(503, &status(503, "ServiceUnavailable", by_dialler), true);
        assert!(matches!(error, Some(AskError::NotReached(_))), "{error:?}");

        for (code, reason) in [(403, "Forbidden"), (404, "NotFound"), (500, "")] {
            let error = said(code, &status(code, reason, "no"), true);
            assert!(matches!(error, Some(AskError::NotProxied(_))), "{error:?}");
        }
    }

    #[test]
    fn what_stands_before_the_api_server_is_not_the_pod_either() {
        let error = said(502, "<html>bad gateway</html>", false);
        assert!(matches!(error, Some(AskError::NotProxied(_))), "{error:?}");
        assert!(said(500, "the pod's own words", true).is_none());
        assert!(said(404, r#"{"kind":"Error"}"#, true).is_none());
        assert!(said(200, "1\n2\n", true).is_none());
        let error = said(200, "1\n2\n", false);
        assert!(matches!(error, Some(AskError::NotProxied(_))), "{error:?}");
    }

    #[test]
    fn a_path_never_leads_out_of_the_pod() {
        for path in ["/..", "/a/../b", "/%2e%2E/x", "/./a", "/a/.."] {
            assert!(leads_elsewhere(path), "{path}");
        }
        for path in ["/", "/keys", "/a..b/...", "/a?up=../..", "/.well-known/x"] {
            assert!(!leads_elsewhere(path), "{path}");
        }
    }

    #[test]
    fn only_a_length_proves_an_end_and_a_page_proves_nothing() {
        let length = (header::CONTENT_LENGTH, "3");
        let chunks = (header::TRANSFER_ENCODING, "chunked");
        let page = (header::CONTENT_TYPE, "Text/HTML; charset=utf-8");
        let doubt =
            |code, headers: &[_]| doubt(head(code, headers).status, &head(code, headers).headers);
        assert_eq!(doubt(200, std::slice::from_ref(&length)), None);
        assert!(matches!(doubt(200, &[chunks]), Some(Cut::Unproven(_))));
        assert!(matches!(
            doubt(200, &[length, page]),
            Some(Cut::Rewritten(_))
        ));
        assert_eq!(doubt(204, &[]), None);
    }

    #[test]
    fn of_what_breaks_off_only_what_is_the_pods_counts() {
        let of = |code, headers: &[_], body: &str, cut| {
            let AskError::Unfinished(fragment) =
                unfinished(head(code, headers), reading(body), cut)
            else {
                panic!("an answer that began is a fragment");
            };
            (
                fragment.status.map(|status| status.as_u16()),
                fragment.bytes,
            )
        };
        let broken = || Cut::Broken("it broke off".to_owned());
        let page = [(header::CONTENT_TYPE, "text/html")];
        assert_eq!(of(200, &[], "1\n2", broken()), (Some(200), 3));
        assert_eq!(of(200, &page, "<p>", broken()), (Some(200), 0));
        // What broke off may be the beginning of the API server's own `Status`.
        assert_eq!(of(503, &[], "{", broken()), (None, 0));
        assert_eq!(
            of(503, &[], "no", Cut::Unproven("no length")),
            (Some(503), 2)
        );
    }
}
