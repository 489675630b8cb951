//! Responses.

use std::io;

use bytes::Bytes;
use futures::{Stream, StreamExt, TryStreamExt, future, stream};
use http::{HeaderMap, Response, StatusCode, header};
use http_body::Frame;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use serde_json::{Value, json};

use crate::failure::Failure;
use crate::faults::Page;

/// A body that may go on for ever, and may break.
pub(crate) type Body = UnsyncBoxBody<Bytes, io::Error>;

/// The server's response.
pub(crate) type Answer = Response<Body>;

/// A body that is all there.
pub(crate) fn full(bytes: impl Into<Bytes>) -> Body {
    Full::new(bytes.into())
        .map_err(|never| match never {})
        .boxed_unsync()
}

/// An object.
pub(crate) fn json(status: StatusCode, object: &Value) -> Answer {
    let mut response = Response::new(full(format!("{object}\n")));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, "application/json".parse().unwrap());
    headers.insert(header::CACHE_CONTROL, "no-cache, private".parse().unwrap());
    response
}

/// A plain text.
pub(crate) fn text(text: impl Into<Bytes>) -> Answer {
    let mut response = Response::new(full(text));
    response.headers_mut().insert(
        header::CONTENT_TYPE,
        "text/plain; charset=utf-8".parse().unwrap(),
    );
    response
}

/// A path that nobody serves: Go's own words.
pub(crate) fn no_such_path() -> Answer {
    let mut response = text("404 page not found\n");
    *response.status_mut() = StatusCode::NOT_FOUND;
    response
}

/// A refusal.
pub(crate) fn refused(failure: &Failure) -> Answer {
    let mut response = json(failure.code, &failure.body);
    let seconds = failure.body["details"]["retryAfterSeconds"]
        .as_u64()
        .filter(|seconds| *seconds > 0);
    if let Some(seconds) = seconds {
        response
            .headers_mut()
            .insert(header::RETRY_AFTER, seconds.into());
    }
    response
}

/// A body that never ends.
pub(crate) fn endless(status: u16, beginning: &'static str, piece: &'static str) -> Answer {
    const CHUNK: usize = 64 * 1024;
    let chunk = Bytes::from(piece.repeat(CHUNK / piece.len() + 1));
    let pieces = stream::once(future::ready(Bytes::from(beginning))).chain(stream::repeat(chunk));
    let frames = pieces.map(|piece| Ok::<_, io::Error>(Frame::data(piece)));
    let mut response = Response::new(StreamBody::new(frames).boxed_unsync());
    *response.status_mut() = StatusCode::from_u16(status).unwrap();
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, "application/json".parse().unwrap());
    response
}

/// An injected error. Go reads the seconds of a `Status` as an `int32`, so more than that stand in the header alone.
pub(crate) fn fault(status: u16, reason: &str, message: &str, retry_after: Option<u64>) -> Answer {
    let mut details = json!({});
    if let Some(seconds) = retry_after.and_then(|seconds| i32::try_from(seconds).ok()) {
        details["retryAfterSeconds"] = seconds.into();
    }
    let status = StatusCode::from_u16(status).unwrap();
    let mut response = refused(&Failure::new(status, reason, message, details));
    if let Some(seconds) = retry_after {
        response
            .headers_mut()
            .insert(header::RETRY_AFTER, seconds.into());
    }
    response
}

/// What stands in place of an answer.
pub(crate) fn page(status: u16, page: Page) -> Answer {
    let status = StatusCode::from_u16(status).unwrap();
    match page {
        Page::Status => {
            let body = Failure::internal("the answer was replaced").body;
            json(status, &body)
        }
        Page::Object => json(status, &json!({})),
        Page::Html => {
            let mut response = text("<html><body><h1>Please stand by</h1></body></html>\n");
            *response.status_mut() = status;
            response
                .headers_mut()
                .insert(header::CONTENT_TYPE, "text/html".parse().unwrap());
            response
        }
    }
}

/// A body that is produced over time.
pub(crate) fn streamed(
    content_type: &'static str,
    chunks: impl Stream<Item = io::Result<Bytes>> + Send + 'static,
) -> Answer {
    let mut response = Response::new(StreamBody::new(chunks.map_ok(Frame::data)).boxed_unsync());
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, content_type.parse().unwrap());
    response
}

/// The same body, broken after so many bytes.
pub(crate) fn cut_after(body: Body, limit: usize) -> Body {
    shortened(body, limit, Some(io::ErrorKind::ConnectionReset))
}

/// The same answer, but its body ends in peace after so many bytes, and nothing says how long it should have been.
pub(crate) fn end_after(mut answer: Answer, limit: usize) -> Answer {
    answer.headers_mut().remove(header::CONTENT_LENGTH);
    answer.map(|body| shortened(body, limit, None))
}

fn shortened(body: Body, limit: usize, error: Option<io::ErrorKind>) -> Body {
    let mut left = limit;
    let intact = body.into_data_stream().map_ok(move |chunk| {
        let part = chunk.slice(..chunk.len().min(left));
        let is_short = part.len() < chunk.len();
        left -= part.len();
        (part, is_short)
    });
    let mut is_over = false;
    let chunks = intact.take_while(move |chunk| {
        let go_on = !is_over;
        is_over |= !matches!(chunk, Ok((_, false)));
        future::ready(go_on)
    });
    let chunks = chunks.flat_map(move |chunk| match chunk {
        Ok((part, is_short)) => {
            let end = error.filter(|_| is_short).map(|kind| Err(kind.into()));
            stream::iter(std::iter::once(Ok(part)).chain(end)).left_stream()
        }
        Err(error) => stream::once(future::ready(Err(error))).right_stream(),
    });
    StreamBody::new(chunks.map_ok(Frame::data)).boxed_unsync()
}

/// Only the metadata, for clients that ask for no more.
pub(crate) fn as_requested(object: &mut Value, headers: &HeaderMap) {
    let accept = headers
        .get(header::ACCEPT)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    if !accept.contains("as=PartialObjectMetadata") || object["kind"] == "Status" {
        return;
    }
    let partial = |object: &Value| {
        let metadata = object["metadata"].clone();
        json!({ "kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": metadata })
    };
    if let Some(items) = object.get("items").and_then(Value::as_array) {
        let items: Vec<Value> = items.iter().map(partial).collect();
        let (kind, metadata) = ("PartialObjectMetadataList", object["metadata"].clone());
        *object = json!({ "kind": kind, "apiVersion": "meta.k8s.io/v1", "metadata": metadata, "items": items });
    } else {
        *object = partial(object);
    }
}
