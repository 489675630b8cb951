//! Numbers as they leave kubectl.
//!
//! kubectl turns YAML into JSON text and reads that again: what is written as an integer there
//! and fits becomes an `int64`, all else a `float64` (`sigs.k8s.io/json`, `PreserveInts`). So
//! `1e3` and `1.0` end as integers, and an integer beyond `int64` ends as a float.

use serde_json::{Number, Value};

/// From here on, Go writes a float with an exponent (`encoding/json`, `floatEncoder`).
const EXPONENT_FROM: f64 = 1e21;

/// What is left of an unsigned integer.
pub(crate) fn from_unsigned(value: u64) -> Value {
    #[expect(
        clippy::cast_precision_loss,
        reason = "kubectl rounds to the nearest float too"
    )]
    i64::try_from(value).map_or_else(|_| Value::from(value as f64), Value::from)
}

/// What is left of a float that was written in YAML; `None` for infinities and NaN, which JSON
/// does not have.
#[must_use]
pub fn from_float(value: f64) -> Option<Value> {
    if value.abs() < EXPONENT_FROM {
        // The shortest digits, without an exponent and padded with zeros: as in Go.
        if let Ok(integer) = value.to_string().parse::<i64>() {
            return Some(Value::from(integer));
        }
    }
    Number::from_f64(value).map(Value::Number)
}
