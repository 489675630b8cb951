//! Asks one pod one HTTP question through the API server's pod proxy, where port-forwards are not
//! allowed or do not work.
//!
//! The API server asks the pod itself and passes the answer on, with changes: it says by itself when
//! the pod cannot be reached, rewrites HTML pages and redirects, guesses a content type where there is
//! none, and sends whatever came without a length in chunks (apimachinery, `pkg/util/proxy`; Go,
//! `net/http/httputil/reverseproxy.go`). What it may have changed proves nothing here.

use http::{HeaderMap, HeaderValue, Request, StatusCode, header};
use kube::core::Status;
use percent_encoding::percent_decode_str;
use tokio::time::Instant;

use super::connect::Cluster;
use super::error::ClusterError;
use super::failure;
use super::forward::{AskError, Question};
use super::reading::{self, Reading};
use crate::answer::Answer;

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
        tokio::time::timeout(question.timeout, self.proxied(namespace, pod, question))
            .await
            .unwrap_or(Err(AskError::TimedOut))
    }

    async fn proxied(
        &self,
        namespace: &str,
        pod: &str,
        question: &Question,
    ) -> Result<Answer, AskError> {
        let started = Instant::now();
        let request = request(namespace, pod, question)?;
        let response = self.sender.passed_on(request).await;
        let (head, body) = response.map_err(AskError::NotProxied)?.into_parts();
        let mut bounds = question.clone();
        if !head.status.is_success() {
            bounds.kept = bounds.kept.max(LARGEST_STATUS);
        }
        let server = self.server();
        let reading = reading::read(body, &bounds, |error| {
            // The API server breaks the connection where the pod has broken its own.
            let error = failure::translate(server, error);
            AskError::BrokenOff(match std::error::Error::source(&error) {
                Some(source) => source.to_string(),
                None => error.to_string(),
            })
        })
        .await?;
        if let Some(error) = own_words(server, head.status, &head.headers, &reading, question) {
            return Err(error);
        }
        judge_end(head.status, &head.headers)?;
        Ok(Answer {
            status: head.status,
            content_type: reading::text(&head.headers, header::CONTENT_TYPE),
            // It is rewritten, so it is not what the pod has said.
            location: None,
            sha256: reading.sha256,
            bytes: reading.bytes,
            beginning: reading.beginning,
            latency: started.elapsed(),
        })
    }
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
    code: StatusCode,
    headers: &HeaderMap,
    reading: &Reading,
    question: &Question,
) -> Option<AskError> {
    if !code.is_success()
        && let Some(status) = status(reading)
    {
        let message = status.message.clone();
        let reached = message.strip_prefix("error trying to reach service: ");
        let refusal = format!(":{}: connect: connection refused", question.port);
        return Some(match reached {
            // With a dialler in between, the words may speak of its own port.
            Some(why) if why.starts_with("dial tcp ") && why.ends_with(&refusal) => {
                AskError::NotListening
            }
            Some(why) => AskError::NotForwarded(why.to_owned()),
            None => AskError::NotProxied(ClusterError::from_status(server, code, None, status)),
        });
    }
    if headers.contains_key(AUDIT_ID) {
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
    let object: serde_json::Value = serde_json::from_slice(&reading.beginning).ok()?;
    if object["kind"] != "Status" || object["apiVersion"] != "v1" {
        return None;
    }
    Some(serde_json::from_value(object).unwrap_or_default())
}

/// Only a length proves an end here, and nothing proves that a page is the pod's own.
fn judge_end(status: StatusCode, headers: &HeaderMap) -> Result<(), AskError> {
    let media_type = reading::text(headers, header::CONTENT_TYPE).unwrap_or_default();
    let media_type = media_type.split(';').next().unwrap_or_default().trim();
    if media_type.eq_ignore_ascii_case("text/html") {
        return Err(AskError::Rewritten {
            status,
            reason: "the API server's proxy rewrites HTML pages",
        });
    }
    if !reading::has_length(status, headers) {
        return Err(AskError::NoProvenEnd {
            status,
            location: None,
            reason: "the answer has no length, and the API server's proxy hides whether it came to its end",
        });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
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

    fn said(code: u16, body: &str, is_audited: bool) -> Option<AskError> {
        let mut headers = HeaderMap::new();
        if is_audited {
            headers.insert(AUDIT_ID, HeaderValue::from_static("a"));
        }
        let reading = Reading {
            sha256: String::new(),
            bytes: body.len() as u64,
            beginning: Bytes::copy_from_slice(body.as_bytes()),
        };
        let code = StatusCode::from_u16(code).unwrap();
        own_words("https://server", code, &headers, &reading, &question())
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
        assert!(matches!(error, Some(AskError::NotListening)), "{error:?}");

        let by_dialler = "error trying to reach service: proxy error from localhost:8131: dial tcp 127.0.0.1:8131: connect: connection refused";
        let error = said(503, &status(503, "ServiceUnavailable", by_dialler), true);
        assert!(
            matches!(error, Some(AskError::NotForwarded(_))),
            "{error:?}"
        );

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
        let headers = |pairs: &[(header::HeaderName, &'static str)]| {
            let pairs = pairs.iter().cloned();
            pairs
                .map(|(name, value)| (name, HeaderValue::from_static(value)))
                .collect::<HeaderMap>()
        };
        let length = (header::CONTENT_LENGTH, "3");
        let chunks = (header::TRANSFER_ENCODING, "chunked");
        let page = (header::CONTENT_TYPE, "Text/HTML; charset=utf-8");
        let ok = StatusCode::OK;
        assert!(judge_end(ok, &headers(std::slice::from_ref(&length))).is_ok());
        let error = judge_end(ok, &headers(&[chunks])).unwrap_err();
        assert!(matches!(error, AskError::NoProvenEnd { .. }), "{error:?}");
        let error = judge_end(ok, &headers(&[length, page])).unwrap_err();
        assert!(matches!(error, AskError::Rewritten { .. }), "{error:?}");
        assert!(judge_end(StatusCode::NO_CONTENT, &headers(&[])).is_ok());
    }
}
