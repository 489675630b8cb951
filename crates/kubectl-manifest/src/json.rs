//! JSON documents, as kubectl's JSON decoder reads them.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

use crate::budget::{Budget, fitted};
use crate::number;

/// What may stand between values (RFC 8259, section 2).
pub(crate) const WHITE_SPACE: [char; 4] = [' ', '\t', '\n', '\r'];

/// Why a text is not a JSON document, and where in the text.
#[derive(Debug)]
pub(crate) struct Problem {
    pub(crate) kind: ProblemKind,
    /// From 1.
    pub(crate) line: usize,
    /// From 1.
    pub(crate) column: usize,
}

#[derive(Debug)]
pub(crate) enum ProblemKind {
    /// It is not JSON, and may be YAML.
    NotJson(String),
    /// It is JSON, but a number is beyond what kubectl can read.
    NumberOutOfRange,
    DuplicateKey,
    TooMuchMemory(&'static str),
}

/// Reads the value that a text starts with, and says how many bytes it takes. `None` where
/// nothing but white space is left.
pub(crate) fn read_first(
    text: &str,
    budget: &mut Budget,
) -> Option<Result<(Value, usize), Problem>> {
    if text.trim_start_matches(WHITE_SPACE).is_empty() {
        return None;
    }
    let mut deserializer = serde_json::Deserializer::from_str(text);
    Some(match (Checked { budget }).deserialize(&mut deserializer) {
        Ok(value) => Ok((value, deserializer.into_iter::<IgnoredAny>().byte_offset())),
        Err(error) => Err(explain(&error, budget)),
    })
}

fn explain(error: &serde_json::Error, budget: &Budget) -> Problem {
    let kind = if let Some(reason) = budget.refusal() {
        ProblemKind::TooMuchMemory(reason)
    } else if error.is_data() {
        // A `Checked` value takes everything else.
        ProblemKind::DuplicateKey
    } else {
        // The reasons are fixed texts that quote nothing; their place is told by `Problem`.
        let text = error.to_string();
        let reason = text
            .rsplit_once(" at line ")
            .map_or(text.as_str(), |(reason, _)| reason);
        match reason {
            "number out of range" => ProblemKind::NumberOutOfRange,
            reason => ProblemKind::NotJson(reason.replace("EOF", "the text ends")),
        }
    };
    Problem {
        kind,
        line: error.line(),
        column: error.column(),
    }
}

/// Reads a value with kubectl's numbers, with no key twice in a mapping and within the budget.
struct Checked<'budget> {
    budget: &'budget mut Budget,
}

impl<'de> DeserializeSeed<'de> for Checked<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Checked<'_> {
    type Value = Value;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a JSON value")
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Value, E> {
        Ok(number::from_unsigned(value))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        Ok(number::from_float(value).unwrap_or(Value::Null))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Value, E> {
        afforded(self.budget.take_text(value.len()))?;
        Ok(Value::from(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        afforded(self.budget.take_collection())?;
        let mut list = Vec::new();
        while let Some(item) = items.next_element_seed(Checked {
            budget: self.budget,
        })? {
            afforded(self.budget.take_item())?;
            list.push(item);
        }
        list.shrink_to_fit();
        Ok(Value::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        afforded(self.budget.take_collection())?;
        let mut map = Map::new();
        while let Some(key) = entries.next_key::<String>()? {
            if map.contains_key(&key) {
                return Err(A::Error::custom("duplicate key"));
            }
            afforded(self.budget.take_entry(&key))?;
            let value = entries.next_value_seed(Checked {
                budget: self.budget,
            })?;
            map.insert(key, value);
        }
        Ok(Value::Object(fitted(map)))
    }
}

fn afforded<E: Error>(is_affordable: bool) -> Result<(), E> {
    if is_affordable {
        Ok(())
    } else {
        Err(E::custom("too much memory"))
    }
}
