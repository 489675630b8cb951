//! Bytes → text, as kubectl decodes a file: UTF-8, or whatever a byte-order mark says
//! (`FileVisitor` in `cli-runtime/pkg/resource/visitor.go`).

use thiserror::Error;

use crate::Budget;

/// Why bytes are no text that can be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum DecodeError {
    /// The budget has no room for it.
    #[error("it is too large")]
    TooLarge,
    /// The bytes are not what they claim to be.
    #[error("it is not text in {0}")]
    NotText(&'static str),
}

/// Decodes a file and drops its byte-order mark.
///
/// # Errors
/// [`DecodeError`].
pub fn decode(mut bytes: Vec<u8>, budget: &Budget) -> Result<String, DecodeError> {
    let is_utf16 = matches!(bytes.as_slice(), [0xFF, 0xFE, ..] | [0xFE, 0xFF, ..]);
    // Two bytes become up to three, and both are held meanwhile.
    if is_utf16 && !budget.has_room_for(bytes.len() / 2 * 3) {
        return Err(DecodeError::TooLarge);
    }
    let (encoding, text) = match bytes.as_slice() {
        [0xFF, 0xFE, rest @ ..] => ("UTF-16LE", utf16(rest, u16::from_le_bytes)),
        [0xFE, 0xFF, rest @ ..] => ("UTF-16BE", utf16(rest, u16::from_be_bytes)),
        [0xEF, 0xBB, 0xBF, ..] => {
            bytes.drain(..3);
            ("UTF-8", String::from_utf8(bytes).ok())
        }
        _ => ("UTF-8", String::from_utf8(bytes).ok()),
    };
    text.ok_or(DecodeError::NotText(encoding))
}

fn utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> Option<String> {
    let (pairs, rest) = bytes.as_chunks::<2>();
    if !rest.is_empty() {
        return None;
    }
    char::decode_utf16(pairs.iter().copied().map(unit))
        .collect::<Result<_, _>>()
        .ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decodes_what_the_mark_says() {
        let table: [(&[u8], &str); 5] = [
            (b"a: b", "a: b"),
            (b"\xEF\xBB\xBFa: b", "a: b"),
            (b"\xFF\xFEa\0:\0", "a:"),
            (b"\xFE\xFF\0a\0:", "a:"),
            (b"", ""),
        ];
        for (bytes, expected) in table {
            assert_eq!(
                decode(bytes.to_vec(), &Budget::default()).unwrap(),
                expected
            );
        }
    }

    #[test]
    fn refuses_what_is_not_text() {
        let table: [&[u8]; 4] = [b"\xC3\x28", b"\xFF\xFEa", b"\xFE\xFF\xD8\x00\x00a", b"\x80"];
        for bytes in table {
            assert!(
                decode(bytes.to_vec(), &Budget::default()).is_err(),
                "{bytes:?}"
            );
        }
    }
}
