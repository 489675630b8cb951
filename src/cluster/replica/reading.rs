//! Takes in a pod's answer as it comes: hashed, bounded, its beginning kept. Whatever ends it, what
//! has come by then is known.

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, StatusCode, header, response};
use http_body::Body;
use http_body_util::BodyExt;
use sha2::{Digest, Sha256};

use super::forward::Question;
use crate::answer::{Cut, Fragment, FragmentHead};
use crate::figures::hexadecimal;

/// Why a body is not read any further.
pub(crate) enum Stop<E> {
    /// It is larger than what is read, in bytes.
    TooLarge(u64),
    /// It broke off.
    Broken(E),
}

/// An answer as it comes in.
pub(crate) struct Reading {
    pub(crate) head: Option<response::Parts>,
    pub(crate) bytes: u64,
    pub(crate) beginning: BytesMut,
    hash: Sha256,
    kept: u64,
    largest: u64,
}

impl Reading {
    /// Nothing has come yet.
    pub(crate) fn of(question: &Question) -> Self {
        Self {
            head: None,
            bytes: 0,
            beginning: BytesMut::new(),
            hash: Sha256::new(),
            kept: question.kept,
            largest: question.largest_body,
        }
    }

    /// Takes the body in.
    ///
    /// # Errors
    /// [`Stop`] when it does not come to its end.
    pub(crate) async fn take<B>(&mut self, mut body: B) -> Result<(), Stop<B::Error>>
    where
        B: Body<Data = Bytes> + Unpin,
    {
        while let Some(frame) = body.frame().await {
            let data = frame.map_err(Stop::Broken)?.into_data().unwrap_or_default();
            self.bytes = self.bytes.saturating_add(data.len() as u64);
            let room = self.kept.saturating_sub(self.beginning.len() as u64);
            let room = usize::try_from(room).unwrap_or(usize::MAX).min(data.len());
            self.beginning.extend_from_slice(&data[..room]);
            if self.bytes > self.largest {
                return Err(Stop::TooLarge(self.largest));
            }
            self.hash.update(&data);
        }
        Ok(())
    }

    /// The SHA-256 of what has come, in hexadecimal.
    pub(crate) fn sha256(&self) -> String {
        hexadecimal(&self.hash.clone().finalize())
    }

    /// What has come, as something that did not come to a proven end.
    pub(crate) fn fragment(self, cut: Cut) -> Fragment {
        let head = self.head;
        Fragment {
            status: head.as_ref().map(|head| head.status),
            head: head.map(|head| FragmentHead {
                content_type: text(&head.headers, header::CONTENT_TYPE),
                location: text(&head.headers, header::LOCATION),
                length: length(&head.headers),
            }),
            bytes: self.bytes,
            beginning: self.beginning.freeze(),
            cut,
        }
    }
}

/// Whether the body's end is proven by the last chunk, where that has come (RFC 9112, section 6.3).
pub(crate) fn is_chunked(headers: &HeaderMap) -> bool {
    headers
        .get_all(header::TRANSFER_ENCODING)
        .iter()
        .next_back()
        .and_then(|value| value.to_str().ok()?.rsplit(',').next())
        .is_some_and(|coding| coding.trim().eq_ignore_ascii_case("chunked"))
}

/// Whether the body's end is proven by its length: any other coding makes a length be ignored, and
/// some answers never have a body.
pub(crate) fn has_length(status: StatusCode, headers: &HeaderMap) -> bool {
    let has_no_body = matches!(status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED);
    let is_long = headers.contains_key(header::CONTENT_LENGTH);
    has_no_body || (is_long && !headers.contains_key(header::TRANSFER_ENCODING))
}

/// The length that the head promises, where it counts.
fn length(headers: &HeaderMap) -> Option<u64> {
    if headers.contains_key(header::TRANSFER_ENCODING) {
        return None;
    }
    let value = headers.get(header::CONTENT_LENGTH)?.to_str().ok()?;
    value.trim().parse().ok()
}

/// A header that is text; different values of a repeated one are listed, as RFC 9110, section 5.3,
/// combines them.
pub(crate) fn text(headers: &HeaderMap, name: header::HeaderName) -> Option<String> {
    let mut values: Vec<&str> = Vec::new();
    for value in headers.get_all(name) {
        let value = value.to_str().ok()?;
        if !values.contains(&value) {
            values.push(value);
        }
    }
    (!values.is_empty()).then(|| values.join(", "))
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn a_header_that_comes_twice_is_one_unless_its_values_differ() {
        let typed = |values: &[&'static str]| {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append(header::CONTENT_TYPE, HeaderValue::from_static(value));
            }
            text(&headers, header::CONTENT_TYPE)
        };
        assert_eq!(typed(&[]), None);
        assert_eq!(
            typed(&["text/plain", "text/plain"]).as_deref(),
            Some("text/plain")
        );
        assert_eq!(
            typed(&["text/plain", "text/html"]).as_deref(),
            Some("text/plain, text/html")
        );
    }
}
