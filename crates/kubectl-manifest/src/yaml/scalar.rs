//! What a scalar is: a null, a boolean, a number or a string.
//!
//! The rules are those of `resolve.go` in `go.yaml.in/yaml/v2`, which are neither quite those of
//! YAML 1.1 (no sexagesimal numbers) nor of 1.2 (`0o17` is octal, but so is `017`).

use std::borrow::Cow;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use crate::number;

const TAG_PREFIX: &str = "tag:yaml.org,2002:";

/// A resolved scalar.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Scalar {
    Null,
    Bool(bool),
    Integer(i64),
    /// An integer beyond `i64`.
    Unsigned(u64),
    Float(f64),
    String(String),
}

impl Scalar {
    /// The JSON value; `None` for infinities and NaN.
    pub(super) fn into_value(self) -> Option<Value> {
        Some(match self {
            Self::Null => Value::Null,
            Self::Bool(value) => Value::Bool(value),
            Self::Integer(value) => Value::from(value),
            Self::Unsigned(value) => number::from_unsigned(value),
            Self::Float(value) => number::from_float(value)?,
            Self::String(value) => Value::String(value),
        })
    }
}

/// Resolves a scalar by its text, its tag, and whether it is plain (neither quoted nor a block).
///
/// # Errors
/// What is wrong, when the text is not what its tag says.
pub(super) fn resolve(text: &str, tag: Option<&str>, plain: bool) -> Result<Scalar, &'static str> {
    let string = || Scalar::String(text.to_owned());
    let tag = match tag {
        None if plain => return Ok(resolve_plain(text)),
        None => return Ok(string()),
        Some(tag) => tag,
    };
    // A tag that the library does not know leaves the text as it is, the non-specific `!` too.
    let Some(name) = tag.strip_prefix(TAG_PREFIX) else {
        return Ok(string());
    };
    match (name, resolve_plain(text)) {
        ("null", scalar @ Scalar::Null)
        | ("bool", scalar @ Scalar::Bool(_))
        | ("int", scalar @ (Scalar::Integer(_) | Scalar::Unsigned(_)))
        | ("float", scalar @ Scalar::Float(_)) => Ok(scalar),
        #[expect(
            clippy::cast_precision_loss,
            reason = "kubectl rounds to the nearest float too"
        )]
        ("float", Scalar::Integer(value)) => Ok(Scalar::Float(value as f64)),
        ("null", _) => Err("a value tagged `!!null` is not null"),
        ("bool", _) => Err("a value tagged `!!bool` is not a boolean"),
        ("int", _) => Err("a value tagged `!!int` is not an integer"),
        ("float", _) => Err("a value tagged `!!float` is not a number that kubectl can read"),
        ("timestamp", _) => Err("the tag `!!timestamp` is not supported: leave it out"),
        ("binary", _) => binary(text),
        _ => Ok(string()),
    }
}

fn binary(text: &str) -> Result<Scalar, &'static str> {
    // Go's decoder skips line breaks.
    let text: Cow<'_, str> = if text.contains(['\n', '\r']) {
        text.replace(['\n', '\r'], "").into()
    } else {
        text.into()
    };
    let bytes = STANDARD
        .decode(text.as_bytes())
        .map_err(|_| "a value tagged `!!binary` is not base64")?;
    String::from_utf8(bytes)
        .map(Scalar::String)
        .map_err(|_| "a value tagged `!!binary` is not text: use `binaryData`, without the tag")
}

fn resolve_plain(text: &str) -> Scalar {
    if let Some(scalar) = resolve_word(text) {
        return scalar;
    }
    let number = match text.as_bytes() {
        [b'.', ..] if separates_digits(text) => parse_float(&text.replace('_', "")),
        [b'0'..=b'9' | b'+' | b'-', ..] => resolve_number(&text.replace('_', "")),
        _ => None,
    };
    number.unwrap_or_else(|| Scalar::String(text.to_owned()))
}

/// The words with a meaning: exactly these spellings.
fn resolve_word(text: &str) -> Option<Scalar> {
    Some(match text {
        "" | "~" | "null" | "Null" | "NULL" => Scalar::Null,
        "y" | "Y" | "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => {
            Scalar::Bool(true)
        }
        "n" | "N" | "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => {
            Scalar::Bool(false)
        }
        ".nan" | ".NaN" | ".NAN" => Scalar::Float(f64::NAN),
        ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF" => Scalar::Float(f64::INFINITY),
        "-.inf" | "-.Inf" | "-.INF" => Scalar::Float(f64::NEG_INFINITY),
        _ => return None,
    })
}

/// A number without underscores.
fn resolve_number(text: &str) -> Option<Scalar> {
    if let Some(scalar) = resolve_integer(text) {
        return Some(scalar);
    }
    if is_yaml_float(text) {
        return parse_float(text);
    }
    // `0b-101` is taken too: only the digits after the prefix are looked at.
    text.strip_prefix("0b")
        .and_then(|digits| i64::from_str_radix(digits, 2).ok())
        .map(Scalar::Integer)
}

/// An integer in the syntax of Go (`strconv.ParseInt` with base 0): `0x`, `0o`, `0b` in either
/// case, and a leading zero for octal.
fn resolve_integer(text: &str) -> Option<Scalar> {
    let (sign, unsigned) = match text.as_bytes() {
        [b'-', ..] => ("-", &text[1..]),
        [b'+', ..] => ("", &text[1..]),
        _ => ("", text),
    };
    let (radix, digits) = match unsigned.as_bytes() {
        [b'0', b'x' | b'X', _, ..] => (16, &unsigned[2..]),
        [b'0', b'o' | b'O', _, ..] => (8, &unsigned[2..]),
        [b'0', b'b' | b'B', _, ..] => (2, &unsigned[2..]),
        [b'0', _, ..] => (8, &unsigned[1..]),
        _ => (10, unsigned),
    };
    // `from_str_radix` would take a second sign.
    if !digits.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return None;
    }
    if let Ok(value) = i64::from_str_radix(&format!("{sign}{digits}"), radix) {
        return Some(Scalar::Integer(value));
    }
    // Only an unsigned number without any sign may be beyond `i64`.
    if unsigned.len() < text.len() {
        return None;
    }
    u64::from_str_radix(digits, radix)
        .ok()
        .map(Scalar::Unsigned)
}

/// Whether the text is a decimal number with an optional fraction and exponent
/// (`yamlStyleFloat`). Rust would take more, such as `1e`, `inf` or `infinity`.
fn is_yaml_float(text: &str) -> bool {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (unsigned, None),
    };
    let all_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    all_digits(whole)
        && all_digits(fraction)
        && !(whole.is_empty() && fraction.is_empty())
        && exponent.is_none_or(|exponent| {
            let digits = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
            !digits.is_empty() && all_digits(digits)
        })
}

/// A float that is in range; one that is not stays a string.
fn parse_float(text: &str) -> Option<Scalar> {
    if !is_yaml_float(text) {
        return None;
    }
    text.parse()
        .ok()
        .filter(|value: &f64| value.is_finite())
        .map(Scalar::Float)
}

/// Whether every underscore stands between two digits, as Go wants it in a number that starts
/// with a point; in all other numbers, underscores may stand anywhere.
fn separates_digits(text: &str) -> bool {
    let bytes = text.as_bytes();
    let is_digit = |index: usize| bytes.get(index).is_some_and(u8::is_ascii_digit);
    (1..bytes.len())
        .all(|index| bytes[index] != b'_' || (is_digit(index - 1) && is_digit(index + 1)))
}
