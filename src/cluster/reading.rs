//! Takes in the body of a pod's answer: hashed as it comes, bounded, its beginning kept.

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, StatusCode, header};
use http_body::Body;
use http_body_util::BodyExt;
use sha2::{Digest, Sha256};

use super::forward::{AskError, Question};
use crate::expectation::hexadecimal;

/// A body that came to its end.
pub(super) struct Reading {
    pub(super) sha256: String,
    pub(super) bytes: u64,
    pub(super) beginning: Bytes,
}

/// Reads a body; `broken` says what it means when it breaks off.
///
/// # Errors
/// [`AskError::TooLarge`], or what `broken` says.
pub(super) async fn read<B>(
    mut body: B,
    question: &Question,
    broken: impl Fn(B::Error) -> AskError,
) -> Result<Reading, AskError>
where
    B: Body<Data = Bytes> + Unpin,
{
    let mut hash = Sha256::new();
    let mut bytes: u64 = 0;
    let mut beginning = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let data = frame.map_err(&broken)?.into_data().unwrap_or_default();
        bytes = bytes.saturating_add(data.len() as u64);
        if bytes > question.largest_body {
            return Err(AskError::TooLarge(question.largest_body));
        }
        hash.update(&data);
        let room = question.kept.saturating_sub(beginning.len() as u64);
        let room = usize::try_from(room).unwrap_or(usize::MAX).min(data.len());
        beginning.extend_from_slice(&data[..room]);
    }
    Ok(Reading {
        sha256: hexadecimal(&hash.finalize()),
        bytes,
        beginning: beginning.freeze(),
    })
}

/// Whether the body's end is proven by the last chunk, where that has come (RFC 9112, section 6.3).
pub(super) fn is_chunked(headers: &HeaderMap) -> bool {
    headers
        .get_all(header::TRANSFER_ENCODING)
        .iter()
        .next_back()
        .and_then(|value| value.to_str().ok()?.rsplit(',').next())
        .is_some_and(|coding| coding.trim().eq_ignore_ascii_case("chunked"))
}

/// Whether the body's end is proven by its length: any other coding makes a length be ignored, and
/// some answers never have a body.
pub(super) fn has_length(status: StatusCode, headers: &HeaderMap) -> bool {
    let has_no_body = matches!(status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED);
    let is_long = headers.contains_key(header::CONTENT_LENGTH);
    has_no_body || (is_long && !headers.contains_key(header::TRANSFER_ENCODING))
}

/// A header that is text.
pub(super) fn text(headers: &HeaderMap, name: header::HeaderName) -> Option<String> {
    let value = headers.get(name)?.to_str().ok()?;
    Some(value.to_owned())
}
