//! Keys of mappings that are not strings, as kubectl makes strings of them
//! (`convertToJSONableObject` in `sigs.k8s.io/yaml`).

use super::scalar::Scalar;

/// Below this decimal exponent, Go's format `g` switches to scientific notation.
const SCIENTIFIC_BELOW: i32 = -4;
/// From this decimal exponent on, the same, when asked for the shortest digits.
const SCIENTIFIC_FROM: i32 = 6;

/// The key's text.
///
/// # Errors
/// What is wrong, for a key that JSON cannot have.
pub(super) fn to_string(scalar: Scalar) -> Result<String, &'static str> {
    Ok(match scalar {
        Scalar::String(text) => text,
        Scalar::Bool(value) => value.to_string(),
        Scalar::Integer(value) => value.to_string(),
        Scalar::Float(value) => float(value),
        Scalar::Null => return Err("a key is null: put it in quotes"),
        Scalar::Unsigned(_) => return Err("a key is an integer beyond 64 bits: put it in quotes"),
    })
}

/// A float as Go's `FormatFloat(value, 'g', -1, 32)` writes it, so with the digits of the nearest
/// 32-bit float.
fn float(value: f64) -> String {
    #[expect(clippy::cast_possible_truncation, reason = "kubectl shortens it too")]
    let value = value as f32;
    if value.is_nan() {
        return ".nan".to_owned();
    }
    if value.is_infinite() {
        return if value > 0.0 {
            ".inf".to_owned()
        } else {
            "-.inf".to_owned()
        };
    }
    let scientific = format!("{value:e}");
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if (SCIENTIFIC_BELOW..SCIENTIFIC_FROM).contains(&exponent) {
        return value.to_string();
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{mantissa}e{sign}{:02}", exponent.unsigned_abs())
}
